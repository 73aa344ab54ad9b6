"""Routes of the page's files and of its state as JSON."""

import hashlib
from collections.abc import Callable
from importlib.resources import files
from pathlib import PurePath
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from webrtc_async._codec.model_codec import write_json

HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # The next version of the package may be served at the same address.
    "cache-control": "no-cache",
}
"""Response headers that forbid foreign scripts, frames and requests to other hosts."""

_FILES: Final = (
    "page.css",
    "page.js",
    "elements.js",
    "sessions.js",
    "graph.js",
    "events.js",
    "icon.svg",
)
_MEDIA_TYPES: Final = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


def page_routes(overview: Callable[[], dict[str, object]]) -> list[Route]:
    """Return the routes of the page and of `/state`, the same data as JSON.

    Args:
        overview: Returns the emulator's overview.
    """
    return [
        _file_route("/", "page.html"),
        *(_file_route(f"/{name}", name) for name in _FILES),
        _state_route(overview),
    ]


def _file_route(path: str, name: str) -> Route:
    media_type = _MEDIA_TYPES[PurePath(name).suffix]
    content = files("webrtc_async.emulator.page").joinpath(name).read_bytes()

    async def send_file(_: Request) -> Response:
        return Response(content, media_type=media_type, headers=HEADERS)

    return Route(path, send_file)


def _state_route(overview: Callable[[], dict[str, object]]) -> Route:
    async def send_state(request: Request) -> Response:
        state = overview()
        entity_tag = _entity_tag(state)
        headers = {**HEADERS, "etag": entity_tag}
        if request.headers.get("if-none-match") == entity_tag:
            return Response(status_code=304, headers=headers)
        return Response(write_json(state), media_type="application/json", headers=headers)

    return Route("/state", send_state)


def _entity_tag(state: dict[str, object]) -> str:
    """Return an entity tag for a state; it is weak because it ignores the current time."""
    content = write_json({**state, "now": None})
    return f'W/"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
