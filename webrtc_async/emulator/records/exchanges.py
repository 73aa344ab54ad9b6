"""A log of the emulator's last exchanges: requests and their responses."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from itertools import starmap
from typing import Any, Final

from attrs import frozen

from webrtc_async.emulator.faults.check import OPERATIONS

LOG_SIZE: Final = 200
"""Number of exchanges in the log; older ones are dropped."""

MAX_TARGET_LENGTH: Final = 500
"""Maximum length of a logged path in characters."""


@frozen
class Exchange:
    """A request and the summary of its response.

    Attributes:
        number: Number of the exchange, from 1 after each reset.
        at: Time of the response, in seconds since 1970.
        method: HTTP method.
        target: The path, percent-encoded, without the query, which can hold secrets.
        operation: Name of the request's operation; None for an unknown path or method.
        status: Status that the caller can see; None if a fault hid it.
        seconds: Response time, including the delay of a fault.
        fault: The fault; None without one.
    """

    number: int
    at: float
    method: str
    target: str
    operation: str | None
    status: int | None
    seconds: float
    fault: str | None = None

    def as_json(self) -> dict[str, object]:
        """Return the exchange as JSON values."""
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
    """A log of the last exchanges, and a count for each operation.

    Iterating yields the log, oldest first. Threads may share it.

    Attributes:
        on_add: Called with each new exchange, if set.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Tuples: few are ever read, and only those become Exchange objects.
        self._log: deque[tuple[Any, ...]] = deque(maxlen=LOG_SIZE)
        self._counts: Counter[str | None] = Counter()
        self._count = 0
        self.on_add: Callable[[Exchange], object] | None = None

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
        """Add an exchange to the log."""
        with self._lock:
            self._count += 1
            self._counts[operation] += 1
            added = (
                self._count,
                at,
                method[:MAX_TARGET_LENGTH],
                target.partition("?")[0][:MAX_TARGET_LENGTH],
                operation,
                status,
                seconds,
                fault,
            )
            self._log.append(added)
        if self.on_add is not None:
            self.on_add(Exchange(*added))

    def clear(self) -> None:
        """Drop the log and the counts, and number new exchanges from 1 again."""
        with self._lock:
            self._log.clear()
            self._counts.clear()
            self._count = 0

    @property
    def count(self) -> int:
        """Number of exchanges since the last reset, including those no longer in the log."""
        return self._count

    def count_of(self, operation: str) -> int:
        """Return the number of an operation's exchanges since the last reset.

        Raises:
            ValueError: The operation does not exist.
        """
        if operation not in OPERATIONS:
            raise ValueError(f"{operation!r} is not an operation, such as createSession.")
        with self._lock:
            return self._counts[operation]

    def __iter__(self) -> Iterator[Exchange]:
        with self._lock:
            return starmap(Exchange, tuple(self._log))

    def __len__(self) -> int:
        return len(self._log)

    def __repr__(self) -> str:
        return f"<Exchanges: {self._count} in all>"
