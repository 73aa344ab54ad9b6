"""The `httpx.AsyncClient` behind a client, and how each request goes through it."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final, cast

import anyio
import httpx

from webrtc_async._protocol.wire import WireRequest, WireResponse
from webrtc_async._tasks.background_tasks import BackgroundTasks
from webrtc_async._tasks.slot import Slot
from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async._transport.exchange import Exchange
from webrtc_async._transport.http1.response_head import parsed_head
from webrtc_async._transport.http1.transport import HAS_POLL, PooledTransport
from webrtc_async._transport.http_library import HttpClient, HttpTransport, Library
from webrtc_async._transport.library_response import LibraryResponse, head_of
from webrtc_async._transport.library_transport import LibraryTransport
from webrtc_async._transport.originals import is_client_original, is_transport_original
from webrtc_async._transport.orphaned_request import OnCallerCancelled, run_in_task
from webrtc_async._transport.tracer import Tracer
from webrtc_async.errors import ConfigurationError
from webrtc_async.errors.outcome import Stage

KEEP_ALIVE: Final = 20.0
"""Seconds that an idle connection is kept, well below the 60 s after which gateways drop theirs."""


class HttpSession:
    """The `httpx.AsyncClient` behind a client, given or made here.

    Args:
        library: The HTTP library.
        http_client: The user's client; None to make one.
        transport: The user's transport for a client made here; None to make one.
        is_library_named: True if the user named the HTTP library, which then serves alone.
        max_connections: Connections, at most.
        tls: The keyword argument `verify` of an HTTP library, or nothing.
        proxy: The user's proxy.
        trust_env: True if the environment's proxies and certificates count.
        background_tasks: Starts the tasks of requests that may outlive their callers.
        check_open: Raises if the client was closed.

    Attributes:
        client: The `httpx.AsyncClient`, or httpx2's under the same type.
        is_given: True if the user gave the client or its transport, which report no progress.
    """

    def __init__(
        self,
        *,
        library: Library,
        http_client: HttpClient | None,
        transport: HttpTransport | None,
        is_library_named: bool,
        max_connections: int,
        tls: dict[str, Any],
        proxy: str | None,
        trust_env: bool,
        background_tasks: BackgroundTasks,
        check_open: Callable[[str], None],
    ) -> None:
        self.library = library
        self.is_given = http_client is not None or transport is not None
        self._is_borrowed = http_client is not None
        self._max_connections = max_connections
        self._background_tasks = background_tasks
        self._check_open = check_open
        self._limiter: anyio.CapacityLimiter
        self._is_asyncio: bool | None = None
        self._pooled: PooledTransport | None = None
        self._transports: list[PooledTransport | LibraryTransport] = []
        if http_client is not None:
            # Of either library, under the types of one: see Library.
            self.client = cast("httpx.AsyncClient", http_client)
            return
        mounts: dict[str, httpx.AsyncBaseTransport | None] = {}
        chosen = cast("httpx.AsyncBaseTransport | None", transport)
        if chosen is None:
            proxies: dict[str, str | None] = {}
            if proxy is not None:
                proxies = {"all://": proxy}
            elif trust_env:
                proxies = library.environment_proxies()
            settings = {"trust_env": trust_env, **tls}
            for pattern, url in proxies.items():
                mounts[pattern] = self._library_transport(proxy=url, **settings) if url else None
            if is_library_named or any(mounts.values()):
                chosen = self._library_transport(**settings)
            else:
                chosen = self._pooled = PooledTransport(
                    max_connections=max_connections,
                    keep_alive=KEEP_ALIVE,
                    ssl_context=tls.get("verify"),
                    trust_env=trust_env,
                )
                self._transports.append(self._pooled)
        # No timeout: the deadline bounds everything, queue and body included.
        self.client = library.client(
            transport=chosen, mounts=mounts, timeout=None, cookies=CookieJar(_NoCookies())
        )
        if self._pooled is not None:
            # The own pool sends no header but the request's and the user's.
            self.client.headers.clear()
        # Hooks and mounts are changed in place, so the copies of their dictionaries are compared.
        self._as_made = {
            name: deepcopy(value) if isinstance(value, dict) else value
            for name, value in vars(self.client).items()
            if self._pooled is not None
        } | {"_state": None}

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

        Args:
            exchange: The request.
            attempt_timeout: Seconds that the exchange may take once it has a connection.
            connect_timeout: Seconds to connect.
            on_caller_cancelled: Gets the request if the caller is cancelled after sending.
        """
        if self._pooled is not None and self._is_untouched(self._pooled):
            request, state = exchange.request, exchange.state
            try:
                reply = await self._pooled.send(request, state, attempt_timeout, connect_timeout)
                return await exchange.read(reply, on_caller_cancelled)
            except httpx.ReadTimeout:
                return None
            except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                raise _unbuildable(state, error) from error
        work = partial(self._send_by_client, exchange, attempt_timeout, connect_timeout)
        if on_caller_cancelled is None:
            return await work()
        return await run_in_task(work, exchange.state, self._background_tasks, on_caller_cancelled)

    def _is_untouched(self, pooled: PooledTransport) -> bool:
        """Return True if no hook, setting or replaced method could see a request."""
        client = self.client
        return (
            self._is_asyncio is True
            and HAS_POLL
            and {**vars(client), "_state": None} == self._as_made
            and not client.headers
            and not client.cookies
            and "handle_async_request" not in vars(pooled)
            and PooledTransport.handle_async_request is _OWN_METHOD
            and is_client_original(type(client))
            and is_transport_original()
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
        self._limiter = anyio.CapacityLimiter(self._max_connections)
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
        state = exchange.state
        # The limiter is here because httpx's pool loses connections for good if requests that wait
        # in it are cancelled (encode/httpcore#1093). The exchange holds the slot, not the task:
        # hooks in the task may make calls of their own.
        async with Slot(self._limiter, exchange):
            self._check_open(state.operation)
            built = self._built(exchange, connect_timeout)
            # A transport made here reports every byte; of a given one nothing is known.
            state.stage, state.is_traced = Stage.CONNECTING, not self.is_given
            with anyio.move_on_after(attempt_timeout):
                response = await self._response_to(built, exchange)
                try:
                    exchange.see_head(head_of(response))
                    return await exchange.read(LibraryResponse(response, self.library))
                finally:
                    await response.aclose()
        return None

    def _built(self, exchange: Exchange, connect_timeout: float | None) -> httpx.Request:
        client, library = self.client, self.library
        request = exchange.request
        # The service's responses are small, and what is not compressed cannot swell.
        headers = {"Accept-Encoding": "identity", **request.headers}
        if request.authorization:
            headers["Authorization"] = request.authorization
        is_timeout_ours = not self._is_borrowed and client.timeout == library.timeout(None)
        own_timeout = library.timeout(None, connect=connect_timeout)
        try:
            return client.build_request(
                request.method,
                request.url,
                headers=headers,
                content=request.content or None,
                timeout=own_timeout if is_timeout_ours else library.client_default,
                extensions={
                    "trace": Tracer(
                        exchange.state,
                        lambda status, raw: exchange.see_head(parsed_head(status, b"", list(raw))),
                    )
                },
            )
        except Exception as error:
            raise _unbuildable(exchange.state, error) from error

    async def _response_to(self, built: httpx.Request, exchange: Exchange) -> httpx.Response:
        request: WireRequest = exchange.request
        is_authorized = request.authorization or "Authorization" in request.headers
        try:
            return await self.client.send(
                built,
                stream=True,
                follow_redirects=False,
                auth=None if is_authorized else self.library.client_default,
            )
        except Exception as error:
            # A user's hook may have seen the response and raised, as raise_for_status does.
            response = getattr(error, "response", None)
            if isinstance(response, self.library.response):
                exchange.see_head(head_of(response))
            raise

    def _library_transport(self, **settings: Any) -> LibraryTransport:
        limits = self.library.limits(
            max_connections=self._max_connections,
            max_keepalive_connections=self._max_connections,
            keepalive_expiry=KEEP_ALIVE,
        )
        transport = LibraryTransport(partial(self.library.open_transport, limits, settings))
        self._transports.append(transport)
        return transport


class _NoCookies(DefaultCookiePolicy):
    """A policy that keeps no cookie of a response, and sends those that the user has set.

    One that no header can carry would end every later call.
    """

    def set_ok(self, cookie: object, request: object) -> bool:
        return False


_OWN_METHOD: Final = PooledTransport.handle_async_request


def _unbuildable(state: AttemptState, error: Exception) -> ConfigurationError:
    return ConfigurationError(
        f"the HTTP client cannot build the request ({type(error).__name__}). Nothing was sent. "
        "Check base_url, headers, and the http_client with its cookies.",
        operation=state.operation,
    )
