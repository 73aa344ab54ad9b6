"""Which event loop and which process this is: connections and tasks belong to one of each."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any, Final

from anyio.lowlevel import current_token

_forks: Final = [0]


def current_event_loop() -> object:
    """Return the event loop that runs this code: asyncio's loop, or the token of a trio run."""
    token = current_token()
    return getattr(token, "native_token", token)  # anyio wraps it from 4.11 on


def is_running(event_loop: object) -> bool:
    """Whether an event loop still runs, in whichever thread."""
    if isinstance(event_loop, asyncio.AbstractEventLoop):
        return event_loop.is_running()
    try:
        # A trio run that has ended refuses whatever is handed to it.
        event_loop.run_sync_soon(int)  # type: ignore[attr-defined]
    except RuntimeError:
        return False
    return True


def forks() -> int:
    """Return how many forks lie between the first process and this one."""
    return _forks[0]


def spawn(work: Callable[[], Coroutine[Any, Any, None]], *, on_end: Callable[[], None]) -> object:
    """Run a coroutine function in a task of its own that no caller's cancellation reaches.

    Args:
        work: The coroutine function.
        on_end: Called when the task has ended, also when asyncio cancelled it before its first
            step, in which case none of `work` ran.

    Returns:
        The task, which the caller must keep: asyncio itself keeps no reference to its tasks.
    """
    if _is_asyncio():
        task = asyncio.get_running_loop().create_task(work())
        task.add_done_callback(lambda _: on_end())
        return task

    async def carry_out() -> None:
        try:
            await work()
        finally:
            on_end()

    trio: Any = sys.modules["trio"]  # it runs this code, so it is there
    return trio.lowlevel.spawn_system_task(carry_out, context=copy_context())


def _is_asyncio() -> bool:
    try:
        # With trio as a guest a loop of asyncio runs as well, but none of its tasks.
        return asyncio.current_task() is not None
    except RuntimeError:
        return False


def _count_fork() -> None:
    _forks[0] += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count_fork)
