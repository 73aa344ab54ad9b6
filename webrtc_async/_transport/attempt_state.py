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

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        """Follow an event of httpcore."""
        self.state.is_traced = True
        self._has_connected |= event.startswith("connection.connect_")
        if event.endswith(".send_request_headers.started"):
            # A CONNECT goes to the proxy; the request itself follows through the tunnel.
            self._is_tunnelling = info["request"].method == b"CONNECT"
        if self._is_tunnelling:
            return
        if event.endswith(".send_request_headers.started"):
            self.state.stage, self.state.is_reused = Stage.SENDING, not self._has_connected
        elif event.endswith(".send_request_body.complete"):
            self.state.stage = Stage.AWAITING
        elif event.endswith(".receive_response_headers.complete"):
            _, status, _, headers = info["return_value"]
            self.on_head(status, headers)
