"""Which transport an exchange takes; decided here and nowhere else.

The own transport serves asyncio, straight to the server, where nobody asked for anything else. The
rest is httpx's: trio, proxies, a client or transport of the user's, and whatever library watches or
mocks httpx by replacing its methods.
"""

import enum
import select
import sys
from importlib.util import find_spec
from types import FunctionType
from typing import Final
from urllib.request import getproxies

import httpx


class Lane(enum.Enum):
    """A way to the server; the value completes "over ..."."""

    OWN = "its own HTTP/1.1 transport"
    """Straight to the own transport."""
    HTTPX = "httpx"
    """All of it is httpx's, or httpx2's where that was asked for."""
    GIVEN = "the http_client or transport that was given"
    """The user's."""

    def named(self, library: str) -> str:
        """Return what completes "over ...", where this library serves what is left to httpx."""
        return library if self is Lane.HTTPX else self.value


OWN: Final = Lane.OWN

_HAS_PARSER: Final = find_spec("h11") is not None
"""Whether h11 is there, which comes with httpx as long as httpx stands on httpcore."""


def may_be_own(*, is_given: bool, library: str | None, proxy: str | None, trust_env: bool) -> bool:
    """Whether these settings leave the choice to this module.

    Args:
        is_given: Whether the user gave a client or a transport.
        library: The HTTP library that the user asked for.
        proxy: The proxy that the user asked for.
        trust_env: Whether the environment's proxies count.
    """
    if is_given or library is not None or proxy is not None:
        return False
    if not _HAS_PARSER or not hasattr(select, "poll"):
        return False
    return not (trust_env and getproxies().keys() & {"http", "https", "all"})


def current_lane() -> Lane:
    """Return the lane of an exchange whose settings leave the choice, as things are now.

    Asked for each exchange, because respx, pytest-httpx, vcrpy, OpenTelemetry, Sentry and the like
    come and go, and each replaces methods.
    """
    return OWN if _is_untouched() else Lane.HTTPX


def _is_untouched() -> bool:
    """Whether httpx's methods are those that it came with."""
    # Where nobody has imported httpcore, nobody has replaced anything in it.
    httpcore = sys.modules.get("httpcore")
    methods: tuple[object, ...] = (
        httpx.AsyncClient.send,
        httpx.AsyncHTTPTransport.handle_async_request,
        None if httpcore is None else httpcore.AsyncConnectionPool.handle_async_request,
    )
    if methods in _originals:
        return True
    if not all(map(_is_original, methods, ("httpx", "httpx", "httpcore"))):
        return False
    _originals.add(methods)
    return True


def _is_original(method: object, library: str) -> bool:
    if method is None:
        return True
    # A wrapper can take over a function's name and module, but not where its code was made.
    return type(method) is FunctionType and method.__globals__["__name__"].startswith(f"{library}.")


_originals: set[tuple[object, ...]] = set()
"""The methods that were found to be the libraries' own, before httpcore was loaded and after."""
