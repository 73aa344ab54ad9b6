"""A proxy that keeps all bytes back for a while, each way: what a network between them does."""

import argparse
import asyncio
import selectors
from collections import deque

from benchmarks.servers.process import prepare, serve


class Way(asyncio.Protocol):
    """One end of a connection: what comes to it leaves by the other end, later."""

    def __init__(self, loop: asyncio.AbstractEventLoop, delay: float) -> None:
        self._loop = loop
        self._delay = delay
        self._due: deque[tuple[float, bytes]] = deque()
        self.other: Way | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        due = self._loop.time() + self._delay
        if not self._due:
            self._loop.call_at(due, self._pass_on)
        self._due.append((due, data))

    def connection_lost(self, exc: Exception | None) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.abort()

    def _pass_on(self) -> None:
        assert self.other is not None
        out = self.other.transport
        if out is None:
            self._loop.call_later(self._delay, self._pass_on)  # it is still being connected
            return
        now = self._loop.time()
        while self._due and self._due[0][0] <= now:
            out.write(self._due.popleft()[1])
        if self._due:
            self._loop.call_at(self._due[0][0], self._pass_on)


class Near(Way):
    """The end that a client connected to."""

    def __init__(self, loop: asyncio.AbstractEventLoop, delay: float, to: int) -> None:
        super().__init__(loop, delay)
        self.other = far = Way(loop, delay)
        far.other = self
        self._connecting = loop.create_task(loop.create_connection(lambda: far, "127.0.0.1", to))


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cpu", type=int)
    parser.add_argument("--delay", type=float, required=True)
    parser.add_argument("--to", type=int, required=True)
    given = parser.parse_args()
    prepare(given.cpu)
    loop = asyncio.get_running_loop()
    await serve(lambda: Near(loop, given.delay, given.to))


if __name__ == "__main__":
    # epoll takes whole milliseconds, which is more than what is measured through this; select
    # takes microseconds.
    with asyncio.Runner(
        loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())
    ) as runner:
        runner.run(main())
