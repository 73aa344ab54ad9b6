"""The running event loop and the process: connections and tasks belong to one of each."""

import asyncio
import gc
import os
import sys
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any, Final, Generic, TypeVar

from anyio.lowlevel import current_token

ObjectT = TypeVar("ObjectT")

_forks: Final = [0]


def current_event_loop() -> object:
    """Return the running event loop: asyncio's loop, or the token of a trio run."""
    token = current_token()
    return getattr(token, "native_token", token)  # anyio wraps it from 4.11 on


def is_running(event_loop: object) -> bool:
    """Return True if an event loop still runs, in any thread."""
    if isinstance(event_loop, asyncio.AbstractEventLoop):
        return event_loop.is_running()
    try:
        # A trio run that has ended accepts no more callbacks.
        event_loop.run_sync_soon(int)  # type: ignore[attr-defined]
    except RuntimeError:
        return False
    return True


def is_asyncio() -> bool:
    """Return True if the caller runs in a task of asyncio."""
    try:
        # With trio as its guest a loop of asyncio runs as well, but the caller is no task of it.
        return asyncio.current_task() is not None
    except RuntimeError:
        return False


def forks() -> int:
    """Return the number of forks between the first process and this one."""
    return _forks[0]


def home() -> tuple[object, int]:
    """Return the running event loop and the process, which own connections and tasks."""
    return current_event_loop(), forks()


def spawn(work: Callable[[], Coroutine[Any, Any, None]], *, on_end: Callable[[], None]) -> object:
    """Run a coroutine function in a new task that no caller's cancellation reaches.

    Args:
        work: The coroutine function.
        on_end: Called when the task has ended, also if asyncio cancelled it before its first step
            and `work` never ran.

    Returns:
        The task. Keep it: asyncio itself keeps no reference to its tasks.
    """
    if is_asyncio():
        task = asyncio.get_running_loop().create_task(work())
        task.add_done_callback(lambda _: on_end())
        return task

    async def carry_out() -> None:
        try:
            await work()
        finally:
            on_end()

    trio: Any = sys.modules["trio"]  # it runs this code, so it is loaded
    return trio.lowlevel.spawn_system_task(carry_out, context=copy_context())


def call_soon_in(where: tuple[object, int], callback: Callable[[], None]) -> bool:
    """Call a function in a task of an event loop, from any thread and from a destructor.

    Args:
        where: The event loop and the process, from `home()`.
        callback: The function.

    Returns:
        False if the event loop has ended or belongs to another process; nothing is called then.
    """
    event_loop: Any = where[0]

    async def call() -> None:
        callback()

    if where[1] != forks():
        return False
    try:
        if isinstance(event_loop, asyncio.AbstractEventLoop):
            event_loop.call_soon_threadsafe(lambda: event_loop.create_task(call()))
        else:
            event_loop.run_sync_soon(sys.modules["trio"].lowlevel.spawn_system_task, call)
    except RuntimeError:  # it has ended
        return False
    return True


class PerLoop(Generic[ObjectT]):
    """Holds an object that belongs to one event loop in one process, such as a pool.

    The object is closed when its event loop ends, so that a client can be used in any number of
    event loops.

    Args:
        make: Makes the object.
        close: Closes it, in its event loop.
        abandon: Closes it after its event loop was closed; without this it is garbage-collected.

    Attributes:
        current: The object that was made last; None before the first `get` and after `aclose`.
    """

    def __init__(
        self,
        make: Callable[[], ObjectT],
        close: Callable[[ObjectT], Coroutine[Any, Any, None]],
        abandon: Callable[[ObjectT], object] | None = None,
    ) -> None:
        self.current: ObjectT | None = None
        self._make, self._close, self._abandon = make, close, abandon
        self._home: tuple[object, int] = (None, 0)
        self._of_parents: list[ObjectT] = []

    def get(self) -> ObjectT:
        """Return the object of this event loop and process; make it if there is none."""
        if self._home != (here := home()):
            self._leave()
            self._home = here
            self._close_with_loop()
        if self.current is None:
            self.current = self._make()
        return self.current

    async def aclose(self) -> None:
        """Close the object, unless it belongs to another event loop that still runs."""
        if self._home == home():
            closing, self.current = self.current, None
            if closing is not None:
                await self._close(closing)
        elif self.current is not None and not is_running(self._home[0]):
            self._leave()

    def _close_with_loop(self) -> None:
        # An event loop closes the asynchronous generators that are left at its end. It learns of
        # them by this hook (PEP 525) and needs nothing of them but `aclose`.
        hook: Any = sys.get_asyncgen_hooks().firstiter
        if hook is not None:
            hook(self)

    def _leave(self) -> None:
        left, self.current = self.current, None
        if left is None:
            return
        event_loop, process = self._home
        if process != forks():
            # Collecting an object of the parent process would close the parent's sockets.
            self._of_parents.append(left)
        elif isinstance(event_loop, asyncio.AbstractEventLoop) and not event_loop.is_closed():
            # It was stopped, and may run again.
            event_loop.call_soon(lambda: event_loop.create_task(self._close(left)))
        elif self._abandon is not None:
            self._abandon(left)
        else:
            del left
            gc.collect()


def _count_fork() -> None:
    _forks[0] += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count_fork)
