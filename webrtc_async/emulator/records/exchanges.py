"""The last exchanges of an emulator, for people and tests to look at."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from itertools import starmap
from typing import Any, Final

from attrs import frozen

from webrtc_async.emulator.faults.check import OPERATIONS

LONGEST_LOG: Final = 200
"""Exchanges that the log keeps; older ones fall out."""

LONGEST_TARGET: Final = 500
"""Characters of a path that are kept."""


@frozen
class Exchange:
    """A request, and what it was answered with.

    Attributes:
        number: 1 for the first since the last reset.
        at: When it was answered, in seconds since 1970.
        method: The HTTP method.
        target: The path, still percent-encoded; without the query, which is the caller's own and
            could hold anything.
        operation: The operation that it was for; None for an unknown path or method.
        status: The status that the caller can have seen; None where a fault let none through.
        seconds: How long the answer took, or the wait that a fault adds is longer.
        fault: What went wrong on purpose; None for nothing.
    """

    number: int
    at: float
    method: str
    target: str
    operation: str | None
    status: int | None
    seconds: float
    fault: str | None = None

    def picture(self) -> dict[str, object]:
        """Return what programs and people are shown of it, as JSON's values."""
        return {
            "number": self.number,
            "at": self.at,
            "method": self.method,
            "target": self.target,
            "operation": self.operation,
            "status": self.status,
            "seconds": self.seconds,
            "fault": self.fault,
        }


class Exchanges:
    """The log of the last exchanges, and how many there were of each operation.

    Iterating gives the log, oldest first. Threads may share it.

    Args:
        on_change: Called after every change, in the thread that made it and with no lock of this
            object held.
    """

    def __init__(self, *, on_change: Callable[[], object] = lambda: None) -> None:
        self._on_change = on_change
        self._lock = threading.Lock()
        # Exchanges are made of them when they are looked at, which few are.
        self._log: deque[tuple[Any, ...]] = deque(maxlen=LONGEST_LOG)
        self._counts: Counter[str | None] = Counter()
        self._count = 0

    def add(
        self,
        *,
        at: float,
        method: str,
        target: str,
        operation: str | None,
        status: int | None,
        seconds: float,
        fault: str | None = None,
    ) -> None:
        """Log an exchange."""
        with self._lock:
            self._count += 1
            self._counts[operation] += 1
            self._log.append(
                (
                    self._count,
                    at,
                    method[:LONGEST_TARGET],
                    target.partition("?")[0][:LONGEST_TARGET],
                    operation,
                    status,
                    seconds,
                    fault,
                )
            )
        self._on_change()

    def clear(self) -> None:
        """Forget all, and start numbers over."""
        with self._lock:
            self._log.clear()
            self._counts.clear()
            self._count = 0
        self._on_change()

    @property
    def count(self) -> int:
        """How many there were since the last reset, those that fell out of the log included."""
        return self._count

    def count_of(self, operation: str) -> int:
        """Return how many there were of an operation since the last reset.

        Raises:
            ValueError: There is no such operation.
        """
        if operation not in OPERATIONS:
            raise ValueError(f"{operation!r} is no operation; createSession is one.")
        with self._lock:
            return self._counts[operation]

    def __iter__(self) -> Iterator[Exchange]:
        with self._lock:
            return starmap(Exchange, tuple(self._log))

    def __len__(self) -> int:
        return len(self._log)

    def __repr__(self) -> str:
        return f"<Exchanges: {self._count} in all>"
