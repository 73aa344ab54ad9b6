"""A pool of connections that reuses the most recently used one and serves callers in order.

Nothing in it scans: a call costs the same with one idle connection and with a thousand.
"""

import asyncio
import math
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import httpx

from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async._transport.http1.connection import Http1Connection, Origin
from webrtc_async.errors.outcome import Stage


class _Waiter(NamedTuple):
    """A caller in the queue; it gets a connection, or None for a slot to make one."""

    origin: Origin
    future: "asyncio.Future[Http1Connection | None]"


Connect = Callable[[Origin, float | None], Awaitable[Http1Connection]]


class Http1Pool:
    """A pool of HTTP/1.1 connections to any servers, in one event loop.

    While a caller waits, no connection is idle and no slot is free: a connection that is released
    goes to the first caller in the queue.

    Attributes:
        size: The number of connections, those that are being made included.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        connect: Connect,
        *,
        max_connections: int,
        keep_alive: float,
        max_age: float = math.inf,
    ) -> None:
        self.size = 0
        self._loop = loop
        self._connect = connect
        self._max_connections = max_connections
        self._keep_alive = keep_alive
        self._max_age = max_age
        # Least recently used first, with the time at which each is too old.
        self._idle: dict[Origin, OrderedDict[Http1Connection, float]] = {}
        self._in_use: set[Http1Connection] = set()
        self._waiters: deque[_Waiter] = deque()
        self._expiry: asyncio.TimerHandle | None = None
        self._is_closed = False

    def take(self, origin: Origin, max_idle: float | None) -> Http1Connection | None:
        """Return a connection that was idle for at most `max_idle` seconds, if there is one."""
        idle = self._idle.get(origin)
        spare = 0.0 if max_idle is None else max(0.0, self._keep_alive - max_idle)
        while idle:
            connection, too_old = idle.popitem()
            self._in_use.add(connection)
            ends = min(too_old - spare, connection.retires)
            if self._loop.time() < ends and connection.is_quiet():
                return connection
            connection.abort()
        return None

    async def acquire(
        self, origin: Origin, connect_timeout: float | None, state: AttemptState
    ) -> Http1Connection:
        """Return a connection; it returns to the pool by itself.

        Raises:
            ConnectError: No connection could be made, or the pool is closed.
            ConnectTimeout: Connecting took over connect_timeout seconds.
        """
        is_waiting_again = False
        while True:
            if (kept := self.take(origin, state.max_idle)) is not None:
                return kept
            # While others wait, no connection is idle and no slot is free.
            if not self._waiters and (self.size < self._max_connections or self._evict()):
                self.size += 1
                break
            handed = await self._wait(origin, is_first=is_waiting_again)
            if handed is None:
                break
            if handed.is_quiet():
                return handed
            # The server closed it in the meantime.
            handed.abort()
            is_waiting_again = True
        state.stage = Stage.CONNECTING
        return await self._open(origin, connect_timeout)

    def release(self, connection: Http1Connection) -> None:
        """Hand a connection to the first caller in the queue, or keep it idle."""
        self._in_use.discard(connection)
        now = self._loop.time()
        if now >= connection.retires:
            connection.abort()
            return
        while self._waiters:
            waiter = self._waiters.popleft()
            if waiter.future.done():
                continue
            if waiter.origin == connection.origin:
                self._in_use.add(connection)
                waiter.future.set_result(connection)
            else:
                self._waiters.appendleft(waiter)
                connection.abort()
            return
        too_old = now + self._keep_alive
        idle = self._idle.get(connection.origin)
        if idle is None:
            idle = self._idle[connection.origin] = OrderedDict()
        idle[connection] = too_old
        if self._expiry is None:
            self._expiry = self._loop.call_at(too_old, self._expire)

    def discard(self, connection: Http1Connection) -> None:
        """Forget a connection, and give its slot to the first caller in the queue."""
        self._in_use.discard(connection)
        idle = self._idle.get(connection.origin)
        if idle is not None:
            idle.pop(connection, None)
        self._free_slot()

    def close(self) -> None:
        """Close every connection; requests and waiting callers fail."""
        self._is_closed = True
        for connection in [*self._in_use, *(each for idle in self._idle.values() for each in idle)]:
            connection.abort()
        if self._expiry is not None:
            self._expiry.cancel()

    def _evict(self) -> bool:
        """Close the least recently used idle connection to another server."""
        oldest = min(
            (next(iter(idle.items())) for idle in self._idle.values() if idle),
            key=lambda item: item[1],
            default=None,
        )
        if oldest is not None:
            oldest[0].abort()
        return oldest is not None

    async def _wait(self, origin: Origin, *, is_first: bool) -> Http1Connection | None:
        """Wait in the queue for a connection, or for a slot to make one; None stands for a slot."""
        waiter = _Waiter(origin, self._loop.create_future())
        (self._waiters.appendleft if is_first else self._waiters.append)(waiter)
        try:
            return await waiter.future
        except BaseException:
            if waiter.future.done() and not waiter.future.cancelled():
                # It was served and cancelled in one turn of the loop: the next caller gets it.
                handed = waiter.future.result()
                if handed is None:
                    self._free_slot()
                elif not handed.is_closed:
                    self.release(handed)
            raise

    async def _open(self, origin: Origin, connect_timeout: float | None) -> Http1Connection:
        try:
            self._check_open()
            connection = await self._connect(origin, connect_timeout)
            if self._is_closed:
                connection.abort()
            self._check_open(connection)
        except BaseException:
            self._free_slot()
            raise
        # From here on the connection itself reports when its slot is free.
        connection.owner, connection.retires = self, self._loop.time() + self._max_age
        self._in_use.add(connection)
        return connection

    def _check_open(self, connection: Http1Connection | None = None) -> None:
        if self._is_closed:
            raise httpx.ConnectError("the pool is closed")
        if connection is not None and connection.is_closed:
            raise httpx.ConnectError("the server closed the connection at once")

    def _free_slot(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.future.done():
                waiter.future.set_result(None)
                return
        self.size -= 1

    def _expire(self) -> None:
        self._expiry = None
        now = self._loop.time()
        next_ones: list[float] = []
        for idle in self._idle.values():
            while idle:
                connection, too_old = next(iter(idle.items()))
                if now < too_old:
                    next_ones.append(too_old)
                    break
                connection.abort()
        if next_ones:
            self._expiry = self._loop.call_at(min(next_ones), self._expire)
