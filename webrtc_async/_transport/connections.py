"""The connections of a client: which way an exchange takes, and where and until when."""

import ssl
import sys
import warnings
from typing import TYPE_CHECKING, Any, Final

import anyio

from webrtc_async._config.validation import check_count, check_kind, check_proxy
from webrtc_async._protocol.wire import WireRequest, WireResponse
from webrtc_async._tasks.background_tasks import UNWINDING, BackgroundTasks
from webrtc_async._tasks.deadline import AnyClock, AsyncioClock, clock_here
from webrtc_async._tasks.event_loop import current_event_loop, forks, is_running
from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async._transport.direct_exchange import DirectExchange
from webrtc_async._transport.failure import failed, lost
from webrtc_async._transport.http1.transport import Http1Transport
from webrtc_async._transport.http_library import (
    HttpClient,
    HttpTransport,
    LibraryName,
    choose_library,
)
from webrtc_async._transport.lane import OWN, Lane, current_lane, may_be_own
from webrtc_async._transport.library_pool import KEEP_ALIVE, LibraryPool
from webrtc_async._transport.lifetime import Lifetime, caller
from webrtc_async._transport.orphaned_request import TakeOver
from webrtc_async._transport.rate_limiter import RateLimiter
from webrtc_async.errors import (
    ClientClosedError,
    ConfigurationError,
    TransportError,
    WebRtcError,
)
from webrtc_async.errors.outcome import Outcome, Stage

if TYPE_CHECKING:
    from webrtc_async._transport.exchange import Exchange
    from webrtc_async._transport.throttle import Throttle

_UNSENT: Final = (Stage.QUEUED, Stage.THROTTLED)


class Connections:
    """A pool of this package's or of an HTTP library's, opened by its first exchange.

    They belong to one event loop in one process. In a forked child, and after the end of their
    event loop, the next exchange opens a fresh pool.

    Attributes:
        lifetime: Until when there are any.
    """

    def __init__(
        self,
        *,
        max_connections: int,
        max_response_bytes: int,
        http_client: HttpClient | None = None,
        transport: HttpTransport | None = None,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        trust_env: bool = True,
        http_library: LibraryName | None = None,
        background_tasks: BackgroundTasks | None = None,
    ) -> None:
        if http_client is not None and (transport or proxy or ssl_context):
            raise ConfigurationError(
                "An http_client brings its own transport, proxy and ssl_context: give it alone."
            )
        if transport is not None and (proxy or ssl_context):
            raise ConfigurationError("A transport brings its own proxy and ssl_context.")
        self.library = choose_library(http_library, http_client, transport)
        check_kind("ssl_context", ssl_context, ssl.SSLContext)
        check_count("max_connections", max_connections)
        check_count("max_response_bytes", max_response_bytes)
        check_proxy(proxy)
        self.max_connections = max_connections
        self.max_response_bytes = max_response_bytes
        self.lifetime = Lifetime()
        self.requests_sent = 0
        settings: dict[str, Any] = {"transport": transport, "trust_env": trust_env}
        asked_for = {"proxy": proxy, "verify": ssl_context}
        settings |= {name: each for name, each in asked_for.items() if each is not None}
        self._pool = LibraryPool(
            library=self.library,
            given=http_client,
            settings=settings,
            max_connections=max_connections,
            background_tasks=BackgroundTasks() if background_tasks is None else background_tasks,
            check_open=self.check_open,
        )
        self._is_given = self._pool.is_given
        self._may_be_own = may_be_own(
            is_given=self._is_given, library=http_library, proxy=proxy, trust_env=trust_env
        )
        self._own: Http1Transport | None = None
        self._clock: AnyClock | AsyncioClock | None = None
        self._throttle: Throttle | None = None
        self._home: tuple[object, int] | None = None
        self._made_at = caller()
        self._abandoned: list[object] = []

    @property
    def is_closed(self) -> bool:
        """Whether nothing is sent any more."""
        return self.lifetime.is_over

    def check_open(self, operation: str = "") -> None:
        """Refuse to go on with a closed client.

        Raises:
            ClientClosedError: It was closed here, or its owner closed the http_client.
        """
        if self.lifetime.is_over:
            self.lifetime.check_not_ending(operation)
        if self._pool.given is not None and self._pool.given.is_closed:
            raise ClientClosedError(
                "the http_client that this client was given is closed.", operation=operation
            )

    def check_not_ending(self, operation: str = "") -> None:
        """Refuse a new call, as `check_open` does, also while the client is just being closed."""
        if self.lifetime.is_ending or self._is_given:
            self.lifetime.check_not_ending(operation)
            self.check_open(operation)

    async def exchange(
        self,
        request: WireRequest,
        state: AttemptState,
        *,
        longest: float | None = None,
        connect_timeout: float | None = None,
        take_over: TakeOver | None = None,
        rate_limiter: RateLimiter | None = None,
    ) -> WireResponse:
        """Send a request and return the answer to it, where `bind_to_loop` was called before.

        Args:
            request: What to send; its target is a URL.
            state: Kept up to date, so that a failure anywhere knows how far it came.
            longest: Seconds that it may take once it has a place; None for no bound of its own.
            connect_timeout: Seconds that connecting may take; None for no bound of its own.
            take_over: Is given the exchange if its caller is cancelled once the request was sent.
            rate_limiter: Says when it may be sent; None for at once.

        Raises:
            TransportError: No complete answer came.
            UnexpectedResponseError: The body is over the limit or its encoding cannot be read.
            ClientClosedError: The client was closed.
            ConfigurationError: The HTTP client cannot be used for it.
        """
        self.check_open(state.operation)
        state.begin(Stage.QUEUED)
        under_way = self._exchange(request, state)
        try:
            if rate_limiter is None:
                answer = await under_way.answer(longest, connect_timeout, take_over)
            else:
                async with self._throttled().permit(rate_limiter, state, under_way):
                    self.check_open(state.operation)
                    state.begin(Stage.QUEUED)
                    answer = await under_way.answer(longest, connect_timeout, take_over)
        except Exception as error:
            if (refusal := under_way.refusal) is not None:
                return refusal
            if isinstance(error, WebRtcError):
                raise
            if state.outcome is Outcome.NOT_SENT:
                # It may have failed because the pool was closed while it waited.
                self.check_open(state.operation)
            raise failed(state, request.url, error) from error
        finally:
            self.requests_sent += state.stage not in _UNSENT
        answer = answer or under_way.refusal
        if answer is None:
            state.is_reused = False  # a connection that says nothing is not dead
            raise lost(state, request.url, f"it took over attempt_timeout, {longest:g} s")
        return answer

    async def aclose(self) -> None:
        """Close the pool; a client that was given stays its owner's to close.

        Raises:
            TransportError: The pool or the given transport could not be closed in order.
        """
        own, self._own = self._own, None
        try:
            with anyio.fail_after(UNWINDING, shield=True):
                if own is not None:
                    await own.aclose()
                await self._pool.aclose()
        except Exception as error:
            raise TransportError(
                f"the connections could not be closed in order ({type(error).__name__}); they are "
                "given up.",
                outcome=Outcome.NOT_SENT,
            ) from error

    def bind_to_loop(
        self, operation: str = "", *, to_close: bool = False
    ) -> AnyClock | AsyncioClock:
        """Make sure that the connections belong to this event loop and process, return its clock.

        Args:
            operation: For the error.
            to_close: Whether nothing will be sent here.

        Raises:
            ConfigurationError: They are in use in another event loop, or were given and used
                before a fork.
        """
        if self._clock is not None and self._clock.is_here():
            return self._clock
        if self._home is not None:
            self._leave(*self._home, operation, to_close)
        self._home = (current_event_loop(), forks())
        self._pool.bind_to_loop()
        self._throttle = None
        self._clock = clock = clock_here()
        return clock

    @property
    def lane(self) -> Lane:
        """The way that an exchange would take now."""
        if self._is_given:
            return Lane.GIVEN
        may_be_own = self._may_be_own and not isinstance(self._clock, AnyClock)
        return current_lane() if may_be_own else Lane.HTTPX

    def _leave(self, event_loop: object, process: int, operation: str, to_close: bool) -> None:
        is_forked = process != forks()
        if not is_forked and is_running(event_loop):
            raise ConfigurationError(
                "this client is in use in another event loop, which still runs, and its "
                "connections belong to that one: make a client for each event loop.",
                operation=operation,
            )
        self.lifetime.forget_calls()
        self._pool.leave(operation, is_forked=is_forked, to_close=to_close)
        if self._own is not None:
            self._abandoned.append(self._own)
            self._own = None

    def _exchange(self, request: WireRequest, state: AttemptState) -> "Exchange | DirectExchange":
        if self.lane is not OWN:
            # Loaded by the first exchange over an HTTP library.
            from webrtc_async._transport.exchange import Exchange

            return Exchange(request, state, self.max_response_bytes, self._pool)
        if self._own is None:
            settings = self._pool.settings
            self._own = Http1Transport(
                max_connections=self.max_connections,
                keep_alive=KEEP_ALIVE,
                ssl_context=settings.get("verify"),
                trust_env=settings["trust_env"],
            )
        return DirectExchange(request, state, self.max_response_bytes, self._own)

    def _throttled(self) -> "Throttle":
        if self._throttle is None:
            # Loaded by the first exchange with a rate limiter.
            from webrtc_async._transport.throttle import Throttle

            self._throttle = Throttle(self.max_connections)
        return self._throttle

    def __del__(self) -> None:
        pool = getattr(self, "_pool", None)
        has_sockets = pool is not None and (self._own is not None or pool.has_sockets)
        if not has_sockets or sys.is_finalizing():
            return
        if self._home is not None and self._home[1] == forks():
            warnings.warn(
                f"An AsyncWebRtcClient was never closed: use `async with`, or await its aclose(). "
                f"It was made at {self._made_at}.",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )
