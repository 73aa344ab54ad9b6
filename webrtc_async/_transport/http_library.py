"""httpx and its continuation httpx2: the same names, unrelated classes.

httpx2 is imported only if it is asked for by name; an object of its classes has imported it before.
"""

import importlib
import sys
from typing import Any, Final, Literal, Protocol

import httpx
from attrs import frozen

from webrtc_async.errors import ConfigurationError

LibraryName = Literal["httpx", "httpx2"]

_NAMES: Final[tuple[LibraryName, ...]] = ("httpx", "httpx2")


class HttpClient(Protocol):
    """An `AsyncClient` of httpx or httpx2."""

    @property
    def is_closed(self) -> bool:
        """Whether its owner has closed it."""
        ...

    def build_request(self, method: str, url: str) -> object:
        """Return a request with the client's own headers, cookies and timeouts."""
        ...

    async def aclose(self) -> None:
        """Close its transport."""
        ...


class HttpTransport(Protocol):
    """An `AsyncBaseTransport` of httpx or httpx2."""

    async def handle_async_request(self, request: Any) -> Any:
        """Return the library's response to the library's request."""
        ...

    async def aclose(self) -> None:
        """Close its connections."""
        ...


@frozen
class Library:
    """The classes of one of the two, under httpx's types because their signatures are the same.

    Attributes:
        name: As it is imported.
        version: As it is released.
    """

    name: LibraryName
    version: str
    client: type[httpx.AsyncClient]
    transport: type[httpx.AsyncBaseTransport]
    response: type[httpx.Response]
    byte_stream: type[httpx.AsyncByteStream]
    timeout: type[httpx.Timeout]
    limits: type[httpx.Limits]
    invalid_url: type[Exception]
    client_default: Any

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"


def library_named(name: LibraryName) -> Library:
    """Return one of the two.

    Raises:
        ConfigurationError: There is none of that name, or httpx2 is not installed.
    """
    if name not in _NAMES:
        raise ConfigurationError('http_library must be "httpx" or "httpx2".')
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise ConfigurationError(
            f"{name} cannot be imported: pip install 'webrtc-async[{name}]'."
        ) from error
    return Library(
        name=name,
        version=module.__version__,
        client=module.AsyncClient,
        transport=module.AsyncBaseTransport,
        response=module.Response,
        byte_stream=module.AsyncByteStream,
        timeout=module.Timeout,
        limits=module.Limits,
        invalid_url=module.InvalidURL,
        client_default=module.USE_CLIENT_DEFAULT,
    )


def choose_library(
    asked: LibraryName | None, http_client: object = None, transport: object = None
) -> Library:
    """Return the library that serves: the one asked for, else a given object's, else httpx.

    A transport may be of both, as the emulator's is.

    Raises:
        ConfigurationError: A given object is of neither library, or not of the one asked for.
    """
    if asked is not None:
        library_named(asked)
    for setting, given, kind in (
        ("http_client", http_client, "AsyncClient"),
        ("transport", transport, "AsyncBaseTransport"),
    ):
        if given is not None:
            return library_named(_library_of(setting, given, kind, asked))
    return library_named(asked or "httpx")


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
