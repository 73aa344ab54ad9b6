"""`AsyncWebRtcClient`: settings, lifetime, and the two doors to every operation."""

import os
import platform
import ssl
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Final, NoReturn, Self, TypedDict, TypeVar, Unpack
from urllib.parse import urlsplit

from attrs import field, frozen

from webrtc_async._version import __version__
from webrtc_async.auth import Auth, as_auth
from webrtc_async.call import ApiResponse, Call
from webrtc_async.endpoints import Endpoints
from webrtc_async.environment import account_from_env, auth_from_env, base_url_from_env
from webrtc_async.errors import ConfigurationError, InvalidArgumentError
from webrtc_async.observer import Observer, check_observers, watch_over
from webrtc_async.reaper import Reaper
from webrtc_async.retry import RetryPolicy
from webrtc_async.route import ACCOUNT, Route, check_id, check_route
from webrtc_async.settings import check_base_url, check_headers, check_kind, check_seconds
from webrtc_async.transport import LIBRARY, Connections, HttpClient, HttpTransport
from webrtc_async.wire import write_request

BodyT = TypeVar("BodyT")
ResultT = TypeVar("ResultT")

PRODUCTION: Final = "https://api.webrtc.bandwidth.com/v1"

CLOSE_GRACE: Final = 5.0
"""Seconds that closing waits for what is under way, unless a client has its own."""

USER_AGENT: Final = f"webrtc-async/{__version__} {LIBRARY} python/{platform.python_version()}"


class ClientSettings(TypedDict, total=False):
    """The settings that `from_env` passes on; each is described at `AsyncWebRtcClient`."""

    base_url: str
    deadline: float
    retry: RetryPolicy
    max_connections: int
    headers: Mapping[str, str]
    http_client: HttpClient
    transport: HttpTransport
    proxy: str
    ssl_context: ssl.SSLContext
    max_response_bytes: int
    observers: Iterable[Observer]


@frozen(kw_only=True)
class _Options:
    """What a view may have its own of."""

    account_id: str
    deadline: float
    retry: RetryPolicy
    headers: dict[str, str] = field(repr=lambda headers: repr(sorted(headers)))

    def __attrs_post_init__(self) -> None:
        try:
            check_id(ACCOUNT, self.account_id)
        except InvalidArgumentError as error:
            raise ConfigurationError(error.message) from None
        check_seconds("deadline", self.deadline)
        check_kind("retry", self.retry, RetryPolicy)


class AsyncWebRtcClient(Endpoints):
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
        http_client: An httpx client to use instead of an own one, with its hooks, auth and
            transport; it is never closed here.
        transport: An httpx transport under an own httpx client, such as `EmulatorTransport`; it is
            closed with the client.
        proxy: URL of an HTTP proxy. Without it the environment's proxies are used, but never for a
            loopback base_url.
        ssl_context: For a private CA or a client certificate.
        max_response_bytes: Longest answer that is read, decoded.
        observers: Told of every call and attempt, such as `OpenTelemetryObserver()`.

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
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        max_response_bytes: int = 4 * 1024 * 1024,
        observers: Iterable[Observer] = (),
    ) -> None:
        if auth is None and getattr(http_client, "auth", None) is None:
            raise ConfigurationError(
                'auth is missing: give ("username", "password"), OAuth2ClientCredentials(...), or '
                "an http_client with an auth= of its own; an Authorization among its headers is "
                "not one."
            )
        self._auth = None if auth is None else as_auth(auth)
        self._base_url = check_base_url(base_url)
        self._observers = check_observers(observers)
        self._options = _Options(
            account_id=account_id,
            deadline=deadline,
            retry=RetryPolicy() if retry is None else retry,
            headers=check_headers({} if headers is None else headers),
        )
        self._connections = Connections(
            max_connections=max_connections,
            max_response_bytes=max_response_bytes,
            http_client=http_client,
            transport=transport,
            proxy=proxy,
            ssl_context=ssl_context,
            trust_env=not _is_loopback(self._base_url),
        )
        self._reaper = Reaper()
        self._is_view = False
        self._entered = 0

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str] = os.environ, **settings: Unpack[ClientSettings]
    ) -> Self:
        """Make a client from environment variables.

        `BW_ACCOUNT_ID`; `BW_CLIENT_ID` and `BW_CLIENT_SECRET`, or `BW_USERNAME` and `BW_PASSWORD`;
        and `BW_WEBRTC_BASE_URL` and `BW_TOKEN_URL` if the service is not the public one.

        Args:
            environ: Where to read them.
            settings: The client's other settings; a base_url goes before the variable.

        Raises:
            ConfigurationError: A variable is missing or cannot be used; the error names it.
        """
        account_id, auth = account_from_env(environ), auth_from_env(environ)
        if "base_url" not in settings:
            settings["base_url"] = base_url_from_env(environ) or PRODUCTION
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
        view._options = _Options(
            account_id=own.account_id if account_id is None else account_id,
            deadline=own.deadline if deadline is None else deadline,
            retry=own.retry if retry is None else retry,
            headers=_merged(own.headers, check_headers({} if headers is None else headers)),
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
        return await self._perform(route, path_values, body)

    async def call(
        self, route: Route[BodyT, ResultT], path_values: Mapping[str, object], body: BodyT | None
    ) -> ResultT:
        """Carry out an endpoint's call; `request` is the door for callers."""
        return (await self._perform(route, path_values, body)).data

    async def _perform(
        self, route: Route[BodyT, ResultT], path_values: Mapping[str, object], body: BodyT | None
    ) -> ApiResponse[ResultT]:
        check_route(route)
        self._connections.check_open(route.operation)
        options = self._options
        if ACCOUNT in path_values:
            raise InvalidArgumentError(
                "The account is the client's: use with_options(account_id=...) for another one.",
                operation=route.operation,
            )
        request = write_request(
            route,
            self._base_url,
            {**path_values, ACCOUNT: options.account_id},
            body,
            _merged({"User-Agent": USER_AGENT, "Accept": "application/json"}, options.headers),
        )
        return await Call(
            route=route,
            request=request,
            auth=self._auth,
            connections=self._connections,
            policy=options.retry,
            deadline=options.deadline,
            watch=watch_over(route, self._base_url, self._observers),
        ).perform()

    @property
    def account_id(self) -> str:
        """The account whose sessions and participants these are."""
        return self._options.account_id

    @property
    def requests_sent(self) -> int:
        """How many requests this client and its views have sent, repeated ones included."""
        return self._connections.requests_sent

    @property
    def reaper(self) -> Reaper:
        """Starts work in tasks of the client, which `aclose` waits for; views share it."""
        return self._reaper

    async def aclose(self) -> None:
        """Close the pool; calling it again does nothing."""
        if not self._is_view:
            await self._reaper.aclose(CLOSE_GRACE)
            await self._connections.aclose()

    async def __aenter__(self) -> Self:
        self._connections.check_open()
        self._entered += 1
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._entered -= 1
        if self._entered == 0:
            await self.aclose()

    def __repr__(self) -> str:
        state = "closed" if self._connections.is_closed else "open"
        return f"<AsyncWebRtcClient account {self.account_id} at {self._base_url}, {state}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "A client is not pickled: it holds connections and secrets. In the other process, make "
            "one with AsyncWebRtcClient.from_env()."
        )


def _merged(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, str]:
    """Return both, where the second replaces a name of the first in any case."""
    spelt = {name.lower(): name for name in first}
    return {**first, **{spelt.get(name.lower(), name): value for name, value in second.items()}}


def _is_loopback(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    return host == "localhost" or host.startswith("127.") or host == "::1"
