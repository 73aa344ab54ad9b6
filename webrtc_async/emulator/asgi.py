"""The emulator as an ASGI application, for any server."""

from typing import Final
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Mount, Route, Router
from starlette.types import Receive, Scope, Send

from webrtc_async.emulator.asgi_faults import misbehave
from webrtc_async.emulator.host_check import OwnHostOnly
from webrtc_async.emulator.page.routes import page_routes
from webrtc_async.emulator.service import LONGEST_BODY, Emulator
from webrtc_async.wire import WireRequest, WireResponse

LOOKED_AT: Final = "/_emulator"
"""Where the page that shows the emulator is."""

MOST_BYTES_READ: Final = 256 * 1024 * 1024
"""Bytes of a request that are read, to let its sender finish, before it is answered anyway."""


def emulator_app(emulator: Emulator) -> Starlette:
    """Return an application that has an emulator answer every method and path."""
    looked_at = OwnHostOnly(Router(page_routes(emulator.picture)))
    return Starlette(
        routes=[
            # Relative, so that it holds where the application is mounted under a path.
            Route(LOOKED_AT, OwnHostOnly(RedirectResponse(f"{LOOKED_AT.strip('/')}/"))),
            Mount(LOOKED_AT, looked_at),
            _EveryPath(emulator),
        ]
    )


class _EveryPath(BaseRoute):
    # Not a Route or Mount: theirs match the decoded path, in which an id with %2F has split.
    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.FULL if scope["type"] == "http" else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        content = await _read_content(receive)
        if content is None:
            return
        reply = self._emulator.reply_to(
            WireRequest(
                method=scope["method"],
                target=_target(scope),
                headers=_headers(scope),
                content=content,
            )
        )
        answer = reply.response or WireResponse(status=503)
        response = Response(answer.content, answer.status, answer.headers)
        if reply.fault is None:
            await response(scope, receive, send)
        else:
            await misbehave(reply.fault, response, scope, receive, send)


async def _read_content(receive: Receive) -> bytes | None:
    """Return the content, of a long one just enough to be refused; None if the client left."""
    kept = bytearray()
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        kept += chunk[: LONGEST_BODY + 1 - len(kept)]
        if size > MOST_BYTES_READ or not message.get("more_body", False):
            return bytes(kept)


def _target(scope: Scope) -> str:
    # ASGI lets servers leave the raw path out.
    raw_path: bytes = scope.get("raw_path") or quote(scope["path"]).encode("ascii")
    return raw_path.decode("latin-1")


def _headers(scope: Scope) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        # RFC 9110, 5.3: fields of one name are one list.
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
