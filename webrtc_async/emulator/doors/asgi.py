"""The emulator as an ASGI application, for any server."""

import contextlib
from collections.abc import AsyncGenerator
from typing import Final
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from webrtc_async._protocol.wire import WireRequest, WireResponse
from webrtc_async.emulator.control.call import CONTROL_PATH
from webrtc_async.emulator.control.calls import LONGEST_CONTROL_BODY, Control
from webrtc_async.emulator.control.host_check import OwnHostOnly
from webrtc_async.emulator.core.service import LONGEST_BODY
from webrtc_async.emulator.doors.asgi_faults import misbehave
from webrtc_async.emulator.doors.connection import Connection, connection_of
from webrtc_async.emulator.emulator import Emulator
from webrtc_async.emulator.page.routes import page_routes
from webrtc_async.emulator.webhooks.delivery import delivering

MOST_BYTES_READ: Final = 256 * 1024 * 1024
"""Bytes of a request that are read, to let its sender finish, before it is answered anyway."""


def emulator_app(emulator: Emulator, *, control: bool = True) -> ASGIApp:
    """Return an application that has an emulator answer every method and path.

    For as long as its lifespan is, it delivers the emulator's webhooks.

    Args:
        emulator: What answers.
        control: Whether control calls are answered as well, and the page is shown.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_: object) -> AsyncGenerator[None]:
        async with delivering(emulator.webhooks):
            yield

    others = Router(
        _control_routes(emulator) if control else (), redirect_slashes=False, lifespan=lifespan
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # A router costs more than the service's whole answer, so only what needs one goes there.
        if scope["type"] == "http" and not (control and _is_control_path(scope)):
            await _serve(emulator, scope, receive, send)
        else:
            await others(scope, receive, send)

    return app


def _is_control_path(scope: Scope) -> bool:
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    return path.startswith(CONTROL_PATH) and path[len(CONTROL_PATH) :][:1] in {"", "/"}


def _control_routes(emulator: Emulator) -> list[BaseRoute]:
    page = OwnHostOnly(Router(page_routes(emulator.picture)))
    return [
        _ControlPaths(Control(emulator)),
        # Relative, so that it holds where the application is mounted under a path.
        Route(CONTROL_PATH, OwnHostOnly(RedirectResponse(f"{CONTROL_PATH.strip('/')}/"))),
        Mount(CONTROL_PATH, page),
    ]


class _ControlPaths(BaseRoute):
    """Not a Route: that matches the decoded path, in which a value with %2F has split."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        is_own = scope["type"] == "http" and self._control.knows(_target(scope))
        return (Match.FULL if is_own else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await _read_request(scope, receive, longest=LONGEST_CONTROL_BODY)
        if request is not None:
            server: tuple[str, int | None] | None = scope.get("server")
            reached = None if server is None else server[0]
            answer = _response(self._control.answer_guarded(request, reached=reached))
            await answer(scope, receive, send)


async def _serve(emulator: Emulator, scope: Scope, receive: Receive, send: Send) -> None:
    request = await _read_request(scope, receive, longest=LONGEST_BODY)
    if request is None:
        return
    reply = emulator.reply_to(request)
    if reply.fault is not None:
        answer = _response(reply.response or WireResponse(status=503))
        await misbehave(reply.fault, answer, scope, receive, send)
    elif reply.response is not None:
        await _send(reply.response, connection_of(scope), send)


async def _read_request(scope: Scope, receive: Receive, *, longest: int) -> WireRequest | None:
    content = await _read_content(receive, longest)
    if content is None:
        return None
    return WireRequest(
        method=scope["method"], target=_target(scope), headers=_headers(scope), content=content
    )


def _response(answer: WireResponse) -> Response:
    return Response(answer.content, answer.status, answer.headers)


async def _send(answer: WireResponse, connection: Connection | None, send: Send) -> None:
    """Send an answer as `_response` would, at half its cost and in one piece."""
    headers = [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()
    ]
    if answer.status != 204:
        headers.append((b"content-length", b"%d" % len(answer.content)))
    if connection is not None:
        connection.hold()
    try:
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.content})
    finally:
        if connection is not None:
            connection.finish(connection.take())


async def _read_content(receive: Receive, longest: int) -> bytes | None:
    """Return the content, of a long one just enough to be refused; None if the client left."""
    kept = bytearray()
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk: bytes = message.get("body", b"")
        if not kept and len(chunk) <= longest and not message.get("more_body", False):
            return chunk
        size += len(chunk)
        kept += chunk[: longest + 1 - len(kept)]
        if size > MOST_BYTES_READ or not message.get("more_body", False):
            return bytes(kept)


def _target(scope: Scope) -> str:
    # ASGI lets servers leave the raw path out.
    raw_path: bytes = scope.get("raw_path") or quote(scope["path"]).encode("ascii")
    return raw_path.decode("latin-1")


def _headers(scope: Scope) -> dict[str, str]:
    fields: list[tuple[bytes, bytes]] = scope["headers"]
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in fields}
    if len(headers) < len(fields):
        headers.clear()
        for name, value in (
            (name.decode("latin-1"), each.decode("latin-1")) for name, each in fields
        ):
            # RFC 9110, 5.3: fields of one name are one list.
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
