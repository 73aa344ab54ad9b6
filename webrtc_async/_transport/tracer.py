"""A trace hook that tells from httpcore's events how far a request has come."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async.errors.outcome import Stage

RawHeaders = Iterable[tuple[bytes, bytes]]


class Tracer:
    """An httpcore trace hook that keeps the state of an attempt up to date.

    Attributes:
        state: The state.
        on_head: Called with the status and headers of the response as soon as they were received,
            because httpx raises if it cannot parse the Location among them.
    """

    def __init__(self, state: AttemptState, on_head: Callable[[int, RawHeaders], None]) -> None:
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
