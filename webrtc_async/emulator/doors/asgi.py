"""The emulator as an ASGI application."""

import contextlib
from collections.abc import AsyncGenerator, Collection
from typing import Final
from urllib.parse import quote

from attrs import evolve
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from webrtc_async._protocol.wire import WireRequest, WireResponse
from webrtc_async.emulator.control.call import CONTROL_PATH
from webrtc_async.emulator.control.calls import MAX_CONTROL_BODY, Control
from webrtc_async.emulator.core.service import MAX_BODY
from webrtc_async.emulator.doors.asgi_faults import send_with_fault, waited
from webrtc_async.emulator.doors.connection import Connection, connection_of
from webrtc_async.emulator.doors.host_check import OwnHostOnly, local_address
from webrtc_async.emulator.emulator import Emulator
from webrtc_async.emulator.page.routes import page_routes
from webrtc_async.emulator.webhooks.delivery import delivering

MAX_BYTES_READ: Final = 256 * 1024 * 1024
"""Maximum size of a request that is read to its end before the response, in bytes."""

HEALTH_PATH: Final = f"{CONTROL_PATH}/health"
"""Path for health checks, without the control API and under any host too."""


def emulator_app(
    emulator: Emulator, *, control: bool = True, allowed_hosts: Collection[str] = ()
) -> ASGIApp:
    """Return an ASGI application that serves an emulator.

    During its lifespan it delivers the emulator's webhooks.

    Args:
        emulator: The emulator to serve.
        control: True to serve the control API and the page as well.
        allowed_hosts: Names of this machine besides localhost and its addresses, under which the
            control API and the page are served.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_: object) -> AsyncGenerator[None]:
        async with delivering(emulator.webhooks):
            yield

    names = frozenset(each.lower() for each in allowed_hosts)
    routes = [Route(HEALTH_PATH, Response("ok\n", media_type="text/plain"))]
    router = Router(
        [*routes, *_control_routes(emulator, names)] if control else routes,
        redirect_slashes=False,
        lifespan=lifespan,
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # A router costs more than the service's whole response, so API requests skip it.
        if scope["type"] == "http" and not _is_own_path(scope, control=control):
            await _serve(emulator, scope, receive, send)
        else:
            await router(scope, receive, send)

    return app


def _is_own_path(scope: Scope, *, control: bool) -> bool:
    """Return True for the paths that are the emulator's and not the service's."""
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    if not control:
        return path == HEALTH_PATH
    is_control_path = path.startswith(CONTROL_PATH) and path[len(CONTROL_PATH) :][:1] in {"", "/"}
    return is_control_path or path == "/"


def _control_routes(emulator: Emulator, allowed_hosts: Collection[str]) -> list[BaseRoute]:
    page = OwnHostOnly(Router(page_routes(emulator.overview)), allowed_hosts)
    # Relative, so that it also works if the application is mounted under a path.
    to_page = OwnHostOnly(RedirectResponse(f"{CONTROL_PATH.strip('/')}/"), allowed_hosts)
    return [
        _ControlPaths(Control(emulator, allowed_hosts=allowed_hosts)),
        Route("/", to_page),
        Route(CONTROL_PATH, to_page),
        Mount(CONTROL_PATH, page),
    ]


class _ControlPaths(BaseRoute):
    """The control calls. A Route would match the decoded path and split a value at its %2F."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        is_control_call = scope["type"] == "http" and self._control.has(_target(scope))
        return (Match.FULL if is_control_call else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await _read_request(scope, receive, max_size=MAX_CONTROL_BODY)
        if request is not None:
            # The scheme is known here only.
            origin = f"{scope['scheme']}://{request.headers.get('host', '')}"
            request = evolve(request, target=origin + request.target)
            found = self._control.respond_guarded(request, local_address=local_address(scope))
            await _response(found)(scope, receive, send)


async def _serve(emulator: Emulator, scope: Scope, receive: Receive, send: Send) -> None:
    request = await _read_request(scope, receive, max_size=MAX_BODY)
    if request is None:
        return
    reply = emulator.reply_to(request)
    if reply.delay and not await waited(reply.delay, receive):
        return
    if reply.fault is not None:
        response = _response(reply.response or WireResponse(status=503))
        await send_with_fault(reply.fault, response, scope, receive, send)
    elif reply.response is not None:
        await _send(reply.response, connection_of(scope), send)


async def _read_request(scope: Scope, receive: Receive, *, max_size: int) -> WireRequest | None:
    content = await _read_content(receive, max_size)
    if content is None:
        return None
    return WireRequest(
        method=scope["method"], target=_target(scope), headers=_headers(scope), content=content
    )


def _response(found: WireResponse) -> Response:
    return Response(found.content, found.status, found.headers)


async def _send(response: WireResponse, connection: Connection | None, send: Send) -> None:
    """Send a response like `_response` does, at half the cost and in one write."""
    headers = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in response.headers.items()
    ]
    if response.status != 204:
        headers.append((b"content-length", b"%d" % len(response.content)))
    if connection is not None:
        connection.hold()
    try:
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.content})
    finally:
        if connection is not None:
            connection.finish(connection.take())


async def _read_content(receive: Receive, max_size: int) -> bytes | None:
    """Return the content, cut at one byte over the maximum, or None if the client left."""
    kept = bytearray()
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk: bytes = message.get("body", b"")
        if not kept and len(chunk) <= max_size and not message.get("more_body", False):
            return chunk
        size += len(chunk)
        kept += chunk[: max_size + 1 - len(kept)]
        if size > MAX_BYTES_READ or not message.get("more_body", False):
            return bytes(kept)


def _target(scope: Scope) -> str:
    # The raw path is optional in ASGI.
    raw_path: bytes = scope.get("raw_path") or quote(scope["path"]).encode("ascii")
    query: bytes = scope.get("query_string", b"")
    return (raw_path + b"?" + query if query else raw_path).decode("latin-1")


def _headers(scope: Scope) -> dict[str, str]:
    fields: list[tuple[bytes, bytes]] = scope["headers"]
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in fields}
    if len(headers) < len(fields):
        headers.clear()
        for name, value in (
            (name.decode("latin-1"), each.decode("latin-1")) for name, each in fields
        ):
            # RFC 9110, 5.3: fields with the same name form a list.
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
