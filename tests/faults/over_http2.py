"""The columns of HTTP/2: each fault behind a gateway that speaks HTTP/2 with the client."""

import functools
import importlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

from support.http2 import forwarding, offering_http2, serving_http2
from support.tls import client_side

from .row import Cell
from .scene import Scene

LIBRARIES: Final = {"http2": "httpx", "http2 (httpx2)": "httpx2"}
"""The library of each column, whose `AsyncClient(http2=True)` the client is given."""

READS_NO_FURTHER: Final = (
    "httpcore does not reset a stream whose response is given up, so an endless body uses up the "
    "window of its connection, until a read timeout ends that."
)
KEEPS_COOKIES: Final = (
    "a given AsyncClient keeps cookies, also one that httpx cannot send back; give it other cookies"
)

CANNOT: Final = {
    ("44e", "http2"): READS_NO_FURTHER,
    ("44e", "http2 (httpx2)"): READS_NO_FURTHER,
    ("58c", "http2"): KEEPS_COOKIES,
    ("58c", "http2 (httpx2)"): KEEPS_COOKIES,
}
"""Rows that a column cannot pass, with the reason."""

server_side = functools.cache(offering_http2)


@functools.cache
def _client_side() -> ssl.SSLContext:
    # Not the other columns' context, because the libraries make it offer HTTP/2.
    return client_side()


@asynccontextmanager
async def over_http2(cell: Cell, scene: Scene) -> AsyncIterator[None]:
    """Make a scene of HTTP/2, if the cell is in one of these columns."""
    if cell.transport not in LIBRARIES:
        yield
        return
    library = importlib.import_module(LIBRARIES[cell.transport])
    timeout = library.Timeout(5.0, connect=cell.row.settings.get("attempt_timeout", 5.0))
    proxy = scene.settings.pop("proxy", None)
    async with (
        library.AsyncClient(
            http2=True, verify=_client_side(), proxy=proxy, timeout=timeout
        ) as http_client,
        _gateway(scene),
    ):
        scene.settings |= {"http_client": http_client, "ssl_context": None}
        if cell.row.is_about_time:
            # A create that waits on after its deadline reads the connection for all others, and
            # with two of them httpcore hands out a response late: see GUIDE.md of the transport.
            scene.settings["create_grace"] = 0
        yield


@asynccontextmanager
async def _gateway(scene: Scene) -> AsyncIterator[None]:
    """Put a gateway in front of a scripted server; faults of connecting need none."""
    at = urlsplit(scene.base_url)
    if scene.server is None or at.scheme == "https" or at.port is None:
        yield
        return
    async with serving_http2(forwarding(at.port), server_side()) as port:
        scene.base_url = f"https://127.0.0.1:{port}{at.path}"
        yield
