"""Keeps requests that do not name this machine as their host from an application."""

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from webrtc_async.emulator.control.own_host import is_own_host


class OwnHostOnly:
    """An application that answers 403 to requests that name a foreign host.

    Args:
        app: What answers the others.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        server: tuple[str, int | None] | None = scope.get("server")
        reached = None if server is None else server[0]
        if len(hosts) == 1 and is_own_host(hosts[0], reached=reached):
            await self._app(scope, receive, send)
            return
        refusal = PlainTextResponse(
            "This is for localhost and this machine's addresses, not for other host names.\n", 403
        )
        await refusal(scope, receive, send)
