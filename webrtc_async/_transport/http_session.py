"""The `httpx.AsyncClient` behind a client, and how each request goes through it."""

import math
import ssl
from copy import copy
from functools import partial
from http.cookiejar import Cookie, CookieJar
from typing import Any, Final, cast

import anyio
import httpx

from webrtc_async._config.validation import check_count, check_kind, check_proxy, check_seconds
from webrtc_async._protocol.wire import WireResponse
from webrtc_async._tasks.background_tasks import BackgroundTasks
from webrtc_async._tasks.slot import Slot
from webrtc_async._transport.exchange import Exchange
from webrtc_async._transport.http1.transport import HAS_POLL, PooledTransport
from webrtc_async._transport.http_library import (
    HttpClient,
    HttpTransport,
    LibraryName,
    LibraryTransport,
    choose_library,
    token_url_of,
)
from webrtc_async._transport.library_exchange import (
    LibraryResponse,
    build_request,
    head_of,
    send_request,
    unbuildable,
)
from webrtc_async._transport.lifetime import Lifetime
from webrtc_async._transport.originals import is_client_original, is_transport_original
from webrtc_async._transport.orphaned_request import OnCallerCancelled, run_in_task
from webrtc_async._transport.proxies import Proxies, ProxyTransport
from webrtc_async._transport.tls_settings import TlsSettings
from webrtc_async.errors import ClientClosedError, ConfigurationError
from webrtc_async.errors.outcome import Stage

KEEP_ALIVE: Final = 20.0
"""Seconds that an idle connection is kept, well below the 60 s after which gateways drop theirs."""


class HttpSession:
    """The `httpx.AsyncClient` behind a client, given or made here.

    Attributes:
        client: The `httpx.AsyncClient`, or httpx2's under the same type.
        library: Its library.
        is_given: True if the user gave the client or its transport, which report no progress.
        lifetime: Open, closing or closed.
        max_connections: Connections, at most.
        token_url: URL for credentials that name none.
    """

    def __init__(
        self,
        *,
        max_connections: int,
        background_tasks: BackgroundTasks,
        http_client: HttpClient | None = None,
        transport: HttpTransport | None = None,
        http_library: LibraryName | None = None,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        max_connection_age: float = math.inf,
        base_url: str = "",
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
        if proxy is not None:
            check_proxy(proxy)
        check_seconds("max_connection_age", max_connection_age)
        self.is_given = http_client is not None or transport is not None
        self.lifetime = Lifetime()
        self.max_connections = max_connections
        self.token_url = token_url_of(transport)
        self._is_borrowed = http_client is not None
        self._background_tasks = background_tasks
        self._limiter: anyio.CapacityLimiter
        self._is_asyncio: bool | None = None
        self._pooled: PooledTransport | None = None
        self._tls = TlsSettings(ssl_context, self.library.create_ssl_context)
        self._proxies = Proxies.of_environment() if proxy is None else Proxies({"all": proxy})
        self._transports: list[PooledTransport | LibraryTransport] = []
        if http_client is not None:
            # Of either library, under the types of one: see Library.
            self.client = cast("httpx.AsyncClient", http_client)
            return
        mounts: dict[str, httpx.AsyncBaseTransport | None] = {}
        chosen = cast("httpx.AsyncBaseTransport | None", transport)
        if chosen is None:
            if http_library is None and self._proxies.proxy_for(base_url) is None:
                chosen = self._pooled = PooledTransport(
                    max_connections=max_connections,
                    keep_alive=KEEP_ALIVE,
                    max_age=max_connection_age,
                    tls=self._tls,
                )
                self._transports.append(chosen)
            else:
                chosen = self._library_transport()
            if self._proxies.by_scheme:
                mounts["all://"] = ProxyTransport(self._proxies, chosen, self._library_transport)
        # No timeout: the deadline bounds everything, queue and body included.
        self._cookies = _UserCookies()
        self.client = self.library.client(
            transport=chosen, mounts=mounts, timeout=None, cookies=self._cookies
        )
        if self._pooled is not None:
            # The own pool sends no header but the request's and the user's.
            self.client.headers.clear()
            # Hooks and mounts are changed in place, so copies of them are compared.
            self._as_made: dict[str, Any] = vars(self.client) | {
                "_mounts": copy(vars(self.client)["_mounts"]),
                "_event_hooks": {each: [*hooks] for each, hooks in self.client.event_hooks.items()},
            }

    def check_open(self, operation: str = "") -> None:
        """Refuse to go on with a closed client.

        Raises:
            ClientClosedError: It was closed here, or somebody closed its http_client.
        """
        if self.lifetime.is_over:
            self.lifetime.check_not_ending(operation)
        if self.client.is_closed:
            raise ClientClosedError(
                "the http_client of this client is closed. Nothing was sent. Make a new client.",
                operation=operation,
            )

    async def send(
        self,
        exchange: Exchange,
        attempt_timeout: float | None,
        connect_timeout: float | None,
        on_caller_cancelled: OnCallerCancelled | None,
    ) -> WireResponse | None:
        """Send a request and return the response, or None if that takes too long.

        Here, and nowhere else, is decided between the two ways to the server: straight over the
        own pool if the `httpx.AsyncClient` is exactly as it was made, and its `send` otherwise.
        """
        request, state = exchange.request, exchange.state
        if (
            self._pooled is not None
            and (bool(request.base_url) or self._needs_no_proxy(request.target))
            and self._is_untouched(self._pooled)
        ):
            try:
                reply = await self._pooled.send(request, state, attempt_timeout, connect_timeout)
                return await exchange.read(reply, on_caller_cancelled)
            except httpx.ReadTimeout:
                return None
            except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                raise unbuildable(state, error) from error
        work = partial(self._send_by_client, exchange, attempt_timeout, connect_timeout)
        if on_caller_cancelled is None:
            return await work()
        return await run_in_task(work, state, self._background_tasks, on_caller_cancelled)

    def _needs_no_proxy(self, url: str) -> bool:
        """Return True for a URL outside the base URL, such as a token's, that needs no proxy."""
        return not self._proxies.by_scheme or self._proxies.proxy_for(url) is None

    def _is_untouched(self, pooled: PooledTransport) -> bool:
        """Return True if no hook, setting or replaced method could see a request."""
        client, made = self.client, self._as_made
        now = vars(client)
        made["_state"] = now["_state"]  # a closed client was refused before
        return (
            self._is_asyncio is True
            and HAS_POLL
            and now == made
            and not client.headers
            and self._cookies.is_empty
            and "handle_async_request" not in vars(pooled)
            and PooledTransport.handle_async_request is _OWN_METHOD
            and is_client_original(type(client))
        )

    @property
    def transport_name(self) -> str:
        """The transport that would serve a request now; completes "over ..."."""
        if self.is_given:
            return "the http_client or transport that was given"
        is_own = self._pooled is not None and self._is_asyncio is not False
        if is_own and HAS_POLL and is_transport_original():
            return "its own HTTP/1.1 transport"
        return self.library.name

    @property
    def has_sockets(self) -> bool:
        """True if a transport made here may have open connections."""
        return any(transport.is_open for transport in self._transports)

    def bind_to_loop(self, *, is_asyncio: bool) -> None:
        """Begin in the running event loop and process."""
        self._is_asyncio = is_asyncio
        self._limiter = anyio.CapacityLimiter(self.max_connections)
        if is_asyncio and HAS_POLL and self._pooled is not None:
            self._pooled.bind_to_loop()

    def leave_parent(self, operation: str, *, to_close: bool) -> None:
        """Leave the parent process of a fork what belongs to it.

        Raises:
            ConfigurationError: The client or transport was given and used before the fork.
        """
        if not self.is_given:
            return
        if not to_close:
            raise ConfigurationError(
                "this client was used before the process was forked, and the http_client or "
                "transport that it was given may share sockets with the parent. Nothing was sent. "
                "Make a client in the child.",
                operation=operation,
            )
        self._is_borrowed = True

    async def aclose(self) -> None:
        """Close the client and its transports, a given transport included, a given client not."""
        if self._is_borrowed:
            return
        await self.client.aclose()
        # The user may have put another transport into the client's place for it.
        for transport in self._transports:
            await transport.aclose()

    async def _send_by_client(
        self, exchange: Exchange, attempt_timeout: float | None, connect_timeout: float | None
    ) -> WireResponse | None:
        client, library, state = self.client, self.library, exchange.state
        # The limiter is here because httpx's pool loses connections for good if requests that wait
        # in it are cancelled (encode/httpcore#1093). The exchange holds the slot, not the task:
        # hooks in the task may make calls of their own.
        async with Slot(self._limiter, exchange):
            self.check_open(state.operation)
            timeout = library.client_default
            if not self._is_borrowed and client.timeout == library.timeout(None):
                timeout = library.timeout(None, connect=connect_timeout)
            built = build_request(client, exchange, timeout)
            # A transport made here reports every byte; of a given one nothing is known.
            state.stage, state.is_traced = Stage.CONNECTING, not self.is_given
            with anyio.move_on_after(attempt_timeout):
                response = await send_request(client, library, built, exchange)
                try:
                    exchange.see_head(head_of(response))
                    return await exchange.read(LibraryResponse(response, library))
                finally:
                    await response.aclose()
        return None

    def _library_transport(self, proxy: str | None = None) -> LibraryTransport:
        limits = self.library.limits(
            max_connections=self.max_connections,
            max_keepalive_connections=self.max_connections,
            keepalive_expiry=KEEP_ALIVE,
        )
        open_transport = partial(self.library.open_transport, limits, self._tls, proxy)
        transport = LibraryTransport(open_transport, self._tls)
        self._transports.append(transport)
        return transport


class _UserCookies(CookieJar):
    """The cookies that the user sets; those of responses are not kept.

    One that no header can carry would end every later call.
    """

    is_empty = True

    def set_cookie(self, cookie: Cookie) -> None:
        self.is_empty = False
        super().set_cookie(cookie)

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Keep none."""


_OWN_METHOD: Final = PooledTransport.handle_async_request
