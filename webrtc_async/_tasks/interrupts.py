"""Ctrl-C while a client cleans up."""

import asyncio
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType, MethodType
from typing import Any

from webrtc_async._tasks.event_loop import is_asyncio


@contextmanager
def interrupts_between_callbacks() -> Generator[None]:
    """Deliver Ctrl-C between two callbacks of asyncio while the body runs.

    `asyncio.run` raises KeyboardInterrupt for a second Ctrl-C wherever the program is at that
    moment. Where that is the start of a callback, the callback is lost: a task that it was to wake
    waits for ever, and the program with it.
    """
    handler: Any = signal.getsignal(signal.SIGINT)
    is_of_runner = isinstance(getattr(handler, "func", None), MethodType) and isinstance(
        handler.func.__self__, asyncio.Runner
    )
    is_known = is_of_runner or handler is signal.default_int_handler
    is_here = is_asyncio() and threading.current_thread() is threading.main_thread()
    if not is_known or not is_here:
        yield
        return
    loop, seen = asyncio.get_running_loop(), 0
    interrupt: Callable[[int, FrameType | None], Any] = handler

    def deliver(number: int, frame: FrameType | None) -> None:
        nonlocal seen
        seen += 1
        if loop.is_running():
            loop.call_soon_threadsafe(interrupt, number, None)
        else:
            interrupt(number, frame)

    signal.signal(signal.SIGINT, deliver)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is deliver:
            # A runner that was interrupted has no use for its handler, and could not reset it.
            ended = is_of_runner and seen
            signal.signal(signal.SIGINT, signal.default_int_handler if ended else interrupt)
