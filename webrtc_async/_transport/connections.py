"""The connections of a client: their event loop, their lifetime, and each exchange over them."""

import math
import sys
import warnings
from functools import partial

import anyio

from webrtc_async._config.validation import check_count
from webrtc_async._protocol.wire import WireRequest, WireResponse
from webrtc_async._tasks.background_tasks import UNWINDING
from webrtc_async._tasks.deadline import AnyClock, AsyncioClock, clock_here
from webrtc_async._tasks.event_loop import forks, home, is_running
from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async._transport.exchange import Exchange
from webrtc_async._transport.failure import failed, lost
from webrtc_async._transport.http_session import HttpSession
from webrtc_async._transport.lifetime import caller
from webrtc_async._transport.orphaned_request import OnCallerCancelled
from webrtc_async._transport.rate_limiter import RateLimiter, Throttle
from webrtc_async.errors import ConfigurationError, TransportError, WebRtcError
from webrtc_async.errors.outcome import Outcome, Stage


class Connections:
    """The connections of a client in one event loop and one process.

    In a forked child, and after the end of their event loop, the next exchange opens a fresh pool.

    Attributes:
        session: The `httpx.AsyncClient`.
        lifetime: Open, closing or closed.
        requests_sent: The number of requests that were sent.
    """

    def __init__(self, session: HttpSession, max_response_bytes: int) -> None:
        check_count("max_response_bytes", max_response_bytes)
        self.session = session
        self.max_response_bytes = max_response_bytes
        self.lifetime = session.lifetime
        self.requests_sent = 0
        self._clock: AnyClock | AsyncioClock | None = None
        self._throttle: Throttle
        self._home: tuple[object, int] | None = None
        self._made_at = caller()

    def check_not_ending(self, operation: str = "") -> None:
        """Refuse a new call, as `check_open` does, also from the start of closing."""
        self.lifetime.check_not_ending(operation)
        self.session.check_open(operation)

    async def exchange(
        self,
        request: WireRequest,
        state: AttemptState,
        *,
        attempt_timeout: float | None = None,
        connect_timeout: float | None = None,
        on_caller_cancelled: OnCallerCancelled | None = None,
        rate_limiter: RateLimiter | None = None,
    ) -> WireResponse:
        """Send a request and return the response; call `bind_to_loop` first.

        The attempt_timeout begins once there is a connection. If the caller is cancelled after
        sending, `on_caller_cancelled` gets the request.

        Raises:
            TransportError: No complete response was received.
            UnexpectedResponseError: The body is over the limit, or cannot be decoded.
            ClientClosedError: The client was closed.
            ConfigurationError: The HTTP client cannot send the request.
        """
        self.session.check_open(state.operation)
        state.begin(Stage.QUEUED)
        exchange = Exchange(request, state, self.max_response_bytes)
        send = partial(
            self.session.send, exchange, attempt_timeout, connect_timeout, on_caller_cancelled
        )
        try:
            if rate_limiter is None:
                response = await send()
            else:
                async with self._throttle.permit(rate_limiter, state, exchange):
                    self.session.check_open(state.operation)
                    state.begin(Stage.QUEUED)
                    response = await send()
        except Exception as error:
            if (refusal := exchange.refusal) is not None:
                return refusal
            if isinstance(error, WebRtcError):
                raise
            if state.outcome is Outcome.NOT_SENT:
                # It may have failed because the pool was closed while it waited.
                self.session.check_open(state.operation)
            raise failed(state, request.url, error) from error
        finally:
            self.requests_sent += state.outcome is not Outcome.NOT_SENT
        response = response or exchange.refusal
        if response is None:
            # The other connections that were last heard of before may be as deaf as this one.
            if state.is_reused and attempt_timeout is not None:
                state.max_idle = min(attempt_timeout, state.max_idle or math.inf)
            state.is_reused = False  # a connection that is silent is not stale
            raise lost(state, request.url, f"it took over attempt_timeout, {attempt_timeout:g} s")
        return response

    async def aclose(self) -> None:
        """Close the pool; a client that was given is its owner's to close.

        Raises:
            TransportError: The pool or the given transport could not be closed in order.
        """
        try:
            with anyio.fail_after(UNWINDING, shield=True):
                await self.session.aclose()
        except Exception as error:
            raise TransportError(
                f"the connections could not be closed in order ({type(error).__name__}). "
                "They are given up, and nothing more is sent.",
                outcome=Outcome.NOT_SENT,
            ) from error

    def bind_to_loop(
        self, operation: str = "", *, to_close: bool = False
    ) -> AnyClock | AsyncioClock:
        """Bind the connections to the running event loop and process, and return its clock.

        Raises:
            ConfigurationError: They are in use in another event loop, or were given and used
                before a fork.
        """
        if self._clock is not None and self._clock.is_here():
            return self._clock
        if self._home is not None:
            self._leave(*self._home, operation, to_close)
        self._home = home()
        self._throttle = Throttle(self.session.max_connections)
        self._clock = clock_here()
        self.session.bind_to_loop(is_asyncio=isinstance(self._clock, AsyncioClock))
        return self._clock

    def _leave(self, event_loop: object, process: int, operation: str, to_close: bool) -> None:
        is_forked = process != forks()
        if not is_forked and is_running(event_loop):
            raise ConfigurationError(
                "this client is in use in another event loop, which still runs, and its "
                "connections belong to that one. Nothing was sent. Make a client for each event "
                "loop.",
                operation=operation,
            )
        self.lifetime.forget_calls()
        if is_forked:
            self.session.leave_parent(operation, to_close=to_close)

    def __del__(self) -> None:
        session = getattr(self, "session", None)
        if session is None or not session.has_sockets or sys.is_finalizing():
            return
        if self._home is not None and self._home[1] == forks():
            warnings.warn(
                f"An AsyncWebRtcClient was never closed: use `async with`, or await its aclose(). "
                f"It was made at {self._made_at}.",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )
