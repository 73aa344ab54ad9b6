"""ASGI middleware that refuses requests for foreign hosts."""

from collections.abc import Collection

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from webrtc_async.emulator.control.own_host import is_own_host


class OwnHostOnly:
    """ASGI middleware that responds with a 403 to a foreign Host header.

    Args:
        app: The application for all other requests.
        allowed_hosts: Further names of this machine, in lower case.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: Collection[str] = ()) -> None:
        self._app = app
        self._allowed_hosts = allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request, or pass it to the application."""
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(hosts) == 1 and is_own_host(
            hosts[0], local_address=local_address(scope), allowed_hosts=self._allowed_hosts
        ):
            await self._app(scope, receive, send)
            return
        refusal = PlainTextResponse(
            "Only the hosts localhost and this machine's addresses are allowed.\n", 403
        )
        await refusal(scope, receive, send)


def local_address(scope: Scope) -> str | None:
    """Return this machine's address of a request's connection, if known."""
    server: tuple[str, int | None] | None = scope.get("server")
    return None if server is None else server[0]
