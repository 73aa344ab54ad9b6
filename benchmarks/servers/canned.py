"""A server of canned responses, cheap enough to limit no measurement."""

import argparse
import asyncio
import ssl

from benchmarks.servers.process import prepare
from benchmarks.servers.request_stream import RequestStream

NEVER = 10**9
"""A number of requests to gather that no benchmark reaches."""


class Responses:
    """The responses of one server, and when they are sent.

    Attributes:
        connections: The number of connections opened so far.
    """

    def __init__(self, gather: int, body_delay: float) -> None:
        self.connections = 0
        self._gather = gather
        self._body_delay = body_delay
        self._gathered: dict[int, list[tuple[asyncio.Transport, bytes]]] = {}
        self._last_sent = -1

    def send(self, transport: asyncio.Transport, response: bytes, group: int) -> None:
        """Send a response: at once, in two pieces, or together with those of its group."""
        if self._gather > 1 and group > self._last_sent:
            gathered = self._gathered.setdefault(group, [])
            gathered.append((transport, response))
            if len(gathered) == self._gather:
                self._last_sent = group
                for each, its_response in self._gathered.pop(group):
                    each.write(its_response)
        elif self._body_delay:
            head, separator, body = response.partition(b"\r\n\r\n")
            transport.write(head + separator)
            asyncio.get_running_loop().call_later(self._body_delay, transport.write, body)
        else:
            transport.write(response)

    def opened(self) -> int:
        """Count a connection, and return its group: as many connections as responses to gather."""
        self.connections += 1
        return (self.connections - 1) // self._gather


class Connection(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, responses: Responses) -> None:
        self._responses = responses
        self._requests = RequestStream()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._group = self._responses.opened()

    def data_received(self, data: bytes) -> None:
        for response in self._requests.feed(data):
            self._responses.send(self._transport, response, self._group)


async def serve(responses: Responses, certificate: str | None) -> None:
    """Print the port, and serve until the parent ends this process."""
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(certificate)
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(responses), "127.0.0.1", 0, backlog=4096, ssl=context
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    """Serve as the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--gather", type=int, default=1, help="requests that wait for each other")
    parser.add_argument("--body_delay", type=float, default=0.0, help="seconds after the head")
    parser.add_argument("--certificate", help="file with a key and a chain; makes it TLS 1.3")
    given = parser.parse_args()
    responses = Responses(given.gather, given.body_delay)
    prepare(lambda: responses.connections)
    asyncio.run(serve(responses, given.certificate))


if __name__ == "__main__":
    main()
