"""A log of the emulator's last exchanges: requests and their responses."""

import contextlib
import re
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from itertools import starmap
from typing import Any, Final

from attrs import field, frozen
from attrs.converters import optional

from webrtc_async._codec.model_codec import is_object
from webrtc_async._protocol.wire import WireRequest, WireResponse
from webrtc_async.emulator.faults.check import OPERATIONS
from webrtc_async.emulator.records.message import MAX_BODY, RecordedMessage

LOG_SIZE: Final = 200
"""Number of exchanges in the log; older ones are dropped."""

MAX_TARGET_LENGTH: Final = 500
"""Maximum length of a logged path in characters."""

_SESSION: Final = re.compile(r"/sessions/([^/]+)")
_PARTICIPANT: Final = re.compile(r"/participants/([^/]+)")


def _message(logged: tuple[Mapping[str, str], bytes]) -> RecordedMessage:
    return RecordedMessage(*logged)


@frozen
class Exchange:
    """A request and its response.

    Attributes:
        number: Number of the exchange, from 1 after each reset.
        at: Time of the response, in seconds since 1970.
        method: HTTP method.
        target: The path, percent-encoded, without the query, which can hold secrets.
        operation: Name of the request's operation; None for an unknown path or method.
        status: Status that the caller can see; None if a fault hid it.
        seconds: Response time, including the delay of a fault.
        fault: The fault; None without one.
        request: Headers and body of the request.
        response: Headers and body of the response; None if the caller can see none.
    """

    number: int
    at: float
    method: str
    target: str
    operation: str | None
    status: int | None
    seconds: float
    fault: str | None
    request: RecordedMessage = field(converter=_message, repr=False)
    response: RecordedMessage | None = field(converter=optional(_message), repr=False)

    @property
    def json(self) -> object:
        """The request's body as JSON values; None without a body.

        Raises:
            ValueError: The body is not JSON, or it was longer than what is recorded.
        """
        return self.request.json

    @property
    def session_id(self) -> str | None:
        """The session in the path, or the one that the request created."""
        return self._id_in(_SESSION, "createSession")

    @property
    def participant_id(self) -> str | None:
        """The participant in the path, or the one that the request created."""
        return self._id_in(_PARTICIPANT, "createParticipant")

    @property
    def tag(self) -> str | None:
        """The tag in the request's body."""
        return _text(_object(self.request), "tag")

    def _id_in(self, pattern: re.Pattern[str], creator: str) -> str | None:
        found = pattern.search(self.target)
        if found is not None:
            return found[1]
        if self.operation != creator:
            return None
        created = _object(self.response)
        participant = created.get("participant")
        return _text(participant if is_object(participant) else created, "id")

    def as_json(self) -> dict[str, object]:
        """Return the exchange without headers and bodies as JSON values."""
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

    def as_full_json(self) -> dict[str, object]:
        """Return the exchange with headers and bodies as JSON values, without secrets."""
        return {
            **self.as_json(),
            "request": self.request.as_json(),
            "response": None if self.response is None else self.response.as_json(),
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
        fault: str | None,
        request: WireRequest,
        response: WireResponse | None,
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
                (request.headers, request.content[:MAX_BODY]),
                None if response is None else (response.headers, response.content[:MAX_BODY]),
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

    def of(self, operation: str) -> tuple[Exchange, ...]:
        """Return an operation's exchanges in the log, oldest first.

        Raises:
            ValueError: The operation does not exist.
        """
        self.count_of(operation)
        return tuple(each for each in self if each.operation == operation)

    def __iter__(self) -> Iterator[Exchange]:
        with self._lock:
            return starmap(Exchange, tuple(self._log))

    def __len__(self) -> int:
        return len(self._log)

    def __repr__(self) -> str:
        return f"<Exchanges: {self._count} in all>"


def _object(message: RecordedMessage | None) -> dict[str, object]:
    with contextlib.suppress(ValueError):
        found = None if message is None else message.json
        return found if is_object(found) else {}
    return {}


def _text(fields: dict[str, object], name: str) -> str | None:
    found = fields.get(name)
    return found if isinstance(found, str) else None
