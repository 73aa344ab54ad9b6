"""A pooled HTTP client behind a limiter.

The limiter stands there because httpx 0.28's pool is lost for good when calls that wait inside it
are cancelled (encode/httpcore#1093).
"""

import ssl
import sys
import warnings
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final, cast

import anyio
import httpx

from webrtc_async.errors import (
    ClientClosedError,
    ConfigurationError,
    TransportError,
    WebRtcError,
)
from webrtc_async.event_loop import current_event_loop, forks, is_running
from webrtc_async.outcome import Outcome, Progress, Stage
from webrtc_async.settings import check_count, check_kind, check_proxy
from webrtc_async.transport.clock import AnyClock, AsyncioClock, clock_here
from webrtc_async.transport.direct_exchange import DirectExchange
from webrtc_async.transport.exchange import Exchange
from webrtc_async.transport.failure import failed, lost
from webrtc_async.transport.http1_transport import Http1Transport
from webrtc_async.transport.lane import Lane, current_lane, may_be_own
from webrtc_async.transport.library import (
    HttpClient,
    HttpTransport,
    LibraryName,
    choose_library,
)
from webrtc_async.transport.lifetime import Lifetime, caller
from webrtc_async.transport.place import Place
from webrtc_async.wire import WireRequest, WireResponse

KEEP_ALIVE: Final = 20.0
"""Seconds an idle connection is kept, well below the 60 s after which gateways drop theirs."""


class Connections:
    """A pooled HTTP client behind a limiter, opened by its first exchange.

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
        self._given_client = http_client
        self._settings: dict[str, Any] = {"transport": transport, "trust_env": trust_env}
        asked_for = {"proxy": proxy, "verify": ssl_context}
        self._settings |= {name: each for name, each in asked_for.items() if each is not None}
        # Of either library, under the types of the one: see Library.
        self._http = cast("httpx.AsyncClient | None", http_client)
        self._is_given = http_client is not None or transport is not None
        self._may_be_own = may_be_own(
            is_given=self._is_given, library=http_library, proxy=proxy, trust_env=trust_env
        )
        self._own: Http1Transport | None = None
        self._clock: AnyClock | AsyncioClock | None = None
        self._limiter: anyio.CapacityLimiter
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
        if self._given_client is not None and self._given_client.is_closed:
            raise ClientClosedError(
                "the http_client that this client was given is closed.", operation=operation
            )

    def check_not_ending(self, operation: str = "") -> None:
        """Refuse a new call, as `check_open` does, also while the client is just being closed."""
        self.lifetime.check_not_ending(operation)
        self.check_open(operation)

    async def exchange(
        self,
        request: WireRequest,
        progress: Progress,
        *,
        longest: float | None = None,
        connect_timeout: float | None = None,
    ) -> WireResponse:
        """Send a request and return the answer to it.

        Args:
            request: What to send; its target is a URL.
            progress: Kept up to date, so that a failure anywhere knows how far it came.
            longest: Seconds that it may take once it has a place; None for no bound of its own.
            connect_timeout: Seconds that connecting may take; None for no bound of its own.

        Raises:
            TransportError: No complete answer came.
            UnexpectedResponseError: The body is over the limit or its encoding cannot be read.
            ClientClosedError: The client was closed.
            ConfigurationError: The HTTP client cannot be used for it.
        """
        self.check_open(progress.operation)
        self.settle(progress.operation)
        progress.begin(Stage.QUEUED)
        under_way = self._exchange(request, progress)
        # On behalf of the exchange and not of its task, whose hooks may make calls of their own.
        async with Place(self._limiter, under_way):
            self.check_open(progress.operation)
            # A pool of ours tells of every byte; of what was given, nothing is known.
            progress.stage, progress.is_traced = Stage.CONNECTING, not self._is_given
            under_way.build(connect_timeout)
            self.requests_sent += 1
            try:
                if (answer := await under_way.send_within(longest)) is not None:
                    return answer
            except Exception as error:
                if (refusal := under_way.refusal) is not None:
                    return refusal
                if isinstance(error, WebRtcError):
                    raise
                raise failed(progress, request.target, error) from error
        if (refusal := under_way.refusal) is not None:
            return refusal
        progress.is_reused = False  # a connection that says nothing is not dead
        raise lost(progress, request.target, f"it took over attempt_timeout, {longest:g} s")

    async def aclose(self) -> None:
        """Close the pool; a client that was given stays its owner's to close.

        Raises:
            TransportError: The pool or the given transport could not be closed in order.
        """
        # A given transport is closed even when no exchange has put a client over it.
        http, self._http = self._http or self._settings["transport"], None
        own, self._own = self._own, None
        try:
            with anyio.CancelScope(shield=True):
                if own is not None:
                    await own.aclose()
                if http is not None and http is not self._given_client:
                    await http.aclose()
        except Exception as error:
            raise TransportError(
                f"the connections could not be closed in order ({type(error).__name__}); they are "
                "given up.",
                outcome=Outcome.NOT_SENT,
            ) from error

    def settle(self, operation: str = "", *, to_close: bool = False) -> None:
        """Make sure that the connections belong to this event loop and process.

        Args:
            operation: For the error.
            to_close: Whether nothing will be sent here.

        Raises:
            ConfigurationError: They are in use in another event loop, or were given and used
                before a fork.
        """
        if self._clock is not None and self._clock.is_here():
            return
        if self._home is not None:
            self._leave(*self._home, operation, to_close)
        self._home, self._clock = (current_event_loop(), forks()), clock_here()
        self._limiter = anyio.CapacityLimiter(self.max_connections)

    def clock(self) -> AnyClock | AsyncioClock:
        """Return the clock of the event loop that runs."""
        at_home = self._clock is not None and self._clock.is_here()
        return self._clock if self._clock is not None and at_home else clock_here()

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
        if is_forked and (self._given_client or self._settings["transport"]) is not None:
            if not to_close:
                raise ConfigurationError(
                    "this client was used before the process was forked, and the http_client or "
                    "transport that it was given may share sockets with the parent: make a client "
                    "in the child.",
                    operation=operation,
                )
            self._settings["transport"] = None
        if self._http is not None and self._http is not self._given_client:
            if is_forked:
                # Closing, or collecting, what the parent still uses would end its connections.
                self._abandoned.append(self._http)
            self._http = None
        if self._own is not None:
            self._abandoned.append(self._own)
            self._own = None

    def _exchange(self, request: WireRequest, progress: Progress) -> Exchange | DirectExchange:
        limit = self.max_response_bytes
        if self.lane is Lane.OWN:
            if self._own is None:
                self._own = Http1Transport(
                    max_connections=self.max_connections,
                    keep_alive=KEEP_ALIVE,
                    ssl_context=self._settings.get("verify"),
                    trust_env=self._settings["trust_env"],
                )
            return DirectExchange(request, progress, limit, self._own)
        if self._http is None:
            self._http = self._own_client()
        return Exchange(
            request, progress, self.library, limit, self._http, is_own=self._given_client is None
        )

    def __del__(self) -> None:
        given = getattr(self, "_given_client", None)
        opened = [getattr(self, name, None) for name in ("_http", "_own")]
        if all(each is None or each is given for each in opened) or sys.is_finalizing():
            return
        if self._settings["transport"] is not None:
            return  # No socket is this client's own; a transport in process has nothing to close.
        if self._home is not None and self._home[1] == forks():
            warnings.warn(
                f"An AsyncWebRtcClient was never closed: use `async with`, or await its aclose(). "
                f"It was made at {self._made_at}.",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )

    def _own_client(self) -> httpx.AsyncClient:
        limits = self.library.limits(
            max_connections=self.max_connections,
            max_keepalive_connections=self.max_connections,
            keepalive_expiry=KEEP_ALIVE,
        )
        try:
            # No timeout, because the deadline bounds everything, queue and body included. No
            # cookies, because one that no header can carry would end every later call.
            cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
            return self.library.client(
                timeout=None, limits=limits, cookies=cookies, **self._settings
            )
        except (ValueError, ImportError, self.library.invalid_url) as error:
            raise ConfigurationError(
                f"The environment's proxy settings cannot be used: {type(error).__name__}."
            ) from error
