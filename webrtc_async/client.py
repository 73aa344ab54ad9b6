"""`AsyncWebRtcClient`: settings, lifetime, and the two doors to every operation."""

import logging
import os
import ssl
from collections.abc import Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self, TypeVar, Unpack

from webrtc_async._auth.environment import (
    PRODUCTION,
    account_from_env,
    auth_from_env,
    base_url_from_env,
)
from webrtc_async._auth.schemes import Auth, as_auth
from webrtc_async._call.api_response import ApiResponse
from webrtc_async._call.attempts import Call
from webrtc_async._call.call_context import CallContext
from webrtc_async._call.create_call import CreateCall
from webrtc_async._call.observer import Observer, check_observers, watch_over
from webrtc_async._call.options import ClientSettings, Options, merged_headers, standard_headers
from webrtc_async._call.retry import RetryPolicy
from webrtc_async._call.retry_quota import RetryQuota
from webrtc_async._conference_methods import ConferenceMethods
from webrtc_async._config.validation import (
    check_base_url,
    check_headers,
    check_kind,
    check_seconds,
    is_loopback,
)
from webrtc_async._protocol.route import ACCOUNT, Route, check_route
from webrtc_async._protocol.wire import write_request
from webrtc_async._tasks.background_tasks import BackgroundTasks
from webrtc_async._tasks.background_work import BackgroundWork
from webrtc_async._transport import Connections, HttpClient, HttpTransport, LibraryName
from webrtc_async._transport.rate_limiter import RateLimiter
from webrtc_async.errors import ConfigurationError, InvalidArgumentError

if TYPE_CHECKING:
    import httpx

BodyT = TypeVar("BodyT")
ResultT = TypeVar("ResultT")

_LOG: Final = logging.getLogger("webrtc_async")


class AsyncWebRtcClient(ConferenceMethods):
    """A client for one account, around a pool of connections.

    Enter it with `async with`, or call it as it is and `aclose()` it at the end. It opens its pool
    with the first call; entered several times, it closes with the last exit; closed, it stays so.

    Args:
        account_id: The Bandwidth account.
        auth: `("username", "password")`, `BasicAuth`, `BearerAuth` or `OAuth2ClientCredentials`.
            Only beside an http_client that has an auth of its own may it be left out.
        base_url: Where the service is.
        deadline: Seconds that a call may take in all: queue, token, attempts, pauses and body;
            `math.inf` for no bound.
        retry: What is repeated, how often and after which pause.
        max_connections: Most requests at a time; further calls wait their turn.
        headers: Sent with every request, besides the client's own.
        http_client: An `AsyncClient` of httpx or httpx2 to use instead of an own one, with its
            hooks, auth and transport; it is never closed here.
        transport: A transport of httpx or httpx2 under an own client, such as `EmulatorTransport`;
            it is closed with the client.
        http_library: "httpx" or "httpx2", which needs the extra of that name, for all of HTTP. Left
            out, it is the library of the http_client or the transport; where neither is given, a
            transport of this package's serves where it can, and httpx elsewhere: see `repr`.
        proxy: URL of an HTTP proxy. Without it the environment's proxies are used, but never for a
            loopback base_url.
        ssl_context: For a private CA or a client certificate.
        max_response_bytes: Longest answer that is read, decoded.
        observers: Told of every call and attempt, such as `OpenTelemetryObserver()`.
        retry_quota: Bounds what is repeated by all calls together; clients may share one.
        rate_limiter: Says when each request may be sent; clients may share one.
        create_grace: Seconds that a create which was sent is followed after its caller was
            cancelled or its deadline passed, so that what it made is deleted when the answer comes
            after all; a quarter of max_connections at most are followed. 0 follows none.
        close_grace: Seconds that closing waits for the calls under way, which fail then.

    Raises:
        ConfigurationError: A setting cannot work; the error names it.
    """

    def __init__(
        self,
        account_id: str,
        *,
        auth: Auth | tuple[str, str] | None = None,
        base_url: str = PRODUCTION,
        deadline: float = 30.0,
        retry: RetryPolicy | None = None,
        max_connections: int = 32,
        headers: Mapping[str, str] | None = None,
        http_client: HttpClient | None = None,
        transport: HttpTransport | None = None,
        http_library: LibraryName | None = None,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        max_response_bytes: int = 4 * 1024 * 1024,
        observers: Iterable[Observer] = (),
        retry_quota: RetryQuota | None = None,
        rate_limiter: RateLimiter | None = None,
        create_grace: float = 2.0,
        close_grace: float = 5.0,
    ) -> None:
        if auth is None and getattr(http_client, "auth", None) is None:
            raise ConfigurationError(
                'auth is missing: give ("username", "password"), OAuth2ClientCredentials(...), or '
                "an http_client with an auth= of its own; an Authorization among its headers is "
                "not one."
            )
        self._base_url = check_base_url(base_url)
        self._observers = check_observers(observers)
        self._connections = Connections(
            max_connections=max_connections,
            max_response_bytes=max_response_bytes,
            http_client=http_client,
            transport=transport,
            http_library=http_library,
            proxy=proxy,
            ssl_context=ssl_context,
            trust_env=not is_loopback(self._base_url),
            background_tasks=(background_tasks := BackgroundTasks()),
        )
        self._options = Options(
            account_id=account_id,
            deadline=deadline,
            retry=RetryPolicy() if retry is None else retry,
            headers=merged_headers(
                standard_headers(str(self._connections.library)),
                check_headers({} if headers is None else headers),
            ),
        )
        check_seconds("close_grace", close_grace, from_zero=True)
        check_seconds("create_grace", create_grace, from_zero=True)
        check_kind("retry_quota", retry_quota, RetryQuota)
        check_kind("rate_limiter", rate_limiter, RateLimiter)
        self._close_grace = close_grace
        self._context = CallContext(
            base_url=self._base_url,
            auth=None if auth is None else as_auth(auth),
            connections=self._connections,
            background_tasks=background_tasks,
            quota=RetryQuota() if retry_quota is None else retry_quota,
            rate_limiter=rate_limiter,
            create_grace=create_grace,
        )
        self._background_work = BackgroundWork(background_tasks, max_connections)
        self._is_view, self._entered = False, 0

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str] | None = None, **settings: Unpack[ClientSettings]
    ) -> Self:
        """Make a client from environment variables.

        `BW_ACCOUNT_ID`; `BW_CLIENT_ID` and `BW_CLIENT_SECRET`, or `BW_USERNAME` and `BW_PASSWORD`;
        and `BW_WEBRTC_BASE_URL` and `BW_TOKEN_URL` if the service is not the public one.

        Args:
            environ: Where to read them, if not in `os.environ`.
            settings: The client's other settings; a base_url goes before the variable.

        Raises:
            ConfigurationError: A variable is missing or cannot be used; the error names it.
        """
        given = os.environ if environ is None else environ  # help() shows what defaults hold
        account_id, auth = account_from_env(given), auth_from_env(given)
        if "base_url" not in settings:
            settings["base_url"] = base_url_from_env(given)
        return cls(account_id, auth=auth, **settings)

    def with_options(
        self,
        *,
        account_id: str | None = None,
        deadline: float | None = None,
        retry: RetryPolicy | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "AsyncWebRtcClient":
        """Return a view of this client that differs in these options and shares its connections.

        A view is cheap. It ends with the client it is of: closing a view closes nothing.

        Args:
            account_id: Another account of the same credentials.
            deadline: Seconds.
            retry: Another policy.
            headers: Sent besides those of this client; the same name replaces.

        Raises:
            ConfigurationError: An option cannot work.
        """
        view: AsyncWebRtcClient = object.__new__(type(self))
        vars(view).update(vars(self))
        view._is_view = True
        own = self._options
        view._options = Options(
            account_id=own.account_id if account_id is None else account_id,
            deadline=own.deadline if deadline is None else deadline,
            retry=own.retry if retry is None else retry,
            headers=merged_headers(
                own.headers.plain, check_headers({} if headers is None else headers)
            ),
        )
        return view

    async def request(
        self, route: Route[BodyT, ResultT], body: BodyT | None = None, **path_values: str
    ) -> ApiResponse[ResultT]:
        """Call any row of the route table, and return its result with what came along.

        Args:
            route: The row, such as `route_table.GET_SESSION`.
            body: The route's model.
            path_values: The ids in its path, by name, without the account's.

        Raises:
            WebRtcError: As the operation's own method does.
        """
        call = self._call(route, path_values, body)
        return call.described(await call.perform())

    def call(
        self, route: Route[BodyT, ResultT], path_values: Mapping[str, object], body: BodyT | None
    ) -> Coroutine[Any, Any, ResultT]:
        """Carry out an endpoint's call; `request` is the door for callers."""
        return self._call(route, path_values, body).perform()

    def _call(
        self, route: Route[BodyT, ResultT], path_values: Mapping[str, object], body: BodyT | None
    ) -> Call[ResultT]:
        check_route(route)
        self._connections.check_not_ending(route.operation)
        options = self._options
        if ACCOUNT in path_values:
            raise InvalidArgumentError(
                "The account is the client's: use with_options(account_id=...) for another one.",
                operation=route.operation,
            )
        values = {**path_values, ACCOUNT: options.account_id}
        request = write_request(route, self._base_url, values, body, options.headers)
        watch = watch_over(route, self._base_url, self._observers)
        kind: Any = CreateCall if route.creates else Call
        tag = getattr(body, "tag", None)
        call: Call[ResultT] = kind(
            route, request, values, self._context, options.retry, options.deadline, watch, tag
        )
        return call

    @property
    def account_id(self) -> str:
        """The account whose sessions and participants these are."""
        return self._options.account_id

    @property
    def http_client(self) -> "httpx.AsyncClient":
        """The `httpx.AsyncClient` that sends the requests, given or made here; views share it.

        Its `event_hooks` and settings may be changed at any time and count from the next request.
        A client that was made here is closed with this one. One of httpx2 has the same methods.
        """
        return self._connections.session.client

    @property
    def requests_sent(self) -> int:
        """The number of requests that this client and its views have sent, retries included."""
        return self._connections.requests_sent

    @property
    def background_tasks(self) -> BackgroundTasks:
        """Starts work in tasks of the client, which `aclose` waits for; views share it."""
        return self._context.background_tasks

    async def aclose(self) -> None:
        """Wait for the calls under way, fail what close_grace does not suffice for, and close.

        Tear-downs of conferences under way get close_grace first, then calls get theirs, then
        creates that a caller left get create_grace. A second later it is over, whatever happens.

        From the beginning on no new call is taken. Calling it again waits for the first to end.

        Raises:
            ConfigurationError: The client is in use in another event loop.
        """
        if self._is_view:
            return
        # First, because tear-downs under way make calls that a closing client would refuse.
        await self._background_work.aclose(self._close_grace)
        left = await self._context.aclose(self._close_grace)
        if left:
            _LOG.warning("closed before these were done: %s", ", ".join(left))

    async def __aenter__(self) -> Self:
        self._connections.check_not_ending()
        self._entered += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self._entered -= 1
        if self._entered == 0:
            await self.aclose()

    def __repr__(self) -> str:
        state = "closed" if self._connections.is_closed else "open"
        over = self._connections.session.transport_name
        return (
            f"<AsyncWebRtcClient account {self.account_id} at {self._base_url} "
            f"over {over}, {state}>"
        )

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "A client is not pickled: it holds connections and secrets. In the other process, make "
            "one with AsyncWebRtcClient.from_env()."
        )
