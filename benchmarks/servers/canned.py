"""A server of canned answers, so cheap that it bounds no measure.

It answers at once, or each request so many seconds after it came, or nobody until so many wait.
"""

import argparse
import asyncio
import selectors
import ssl
from collections import deque

from benchmarks.servers.process import prepare, serve
from benchmarks.servers.request_stream import RequestStream

NEVER = 10**9
"""More than ever wait: a server that gathers so many answers nobody."""


class Desk:
    """What the connections of one server share: who waits for what, and until when."""

    def __init__(self, loop: asyncio.AbstractEventLoop, delay: float, gather: int) -> None:
        self._loop = loop
        self._delay = delay
        self._gather = gather
        self._connections = 0
        self._gathered: list[tuple[asyncio.Transport, bytes]] | None = [] if gather > 1 else None
        # All wait equally long, so who came first is due first, and one timer does for all.
        self._due: deque[tuple[float, asyncio.Transport, bytes]] = deque()

    def answer(self, transport: asyncio.Transport, content: bytes) -> None:
        if self._delay:
            due = self._loop.time() + self._delay
            if not self._due:
                self._loop.call_at(due, self._answer_due)
            self._due.append((due, transport, content))
        elif self._gathered is not None:
            self._gathered.append((transport, content))
            if len(self._gathered) >= self._gather:
                waiting, self._gathered = self._gathered, None
                for each, its_content in waiting:
                    each.write(its_content)
        else:
            transport.write(content)

    def _answer_due(self) -> None:
        now = self._loop.time()
        while self._due and self._due[0][0] <= now:
            _, transport, content = self._due.popleft()
            transport.write(content)
        if self._due:
            self._loop.call_at(self._due[0][0], self._answer_due)

    def opened(self) -> None:
        self._connections += 1

    def closed(self) -> None:
        """Gather again once everybody has gone."""
        self._connections -= 1
        if self._connections == 0 and self._gather > 1:
            self._gathered = []


class Canned(asyncio.Protocol):
    """One connection."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._requests = RequestStream()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._desk.opened()

    def data_received(self, data: bytes) -> None:
        for content in self._requests.feed(data):
            self._desk.answer(self._transport, content)

    def connection_lost(self, exc: Exception | None) -> None:
        self._desk.closed()


async def main(given: argparse.Namespace) -> None:
    prepare(given.cpu)
    context = None
    if given.certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(given.certificate)
    desk = Desk(asyncio.get_running_loop(), given.delay, given.gather)
    await serve(lambda: Canned(desk), context)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cpu", type=int)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--gather", type=int, default=1)
    parser.add_argument("--certificate")
    return parser.parse_args()


if __name__ == "__main__":
    given = arguments()
    # epoll takes whole milliseconds, and so would add one to a delay; select takes microseconds,
    # but not as many connections as may be gathered.
    selector = selectors.SelectSelector() if given.delay else selectors.DefaultSelector()
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        runner.run(main(given))
