"""Checks that the methods of httpx and httpcore are the libraries' own.

vcrpy, pook, respx, pytest-httpx, OpenTelemetry and Sentry replace methods, at any time and also
before this package is imported. So the check looks at the code of a method, not at a copy of it.
"""

import sys
from operator import attrgetter
from types import FunctionType
from typing import Final

import httpx

_methods_of_client: Final = attrgetter(
    "build_request",
    "send",
    "_send_handling_auth",
    "_send_handling_redirects",
    "_send_single_request",
    "_transport_for_url",
)
_methods_of_httpcore: Final = attrgetter(
    "AsyncConnectionPool.handle_async_request",
    "AsyncHTTPConnection.handle_async_request",
    "AsyncHTTP11Connection.handle_async_request",
)
_LIBRARIES: Final = ("httpx", "httpcore")

_known: Final[set[tuple[object, ...]]] = set()
"""Methods that were checked before and found original."""


def is_client_original(client: type[httpx.AsyncClient]) -> bool:
    """Return True if a client's class is httpx's, with each method from `send` to the transport."""
    return _are_original((client, *_methods_of_client(client)))


def is_transport_original() -> bool:
    """Return True if the methods below httpx's transport are httpx's and httpcore's own."""
    own = httpx.AsyncHTTPTransport.handle_async_request
    # Nobody can have replaced a method of httpcore before it is loaded.
    httpcore = sys.modules.get("httpcore")
    return _are_original((own,) if httpcore is None else (own, *_methods_of_httpcore(httpcore)))


def _are_original(parts: tuple[object, ...]) -> bool:
    if parts in _known:
        return True
    if not all(map(_is_original, parts)):
        return False
    _known.add(parts)
    return True


def _is_original(part: object) -> bool:
    if isinstance(part, type):
        home = part.__module__
    elif type(part) is FunctionType:
        # A wrapper can copy a function's name and module, but not the module of its code.
        home = part.__globals__["__name__"]
    else:
        return False
    return home.partition(".")[0] in _LIBRARIES
