"""An object that is made afresh in each event loop and process."""

from collections.abc import Callable
from typing import Generic, TypeVar

from webrtc_async._tasks.event_loop import home

ObjectT = TypeVar("ObjectT")


class PerLoop(Generic[ObjectT]):
    """Holds an object that belongs to one event loop in one process, such as a pool.

    Args:
        make: Makes the object.

    Attributes:
        current: The object that was made last; None before the first `get` and after `take`.
    """

    def __init__(self, make: Callable[[], ObjectT]) -> None:
        self.current: ObjectT | None = None
        self._make = make
        self._home: tuple[object, int] | None = None
        self._abandoned: list[ObjectT] = []

    def get(self) -> ObjectT:
        """Return the object of this event loop and process; make it if there is none."""
        if self.current is None or self._home != home():
            self._abandon()
            self._home = home()
            self.current = self._make()
        return self.current

    def take(self) -> ObjectT | None:
        """Return the object of this event loop and process, if any, and hold it no longer."""
        if self._home != home():
            self._abandon()
        taken, self.current = self.current, None
        return taken

    def _abandon(self) -> None:
        # It is kept: collecting an object of the parent process would close the parent's sockets.
        if self.current is not None:
            self._abandoned.append(self.current)
        self.current = None
