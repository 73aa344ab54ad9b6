"""httpx and its continuation httpx2, which share names and not classes.

httpx2 is imported only if the user names it; an object of its classes has imported it before.
"""

import importlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import httpx

from webrtc_async._config.environment import PRODUCTION, TOKEN_URL
from webrtc_async._tasks.event_loop import PerLoop
from webrtc_async._transport.tcp_keep_alive import TCP_KEEP_ALIVE
from webrtc_async._transport.tls_settings import TlsSettings
from webrtc_async.errors import ConfigurationError

if TYPE_CHECKING:
    import ssl

LibraryName = Literal["httpx", "httpx2"]

_NAMES: Final[tuple[LibraryName, ...]] = ("httpx", "httpx2")


class HttpClient(Protocol):
    """An `AsyncClient` of httpx or httpx2."""

    @property
    def is_closed(self) -> bool:
        """True once its owner has closed it."""
        ...

    def build_request(self, method: str, url: str) -> object:
        """Return a request with the client's headers, cookies and timeouts."""
        ...

    async def aclose(self) -> None:
        """Close its transport."""
        ...


class HttpTransport(Protocol):
    """An `AsyncBaseTransport` of httpx or httpx2.

    One that reaches a single service can name it by a `base_url` and a `token_url`, which replace
    Bandwidth's.
    """

    async def handle_async_request(self, request: Any) -> Any:
        """Return the library's response to the library's request."""
        ...

    async def aclose(self) -> None:
        """Close its connections."""
        ...


class Library:
    """The classes of one library, under httpx's types because the signatures are the same.

    Raises:
        ConfigurationError: The name is unknown, or httpx2 is not installed.
    """

    def __init__(self, name: LibraryName) -> None:
        if name not in _NAMES:
            raise ConfigurationError('http_library must be "httpx" or "httpx2".')
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            raise ConfigurationError(
                f"{name} cannot be imported: pip install 'webrtc-async[{name}]'."
            ) from error
        self.name = name
        self.version: str = module.__version__
        self.client: type[httpx.AsyncClient] = module.AsyncClient
        self.http_transport: type[httpx.AsyncHTTPTransport] = module.AsyncHTTPTransport
        self.response: type[httpx.Response] = module.Response
        self.byte_stream: type[httpx.AsyncByteStream] = module.AsyncByteStream
        self.timeout: type[httpx.Timeout] = module.Timeout
        self.limits: type[httpx.Limits] = module.Limits
        self.proxy: type[httpx.Proxy] = module.Proxy
        self.create_ssl_context: Callable[[], ssl.SSLContext] = module.create_ssl_context
        self.invalid_url: type[Exception] = module.InvalidURL
        self.client_default: Any = module.USE_CLIENT_DEFAULT

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"

    def open_transport(
        self, limits: httpx.Limits, tls: TlsSettings, proxy: str | None
    ) -> httpx.AsyncBaseTransport:
        """Return a new transport of the library's own.

        Raises:
            ConfigurationError: The URL of the proxy cannot be used.
        """
        settings: dict[str, Any] = {
            "limits": limits,
            "verify": tls.for_library(),
            "socket_options": TCP_KEEP_ALIVE,
        }
        if proxy is None:
            return self.http_transport(**settings)
        try:
            # httpcore's own settings for a proxy of TLS would ignore the environment's.
            tls_of_proxy = settings["verify"] if proxy.lower().startswith("https:") else None
            through = self.proxy(proxy, ssl_context=tls_of_proxy)
            return self.http_transport(proxy=through, **settings)
        except (ValueError, self.invalid_url) as error:
            raise ConfigurationError(
                f"The URL of the proxy cannot be used: {type(error).__name__}."
            ) from error


def base_url_of(transport: object) -> str:
    """Return the base URL that a transport names, or Bandwidth's."""
    # Not any type: an AsyncClient given by mistake has a base_url, too.
    found = getattr(transport, "base_url", None)
    return found if isinstance(found, str) else PRODUCTION


def token_url_of(transport: object) -> str:
    """Return the URL of access tokens that a transport names, or Bandwidth's."""
    found = getattr(transport, "token_url", None)
    return found if isinstance(found, str) else TOKEN_URL


def choose_library(
    asked: LibraryName | None, http_client: object = None, transport: object = None
) -> Library:
    """Return the library to use: the named one, else a given object's, else httpx.

    A transport may be of both libraries, as the emulator's is.

    Raises:
        ConfigurationError: A given object is of neither library, or not of the named one.
    """
    if asked is not None:
        Library(asked)
    for setting, given, kind in (
        ("http_client", http_client, "AsyncClient"),
        ("transport", transport, "AsyncBaseTransport"),
    ):
        if given is not None:
            return Library(_library_of(setting, given, kind, asked))
    return Library(asked or "httpx")


def _library_of(setting: str, given: object, kind: str, asked: LibraryName | None) -> LibraryName:
    fitting: list[LibraryName] = [
        name
        for name in _NAMES
        if name in sys.modules and isinstance(given, getattr(sys.modules[name], kind))
    ]
    if not fitting:
        raise ConfigurationError(
            f"{setting} must be an instance of httpx.{kind} or httpx2.{kind}, "
            f"not {type(given).__name__}."
        )
    if asked is not None and asked not in fitting:
        raise ConfigurationError(f"http_library is {asked!r}, and the {setting} is {fitting[0]}'s.")
    return asked or fitting[0]


class LibraryTransport(httpx.AsyncBaseTransport):
    """A transport of httpx or httpx2 that is opened afresh in each event loop and process."""

    def __init__(
        self, open_transport: Callable[[], httpx.AsyncBaseTransport], tls: TlsSettings
    ) -> None:
        self._transports = PerLoop(open_transport, _close)
        self._tls = tls

    @property
    def is_open(self) -> bool:
        """True if there may be connections."""
        return self._transports.current is not None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request of the library and return the library's response.

        Raises:
            ConfigurationError: TLS settings cannot be used, or a package is missing for them.
        """
        if request.url.scheme == "https":
            await self._tls.load()
        try:
            return await self._transports.get().handle_async_request(request)
        except ImportError as error:
            # httpcore looks for h2 once a server has chosen HTTP/2.
            raise ConfigurationError(
                f"the server chose a protocol that ssl_context= offers, and {error.name} is not "
                "installed. Nothing was sent. Offer 'http/1.1' alone in ssl_context."
            ) from error

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transports.aclose()


async def _close(transport: httpx.AsyncBaseTransport) -> None:
    await transport.aclose()
