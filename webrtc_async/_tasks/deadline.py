"""The clock and the deadlines of an event loop: anyio's, or a cheaper equivalent on asyncio.

Most deadlines never pass. An `anyio.CancelScope` sets and cancels a timer for each; here one timer
serves all calls of a client.
"""

import asyncio
import math
from threading import get_ident
from types import TracebackType
from typing import Self

import anyio

from webrtc_async._tasks.event_loop import forks, home, is_asyncio


class AnyClock:
    """The clock of any event loop, by anyio."""

    def __init__(self) -> None:
        self._home = home()

    def is_here(self) -> bool:
        """Return True if the caller runs in the event loop in which this clock was made."""
        return home() == self._home

    def now(self) -> float:
        """Return the event loop's time, in seconds."""
        return anyio.current_time()

    def until(self, ends: float) -> anyio.CancelScope:
        """Return a scope that is cancelled at a time of the event loop."""
        return anyio.CancelScope(deadline=ends)


class AsyncioClock:
    """The clock of an event loop of asyncio."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.now = self.loop.time
        self._thread = get_ident()
        self._forks = forks()
        self._open: set[AsyncioScope] = set()
        self._timer: asyncio.TimerHandle | None = None

    def is_here(self) -> bool:
        """Return True if the caller is a task of the event loop in which this clock was made."""
        # get_running_loop() would cost a system call on Python 3.11.
        return (
            get_ident() == self._thread
            and self._forks == forks()
            and asyncio.current_task(self.loop) is not None
        )

    def until(self, ends: float) -> "AsyncioScope":
        """Return a scope that is cancelled at a time of the event loop."""
        return AsyncioScope(self, ends)

    def add(self, deadline: "AsyncioScope") -> None:
        """Watch a deadline."""
        if deadline.ends == math.inf:
            return
        self._open.add(deadline)
        if self._timer is None or deadline.ends < self._timer.when():
            self._set(deadline.ends)

    def remove(self, deadline: "AsyncioScope") -> None:
        """Stop watching a deadline; the timer stays, and checks the others when it is due."""
        self._open.discard(deadline)

    def _set(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_at(when, self._check)

    def _check(self) -> None:
        self._timer = None
        now = self.now()
        for deadline in [each for each in self._open if each.ends <= now]:
            self._open.discard(deadline)
            deadline.cancel()
        if self._open:
            self._set(min(each.ends for each in self._open))


class AsyncioScope:
    """A scope that cancels the current task at a deadline, by the rules of `asyncio.timeout`."""

    __slots__ = ("_cancellations", "_clock", "_is_cancelled", "_task", "ends")

    def __init__(self, clock: AsyncioClock, ends: float) -> None:
        self.ends = ends
        self._clock = clock
        self._is_cancelled = False

    def __enter__(self) -> Self:
        task = asyncio.current_task(self._clock.loop)
        assert task is not None  # noqa: S101  # is_here() was asked
        self._task = task
        self._cancellations = task.cancelling()
        self._clock.add(self)
        return self

    def cancel(self) -> None:
        """Cancel the body, unless it was cancelled."""
        if self._is_cancelled:
            return
        self._is_cancelled = True
        self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self._clock.remove(self)
        if not self._is_cancelled:
            return False
        # If somebody else has cancelled the task as well, that cancellation goes on.
        is_ours = self._task.uncancel() <= self._cancellations
        return is_ours and kind is not None and issubclass(kind, asyncio.CancelledError)


def clock_here() -> AnyClock | AsyncioClock:
    """Return the clock of the running event loop."""
    return AsyncioClock() if is_asyncio() else AnyClock()
