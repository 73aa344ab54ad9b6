"""Time and deadlines of one event loop: anyio's, or on asyncio the same for less.

A deadline that does not pass is the usual one. An `anyio.CancelScope` sets a timer for each and
takes it back; here one timer looks after all of a client's calls.
"""

import asyncio
import math
from threading import get_ident
from types import TracebackType
from typing import Self

import anyio

from webrtc_async._tasks.event_loop import current_event_loop, forks


class AnyClock:
    """The clock of whichever event loop runs."""

    def __init__(self) -> None:
        self._home = (current_event_loop(), forks())

    def is_here(self) -> bool:
        """Whether the caller is in the event loop in which this clock was made."""
        return (current_event_loop(), forks()) == self._home

    def now(self) -> float:
        """Return the event loop's time, in seconds."""
        return anyio.current_time()

    def until(self, ends: float) -> anyio.CancelScope:
        """Return a scope that is cancelled at a time."""
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
        """Whether the caller is a task of the event loop in which this clock was made."""
        # get_running_loop() would cost a system call on Python 3.11.
        return (
            get_ident() == self._thread
            and self._forks == forks()
            and asyncio.current_task(self.loop) is not None
        )

    def until(self, ends: float) -> "AsyncioScope":
        """Return a scope that is cancelled at a time."""
        return AsyncioScope(self, ends)

    def add(self, deadline: "AsyncioScope") -> None:
        """Look after a deadline."""
        if deadline.ends == math.inf:
            return
        self._open.add(deadline)
        if self._timer is None or deadline.ends < self._timer.when():
            self._set(deadline.ends)

    def remove(self, deadline: "AsyncioScope") -> None:
        """Look after it no longer; the timer stays, and looks again when it is due."""
        self._open.discard(deadline)

    def _set(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_at(when, self._look)

    def _look(self) -> None:
        self._timer = None
        now = self.now()
        for deadline in [each for each in self._open if each.ends <= now]:
            self._open.discard(deadline)
            deadline.cancel()
        if self._open:
            self._set(min(each.ends for each in self._open))


class AsyncioScope:
    """A cancellable part of a task, by asyncio's own rules for who may take a cancellation back."""

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
        """End the body, unless it is ending already."""
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
        # Whoever else has cancelled the task meanwhile is obeyed.
        is_ours = self._task.uncancel() <= self._cancellations
        return is_ours and kind is not None and issubclass(kind, asyncio.CancelledError)


def clock_here() -> AnyClock | AsyncioClock:
    """Return the clock of the event loop that runs."""
    try:
        # A loop may also run trio as its guest, and then there is no task.
        is_asyncio = asyncio.current_task() is not None
    except RuntimeError:
        is_asyncio = False
    return AsyncioClock() if is_asyncio else AnyClock()
