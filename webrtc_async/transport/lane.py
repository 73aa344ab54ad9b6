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
from typing import Any, Final
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
    # Where nobody has imported httpcore, nobody has replaced anything in it.
    httpcore = sys.modules.get("httpcore")
    is_untouched = (
        _is_original(httpx.AsyncClient, "send")
        and _is_original(httpx.AsyncHTTPTransport, "handle_async_request")
        and (httpcore is None or _is_original(httpcore.AsyncConnectionPool, "handle_async_request"))
    )
    return Lane.OWN if is_untouched else Lane.HTTPX


def _is_original(owner: Any, name: str) -> bool:
    method = getattr(owner, name)
    if method is _originals.get(owner):
        return True
    # A wrapper can take over a function's name and module, but not where its code was made.
    if type(method) is not FunctionType:
        return False
    made_in: str = method.__globals__["__name__"]
    if not made_in.startswith(f"{owner.__module__}."):
        return False
    _originals[owner] = method
    return True


_originals: dict[Any, FunctionType] = {}
"""Methods that were found to be the libraries' own."""
