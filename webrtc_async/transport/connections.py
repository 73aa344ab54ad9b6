"""A pooled HTTP client behind a limiter.

The limiter stands there because httpx 0.28's pool is lost for good when calls that wait inside it
are cancelled (encode/httpcore#1093).
"""

import ssl
from typing import Any, Final

import anyio
import httpx
from anyio.lowlevel import current_token

from webrtc_async.errors import (
    ClientClosedError,
    ConfigurationError,
    TransportError,
    WebRtcError,
)
from webrtc_async.outcome import Outcome, Progress, Stage
from webrtc_async.settings import check_count, check_kind, check_url
from webrtc_async.transport.exchange import Exchange
from webrtc_async.transport.failure import failed, lost
from webrtc_async.wire import WireRequest, WireResponse

HttpClient = httpx.AsyncClient
HttpTransport = httpx.AsyncBaseTransport

LIBRARY: Final = f"httpx/{httpx.__version__}"
"""The HTTP library, as the User-Agent names it."""

KEEP_ALIVE: Final = 20.0
"""Seconds an idle connection is kept, well below the 60 s after which gateways drop theirs."""


class Connections:
    """A pooled HTTP client behind a limiter, opened by its first exchange."""

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
    ) -> None:
        if http_client is not None and (transport or proxy or ssl_context):
            raise ConfigurationError(
                "An http_client brings its own transport, proxy and ssl_context: give it alone."
            )
        if transport is not None and (proxy or ssl_context):
            raise ConfigurationError("A transport brings its own proxy and ssl_context.")
        check_kind("http_client", http_client, HttpClient)
        check_kind("transport", transport, HttpTransport)
        check_kind("ssl_context", ssl_context, ssl.SSLContext)
        check_count("max_connections", max_connections)
        check_count("max_response_bytes", max_response_bytes)
        if proxy is not None:
            _check_proxy(proxy)
        self.max_connections = max_connections
        self.max_response_bytes = max_response_bytes
        self.is_closed = False
        self.requests_sent = 0
        self._given_client = http_client
        self._settings: dict[str, Any] = {"transport": transport, "trust_env": trust_env}
        if proxy is not None:
            self._settings["proxy"] = proxy
        if ssl_context is not None:
            self._settings["verify"] = ssl_context
        self._http = http_client
        self._limiter: anyio.CapacityLimiter | None = None
        self._event_loop: object = None

    def check_open(self, operation: str = "") -> None:
        """Refuse to go on with a closed client.

        Raises:
            ClientClosedError: It was closed here, or its owner closed the http_client.
        """
        if self.is_closed:
            raise ClientClosedError(
                "this client is closed, and a closed client is not reopened: make a new one.",
                operation=operation,
            )
        if self._given_client is not None and self._given_client.is_closed:
            raise ClientClosedError(
                "the http_client that this client was given is closed.", operation=operation
            )

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
        http, limiter = self._opened(progress.operation)
        progress.begin(Stage.QUEUED)
        under_way = Exchange(request, progress, self.max_response_bytes)
        # On behalf of the exchange and not of its task, whose hooks may make calls of their own.
        async with _Place(limiter, under_way):
            self.check_open(progress.operation)
            progress.stage = Stage.CONNECTING
            is_own = self._given_client is None
            built = under_way.build(http, is_own=is_own, connect_timeout=connect_timeout)
            self.requests_sent += 1
            try:
                with anyio.move_on_after(longest):
                    return await under_way.send(http, built)
            except Exception as error:
                if (refusal := under_way.refusal) is not None:
                    return refusal
                if isinstance(error, WebRtcError):
                    raise
                raise failed(progress, request.target, error) from error
        if (refusal := under_way.refusal) is not None:
            return refusal
        raise lost(progress, request.target, f"it took over attempt_timeout, {longest:g} s")

    async def aclose(self) -> None:
        """Close the pool; a client that was given stays its owner's to close.

        Raises:
            TransportError: The pool or the given transport could not be closed in order.
        """
        if self.is_closed:
            return
        self.is_closed = True
        # A given transport is closed even when no exchange has put a client over it.
        own, self._http = self._http or self._settings["transport"], None
        if own is None or own is self._given_client:
            return
        try:
            with anyio.CancelScope(shield=True):
                await own.aclose()
        except Exception as error:
            raise TransportError(
                f"the connections could not be closed in order ({type(error).__name__}); they are "
                "given up.",
                outcome=Outcome.NOT_SENT,
            ) from error

    def _opened(self, operation: str) -> tuple[HttpClient, anyio.CapacityLimiter]:
        event_loop = current_token()
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self.max_connections)
            self._event_loop = event_loop
        elif event_loop != self._event_loop:
            raise ConfigurationError(
                "this client was first used in another event loop, and its connections belong to "
                "that one: make a client for each event loop.",
                operation=operation,
            )
        if self._http is None:
            self._http = self._own_client()
        return self._http, self._limiter

    def _own_client(self) -> HttpClient:
        limits = httpx.Limits(
            max_connections=self.max_connections,
            max_keepalive_connections=self.max_connections,
            keepalive_expiry=KEEP_ALIVE,
        )
        try:
            # No timeout, because the deadline bounds everything, queue and body included.
            return httpx.AsyncClient(timeout=None, limits=limits, **self._settings)  # noqa: S113
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise ConfigurationError(
                f"The environment's proxy settings cannot be used: {type(error).__name__}."
            ) from error


class _Place:
    """A place of a limiter, held by an object."""

    def __init__(self, limiter: anyio.CapacityLimiter, holder: object) -> None:
        self._limiter = limiter
        self._holder = holder

    async def __aenter__(self) -> None:
        await self._limiter.acquire_on_behalf_of(self._holder)

    async def __aexit__(self, *_: object) -> None:
        self._limiter.release_on_behalf_of(self._holder)


def _check_proxy(proxy: object) -> None:
    # The value is not shown, because a proxy's URL may hold its password, and here it may.
    if isinstance(proxy, str):
        scheme, separator, rest = proxy.partition("://")
        check_url(f"{scheme}{separator}{rest.rpartition('@')[2]}", "proxy")
    check_kind("proxy", proxy, str)
