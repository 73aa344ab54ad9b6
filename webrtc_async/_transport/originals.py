"""A check that nobody has replaced a part of httpx, or of what is between it and the socket.

vcrpy, pook, respx, pytest-httpx, mocket, OpenTelemetry and Sentry replace methods and classes, at
any time and also before this package is imported. So the check covers every part of the classes,
and looks at where their code is from.
"""

import asyncio
import socket
import sys
from collections.abc import Callable, Mapping
from operator import attrgetter
from types import FunctionType
from typing import Any, Final

import anyio
import httpx

_classes_of_httpcore: Final[Callable[[Any], tuple[type, ...]]] = attrgetter(
    "AsyncConnectionPool",
    "AsyncHTTPConnection",
    "AsyncHTTP11Connection",
    "AnyIOBackend",
    "_backends.auto.AutoBackend",
)

_HOMES: Final = frozenset({"anyio", "asyncio", "httpcore", "httpx", "socket"})
"""The packages whose code is original."""

_Attributes = Mapping[str, object]

_known: Final[dict[tuple[object, ...], list[tuple[_Attributes, _Attributes]]]] = {}
"""Parts that were found original: the attributes of their classes, live and as they were then."""


def is_client_original(client: type[httpx.AsyncClient]) -> bool:
    """Return True if a client's class, and everything below it, is as its library defines it."""
    return _are_original((client, *_parts_of_transport()))


def is_transport_original() -> bool:
    """Return True if everything from httpx's transport on is as its library defines it."""
    return _are_original(_parts_of_transport())


def _parts_of_transport() -> tuple[object, ...]:
    parts = (
        httpx.AsyncHTTPTransport,
        socket.socket,
        anyio.connect_tcp,
        asyncio.BaseEventLoop.create_connection,
    )
    # Nobody can have replaced a part of httpcore before it is loaded.
    httpcore = sys.modules.get("httpcore")
    return parts if httpcore is None else (*parts, *_classes_of_httpcore(httpcore))


def _are_original(parts: tuple[object, ...]) -> bool:
    # Every request comes here.
    try:
        known = _known[parts]
    except (KeyError, TypeError):  # a TypeError for a replacement that has no hash
        return _are_found_original(parts)
    for now, then in known:
        if now != then:
            return _are_found_original(parts)
    return True


def _are_found_original(parts: tuple[object, ...]) -> bool:
    # Attributes of sockets are left out: the own pool calls what the libraries call.
    kinds = [part for part in parts if isinstance(part, type) and part is not socket.socket]
    classes = {base for kind in kinds for base in kind.__mro__[:-1]}
    attributes = [value for each in classes for value in vars(each).values()]
    if not all(map(_is_original, (*parts, *classes, *attributes))):
        return False
    _known[parts] = [(vars(each), dict(vars(each))) for each in classes]
    return True


def _is_original(part: object) -> bool:
    part = getattr(part, "__func__", part)  # of a static method
    if isinstance(part, property):
        return all(map(_is_original, (part.fget, part.fset, part.fdel)))
    if isinstance(part, type):
        home = part.__module__
    elif type(part) is FunctionType:
        # A wrapper can copy a function's name and module, but not the module of its code.
        home = part.__globals__["__name__"]
        if home == "contextlib":
            # A method with @asynccontextmanager is the one that it wraps.
            return "__wrapped__" in vars(part) and _is_original(vars(part)["__wrapped__"])
    else:
        return not callable(part)
    return home.partition(".")[0] in _HOMES
