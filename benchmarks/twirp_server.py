"""Canned answers to what `livekit-api` asks, on loopback: the least that a server can do."""

import asyncio
import os
import re

ROOM = b"\x0a\x0fRM_0123456789ab\x12\x06room-0"
"""A `Room` in protobuf: its fields 1, sid, and 2, name."""

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/protobuf\r\nContent-Length: %d\r\n"
    b"Connection: keep-alive\r\n\r\n"
)


class Twirp(asyncio.Protocol):
    """Answers CreateRoom with a room, and everything else with an empty message."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.received = transport, b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, separator, body = self.received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if not separator or len(body) < int(length[1] if length else 0):
            return
        self.received = b""
        answer = ROOM if b"/CreateRoom " in head else b""
        self.transport.write(HEAD % len(answer) + answer)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Twirp, "127.0.0.1", 0, backlog=2048)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])
    asyncio.run(serve())
