"""A server of canned answers on loopback, in a process of its own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

CREATED = (
    b'{"participant":{"id":"participant-5b7fde0c-4a3c-4e6f-9d0a-3c1c7a1f5b0e","callbackUrl":'
    b'"https://example.com/callbacks/webrtc","publishPermissions":["AUDIO","VIDEO"],"tag":'
    b'"visit-42-doctor","deviceApiVersion":"V3"},"token":"eyJhbGciOiJIUzI1NiJ9.eyJhIjoiOTkwMDAwMCIs'
    b"InAiOiJwYXJ0aWNpcGFudC01YjdmZGUwYy00YTNjLTRlNmYtOWQwYS0zYzFjN2ExZjViMGUiLCJ2IjoxLCJleHAiOjE4"
    b'MDAwMDAwMDAsInRpZCI6IiJ9.c2lnbmF0dXJlLXNpZ25hdHVyZS1zaWduYXR1cmUtc2lnbmF0dXJl"}'
)
ANSWER = (
    b"HTTP/1.1 200 OK\r\nDate: Wed, 25 Nov 2026 12:00:00 GMT\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\nConnection: keep-alive\r\n"
    b"x-amzn-RequestId: 7e1c1f3c-0f3e-4c58-9d3e-2a1b0c9d8e7f\r\n\r\n%b" % (len(CREATED), CREATED)
)


class Canned(asyncio.Protocol):
    """Answers every request alike; requests come whole, since these are small."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        # A head and a body may come apart; the body of these requests always ends with a brace.
        if data.endswith(b"}"):
            self.transport.write(ANSWER)


@contextmanager
def serving(cpu: int | None = None) -> Iterator[int]:
    """Serve in another process while the body runs, and give the port."""
    command = [sys.executable, "-m", "benchmarks.canned_server", str("" if cpu is None else cpu)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Canned, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1]:
        os.sched_setaffinity(0, [int(sys.argv[1])])
    asyncio.run(serve())
