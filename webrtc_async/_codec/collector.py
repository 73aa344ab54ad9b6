"""The garbage collector, kept from looking through a long list again and again as it is read.

Every object that is made counts as a reason to collect, and of a list that is being read none can
be garbage: it would be searched a hundred times for nothing.
"""

import gc
from contextlib import AbstractContextManager
from threading import Lock
from types import TracebackType
from typing import Final

WORTH_IT: Final = 64 * 1024
"""Bytes of a body from which on pausing pays; such a body takes a fraction of a millisecond."""


def paused_collector() -> AbstractContextManager[None]:
    """Return a scope without automatic collections."""
    return _PAUSE


class _Pause:
    """Turns the collector off while anyone is inside, and on again only if it was on."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._was_on = False

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._was_on = gc.isenabled()
                gc.disable()
            self._inside += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._was_on:
                gc.enable()


_PAUSE: Final = _Pause()
