"""`AsyncWebRtcClient`: its settings, its lifetime, and two ways to call an operation."""

import os
import ssl
from collections.abc import Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar, Unpack

from webrtc_async._auth.from_environment import auth_from
from webrtc_async._auth.schemes import Auth, as_auth
from webrtc_async._call.api_response import ApiResponse
from webrtc_async._call.attempts import Call
from webrtc_async._call.call_context import CallContext
from webrtc_async._call.create_call import CreateCall
from webrtc_async._call.observer import Observer, check_observers, watch_over
from webrtc_async._call.options import ClientSettings, Options, merged_headers, standard_headers
from webrtc_async._call.retry_policy import RetryPolicy
from webrtc_async._call.retry_quota import RetryQuota
from webrtc_async._conference_methods import ConferenceMethods
from webrtc_async._config.environment import Environment
from webrtc_async._config.validation import check_base_url, check_seconds
from webrtc_async._protocol.hidden_frames import hide_frames, hide_init_frames
from webrtc_async._protocol.route import ACCOUNT, Route, check_route
from webrtc_async._protocol.wire import write_request
from webrtc_async._tasks.background_tasks import BackgroundTasks
from webrtc_async._tasks.background_work import BackgroundWork
from webrtc_async._transport import Connections, HttpClient, HttpSession, HttpTransport, LibraryName
from webrtc_async._transport.http_library import base_url_of
from webrtc_async._transport.rate_limiter import RateLimiter
from webrtc_async.errors import ConfigurationError, InvalidArgumentError

if TYPE_CHECKING:
    import httpx

BodyT = TypeVar("BodyT")
ResultT = TypeVar("ResultT")


@hide_init_frames
class AsyncWebRtcClient(ConferenceMethods):
    """A client for one account, over a pooled `httpx.AsyncClient`.

    Use it as an async context manager, or call `aclose()` when you are done. The pool opens with
    the first call. The last exit closes the client, and a closed client stays closed.

    Args:
        account_id: The Bandwidth account.
        auth: `OAuth2ClientCredentials`, `BearerAuth`, `BasicAuth` or `("username", "password")`.
            Optional only for an `http_client` with an auth of its own.
        base_url: The URL of the service; by default the transport's, if it has one, or Bandwidth's.
        deadline: Seconds for a whole call, from queue and token to the body; `math.inf` for none.
        retry: The failures to retry, the number of attempts and the pauses.
        max_connections: At most this many requests at a time; further calls wait.
        headers: Headers to send with every request, besides the client's own.
        http_client: Your `AsyncClient` of httpx or httpx2, with its hooks, auth and transport; you
            close it yourself.
        transport: A transport of httpx or httpx2, closed with the client; see `EmulatorTransport`.
        http_library: "httpx" or "httpx2" (an extra), to send everything through it. By default that
            of `http_client` or `transport`; else the pooled transport on asyncio, httpx elsewhere.
        proxy: URL of a proxy. By default the environment's proxies, except for this machine.
        ssl_context: TLS settings, for a private CA or a client certificate.
        max_connection_age: Seconds after which the pooled transport replaces a connection.
        max_response_bytes: The longest accepted response body, decoded.
        observers: Receivers of every call and attempt, such as `OpenTelemetryObserver()`.
        retry_quota: A limit on the retries of all calls together; clients can share one.
        rate_limiter: A limit on the rate of requests; clients can share one.
        create_grace: Seconds to wait for the response of a create whose caller was cancelled, to
            delete its resource. At most a quarter of `max_connections` wait; 0 turns it off.
        close_grace: Seconds that `aclose()` waits for running calls before it fails them.

    Raises:
        ConfigurationError: A setting is invalid; the error names it.
    """

    def __init__(
        self,
        account_id: str,
        *,
        auth: Auth | tuple[str, str] | None = None,
        base_url: str | None = None,
        deadline: float = 30.0,
        retry: RetryPolicy | None = None,
        max_connections: int = 32,
        headers: Mapping[str, str] | None = None,
        http_client: HttpClient | None = None,
        transport: HttpTransport | None = None,
        http_library: LibraryName | None = None,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        max_connection_age: float = 300.0,
        max_response_bytes: int = 4 * 1024 * 1024,
        observers: Iterable[Observer] = (),
        retry_quota: RetryQuota | None = None,
        rate_limiter: RateLimiter | None = None,
        create_grace: float = 2.0,
        close_grace: float = 5.0,
    ) -> None:
        if auth is None and getattr(http_client, "auth", None) is None:
            raise ConfigurationError(
                'auth is missing. Pass OAuth2ClientCredentials(...), ("username", "password") or '
                "an http_client with auth=; an Authorization header of it does not count."
            )
        auth = None if auth is None else as_auth(auth)
        self._base_url = check_base_url(base_url_of(transport) if base_url is None else base_url)
        self._observers = check_observers(observers)
        background_tasks = BackgroundTasks()
        session = HttpSession(
            max_connections=max_connections,
            background_tasks=background_tasks,
            http_client=http_client,
            transport=transport,
            http_library=http_library,
            proxy=proxy,
            ssl_context=ssl_context,
            max_connection_age=max_connection_age,
            base_url=self._base_url,
        )
        self._connections = Connections(session, max_response_bytes)
        self._options = Options(
            account_id=account_id,
            deadline=deadline,
            retry=RetryPolicy() if retry is None else retry,
            headers=merged_headers(standard_headers(str(session.library)), headers),
        )
        check_seconds("close_grace", close_grace, from_zero=True)
        self._close_grace = close_grace
        self._context = CallContext(
            base_url=self._base_url,
            auth=auth,
            connections=self._connections,
            background_tasks=background_tasks,
            quota=RetryQuota() if retry_quota is None else retry_quota,
            rate_limiter=rate_limiter,
            create_grace=create_grace,
        )
        self._background_work = BackgroundWork(background_tasks, max_connections)
        self._is_view, self._entered = False, 0

    @classmethod
    @hide_frames
    def from_env(
        cls, environ: Mapping[str, str] | None = None, **settings: Unpack[ClientSettings]
    ) -> Self:
        """Make a client from environment variables.

        They are `BW_ACCOUNT_ID`; `BW_CLIENT_ID` and `BW_CLIENT_SECRET`, or `BW_USERNAME` and
        `BW_PASSWORD`; `BW_WEBRTC_BASE_URL` and `BW_TOKEN_URL` if the service is not the public one.

        Args:
            environ: The variables; by default `os.environ`.
            settings: Other settings of the client; a `base_url` overrides the variable.

        Raises:
            ConfigurationError: A variable is missing or invalid; the error names it.
        """
        # os.environ is no default, because help() would show its values.
        environment = Environment(os.environ if environ is None else environ)
        del environ  # a debugger shows the variables of a failure
        account_id, auth = environment.account_id, auth_from(environment)
        if "base_url" not in settings and environment.base_url is not None:
            settings["base_url"] = environment.base_url
        return cls(account_id, auth=auth, **settings)

    @hide_frames
    def with_options(
        self,
        *,
        account_id: str | None = None,
        deadline: float | None = None,
        retry: RetryPolicy | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "AsyncWebRtcClient":
        """Return a view of this client with other options and the same connections.

        A view is cheap. Closing a view does nothing; closing the client closes its views.

        Args:
            account_id: Another account of the same credentials.
            deadline: Seconds for a whole call.
            retry: Another policy.
            headers: Further headers; a header of the same name replaces this client's.

        Raises:
            ConfigurationError: An option is invalid.
        """
        view: AsyncWebRtcClient = object.__new__(type(self))
        vars(view).update(vars(self))
        view._is_view = True
        own = self._options
        view._options = Options(
            account_id=own.account_id if account_id is None else account_id,
            deadline=own.deadline if deadline is None else deadline,
            retry=own.retry if retry is None else retry,
            headers=merged_headers(own.headers.plain, headers),
        )
        return view

    async def request(
        self, route: Route[BodyT, ResultT], body: BodyT | None = None, **path_values: str
    ) -> ApiResponse[ResultT]:
        """Call a route of the route table, and return the result with status and headers.

        Args:
            route: The route, such as `route_table.GET_SESSION`.
            body: The model to send.
            path_values: The ids in the path by name, without the account id.

        Raises:
            WebRtcError: The call failed, as in the operation's own method.
        """
        call = self._call(route, path_values, body)
        return call.described(await call.perform())

    def call(
        self, route: Route[BodyT, ResultT], path_values: Mapping[str, object], body: BodyT | None
    ) -> Coroutine[Any, Any, ResultT]:
        """Perform the call of an endpoint; applications use `request`."""
        return self._call(route, path_values, body).perform()

    def _call(
        self, route: Route[BodyT, ResultT], path_values: Mapping[str, object], body: BodyT | None
    ) -> Call[ResultT]:
        check_route(route)
        self._connections.check_not_ending(route.operation)
        options = self._options
        if ACCOUNT in path_values:
            raise InvalidArgumentError(
                "The client sets the account. Use with_options(account_id=...) for another one.",
                operation=route.operation,
            )
        values = {**path_values, ACCOUNT: options.account_id}
        request = write_request(route, self._base_url, values, body, options.headers)
        watch = watch_over(route, request, self._observers)
        kind: Any = CreateCall if route.creates else Call
        shared = self._context, options.retry, options.deadline, watch
        call: Call[ResultT] = kind(route, request, values, *shared, getattr(body, "tag", None))
        return call

    @property
    def account_id(self) -> str:
        """The account of every call."""
        return self._options.account_id

    @property
    def http_client(self) -> "httpx.AsyncClient":
        """The `httpx.AsyncClient` that sends the requests; views share it.

        You can change its `event_hooks` and settings at any time, from the next request on. It is
        closed with this client, unless you passed it. A client of httpx2 has the same methods.
        """
        return self._connections.session.client

    @property
    def requests_sent(self) -> int:
        """The number of requests that this client and its views have sent, retries included."""
        return self._connections.requests_sent

    @property
    def background_tasks(self) -> BackgroundTasks:
        """Background tasks of the client, which `aclose()` waits for; views share them."""
        return self._context.background_tasks

    async def aclose(self) -> None:
        """Wait for running calls, fail those that exceed `close_grace`, and close the pool.

        Running tear-downs of conferences get `close_grace` first, then calls get theirs, then
        creates whose caller was cancelled get `create_grace`. At most a second later it returns.
        New calls are rejected at once. A second call waits for the first.

        Raises:
            ConfigurationError: The client is in use in another event loop.
        """
        if self._is_view:
            return
        self._connections.bind_to_loop(to_close=True)
        try:
            # First, because a closing client rejects the calls of a tear-down.
            await self._background_work.aclose(self._close_grace)
        finally:
            await self._context.aclose(self._close_grace)

    async def __aenter__(self) -> Self:
        self._connections.check_not_ending()
        self._entered += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self._entered -= 1
        if self._entered == 0:
            await self.aclose()

    def __repr__(self) -> str:
        state = "closed" if self._connections.lifetime.is_over else "open"
        where = f"{self._base_url} over {self._connections.session.transport_name}"
        return f"<AsyncWebRtcClient account {self.account_id} at {where}, {state}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "A client cannot be pickled: it holds connections and secrets. Make one in the other "
            "process with AsyncWebRtcClient.from_env()."
        )
