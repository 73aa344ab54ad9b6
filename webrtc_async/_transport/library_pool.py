"""A pool of an HTTP library's, behind a limiter.

The limiter stands there because httpx 0.28's pool is lost for good when calls that wait inside it
are cancelled (encode/httpcore#1093).
"""

from collections.abc import Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final, cast

import anyio
import httpx
from attrs import define, field

from webrtc_async._tasks.background_tasks import BackgroundTasks
from webrtc_async._transport.http_library import HttpClient, HttpTransport, Library
from webrtc_async.errors import ConfigurationError

KEEP_ALIVE: Final = 20.0
"""Seconds an idle connection is kept, well below the 60 s after which gateways drop theirs."""


@define(kw_only=True, eq=False)
class LibraryPool:
    """An HTTP client that is given, or opened by its first exchange, and who waits for it.

    Attributes:
        library: Whose client it is.
        given: The user's client; None for an own one.
        settings: Of an own one.
        max_connections: Most exchanges at a time.
        background_tasks: Has the tasks of exchanges that may outlive their callers.
        check_open: Refuses an operation's exchange if the client was closed.
        limiter: Where exchanges wait for a place.
    """

    library: Library
    given: HttpClient | None
    settings: dict[str, Any]
    max_connections: int
    background_tasks: BackgroundTasks
    check_open: Callable[[str], None]
    limiter: anyio.CapacityLimiter = field(init=False)
    _client: httpx.AsyncClient | None = field(default=None, init=False)
    _abandoned: list[object] = field(factory=list[object], init=False)

    def __attrs_post_init__(self) -> None:
        # Of either library, under the types of the one: see Library.
        self._client = cast("httpx.AsyncClient | None", self.given)

    @property
    def transport(self) -> HttpTransport | None:
        """The user's transport, under a client of this package's."""
        transport: HttpTransport | None = self.settings["transport"]
        return transport

    @property
    def is_given(self) -> bool:
        """Whether the user gave what sends; nothing is known of it."""
        return self.given is not None or self.transport is not None

    @property
    def has_sockets(self) -> bool:
        """Whether a client of this package's is open that may have some."""
        return self._client not in {None, self.given} and self.transport is None

    def client(self) -> httpx.AsyncClient:
        """Return the client, opened if need be.

        Raises:
            ConfigurationError: The environment's proxy settings cannot be used.
        """
        if self._client is None:
            limits = self.library.limits(
                max_connections=self.max_connections,
                max_keepalive_connections=self.max_connections,
                keepalive_expiry=KEEP_ALIVE,
            )
            try:
                # No timeout, because the deadline bounds everything, queue and body included. No
                # cookies, because one that no header can carry would end every later call.
                cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
                self._client = self.library.client(
                    timeout=None, limits=limits, cookies=cookies, **self.settings
                )
            except (ValueError, ImportError, self.library.invalid_url) as error:
                raise ConfigurationError(
                    f"The environment's proxy settings cannot be used: {type(error).__name__}."
                ) from error
        return self._client

    def bind_to_loop(self) -> None:
        """Begin in the event loop and process that run this."""
        self.limiter = anyio.CapacityLimiter(self.max_connections)

    def leave(self, operation: str, *, is_forked: bool, to_close: bool) -> None:
        """Let go what belongs to another event loop that is over, or to another process.

        Raises:
            ConfigurationError: What was given was used before a fork.
        """
        if is_forked and self.is_given:
            if not to_close:
                raise ConfigurationError(
                    "this client was used before the process was forked, and the http_client or "
                    "transport that it was given may share sockets with the parent: make a client "
                    "in the child.",
                    operation=operation,
                )
            self.settings["transport"] = None
        if self._client is not None and self._client is not self.given:
            if is_forked:
                # Closing, or collecting, what the parent still uses would end its connections.
                self._abandoned.append(self._client)
            self._client = None

    async def aclose(self) -> None:
        """Close what is not the user's client, a given transport included."""
        # A given transport is closed even when no exchange has put a client over it.
        client, self._client = self._client or self.transport, None
        if client is not None and client is not self.given:
            await client.aclose()
