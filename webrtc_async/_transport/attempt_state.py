"""The progress of one attempt of a call, and a trace hook that follows it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from attrs import define, field

from webrtc_async.errors.outcome import Outcome, Stage

YOUNG: Final = 5.0
"""Seconds that a connection may have been idle before a create uses it, if there is a choice.

A peer that drops an idle connection while a request is on its way leaves the outcome unknown. A
repeatable request is sent again; a create fails.
"""

REFUSED_STREAM: Final = 7
"""The error code of HTTP/2 that promises that a request was not processed."""

_BEFORE_SENDING: Final = (Stage.QUEUED, Stage.THROTTLED, Stage.AUTHENTICATING, Stage.PAUSING)


@define
class AttemptState:
    """The progress of one attempt of a call.

    Attributes:
        operation: The API's name of the operation.
        stage: The current stage.
        is_traced: True if the transport reports when it connects, sends and receives.
        status: The status of the response; None until its head was received.
        is_reused: True if the connection was kept from an earlier request, as far as is known.
        received: The received part of a body that did not arrive completely.
        max_idle: Seconds that a connection may have been idle, for transports with a choice.
    """

    operation: str
    stage: Stage = Stage.QUEUED
    is_traced: bool = False
    status: int | None = None
    is_reused: bool = False
    received: bytes = field(default=b"", repr=False)
    max_idle: float | None = None

    def begin(self, stage: Stage) -> None:
        """Start over for another attempt."""
        self.stage, self.is_traced, self.status = stage, False, None
        self.is_reused, self.received = False, b""

    @property
    def hit_stale_connection(self) -> bool:
        """True if a connection kept from an earlier request ended before a byte was received."""
        is_sent = self.stage is Stage.SENDING or self.stage is Stage.AWAITING
        return self.is_reused and self.status is None and is_sent

    @property
    def outcome(self) -> Outcome:
        """The outcome at the service, as far as is known now."""
        if self.status is not None:
            return Outcome.ANSWERED
        if self.stage in _BEFORE_SENDING:
            return Outcome.NOT_SENT
        # A transport that reports nothing may have sent everything.
        if self.stage is Stage.CONNECTING and self.is_traced:
            return Outcome.NOT_SENT
        return Outcome.UNKNOWN


class Tracer:
    """An httpcore trace hook that keeps the state of an attempt up to date.

    Attributes:
        state: The state.
        on_head: Called with the status and headers of the response as soon as they were received,
            because httpx raises if it cannot parse the Location among them.
    """

    def __init__(
        self, state: AttemptState, on_head: Callable[[int, Iterable[tuple[bytes, bytes]]], None]
    ) -> None:
        self.state = state
        self.on_head = on_head
        self._has_connected = self._is_tunnelling = False
        self._stream = 0

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        """Follow an event of httpcore."""
        state = self.state
        state.is_traced = True
        self._has_connected |= event.startswith("connection.connect_")
        if event.endswith(".send_request_headers.started"):
            # A CONNECT goes to the proxy; the request itself follows through the tunnel.
            self._is_tunnelling = info["request"].method == b"CONNECT"
        if self._is_tunnelling:
            return
        match event.split("."):
            case protocol, "send_request_headers", "started":
                state.stage, state.is_reused = Stage.SENDING, not self._has_connected
                self._stream = info["stream_id"] if protocol == "http2" else 0
            case _, "send_request_body", "complete":
                state.stage = Stage.AWAITING
            case "http2", "receive_response_headers", "complete":
                self.on_head(*info["return_value"])
            case _, "receive_response_headers", "complete":
                _, status, _, headers = info["return_value"]
                self.on_head(status, headers)
            case "http2", step, "failed" if state.status is None:
                self._see_failure(step, info["exception"])
            case _:
                pass

    def _see_failure(self, step: str, error: BaseException) -> None:
        """Follow a failure of HTTP/2, which says what the server did (RFC 9113, section 8.7)."""
        # httpcore's error has h2's event as its argument.
        event: Any = error.args[0] if error.args else None
        match type(event).__name__:
            case "StreamReset":
                self.state.is_reused = False  # the connection goes on: it was not stale
                is_unprocessed = event.error_code == REFUSED_STREAM
            case "ConnectionTerminated":
                is_unprocessed = self._stream > (event.last_stream_id or 0)
            case _:
                # The pool sends it over another connection, or h2 found this one closed and wrote
                # nothing.
                is_unprocessed = type(error).__name__ == "ConnectionNotAvailable" or (
                    step == "send_request_headers" and type(error).__module__ == "h2.exceptions"
                )
        if is_unprocessed:
            self.state.stage = Stage.CONNECTING
