"""A connection of uvicorn's whose bytes the application can take into its own hands."""

import asyncio
import os
import socket
import struct
from typing import Any, Final, cast

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATIENCE: Final = 20.0
"""Seconds that a connection may leave the server waiting before it is closed."""

EXTENSION: Final = "webrtc_async.connection"
"""Where a scope's extensions hold the connection."""

# l_onoff and l_linger of SO_LINGER: closing sends a reset. Windows has short ones.
_RESET_ON_CLOSE: Final = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Connection:
    """A transport that can hold back what is written to it.

    It stands before the event loop's own, so that the server's record of the exchange stays right
    whatever really goes out.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held: bytearray | None = None
        self._is_to_close = False

    # All that a server asks of a transport and that is not here.
    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send bytes, or keep them if they are held back."""
        if self._held is None:
            self._transport.write(data)
        else:
            self._held += data

    def close(self) -> None:
        """Close after what was written, at once or when nothing is held back any more."""
        if self._held is None:
            self._transport.close()
        else:
            self._is_to_close = True

    def hold(self) -> None:
        """Hold back what is written from now on."""
        self._held = bytearray()

    def take(self) -> bytes:
        """Return what was held back, and hold back nothing more."""
        held, self._held = bytes(self._held or b""), None
        return held

    def finish(self) -> None:
        """Close if that was asked for meanwhile."""
        if self._is_to_close:
            self._transport.close()

    def end(self, ending: str | None) -> None:
        """Close in order, or with a reset."""
        # Once the caller has gone, there is no socket to set anything on.
        if ending == "reset" and not self._transport.is_closing():
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._transport.abort()
        else:
            self._transport.close()

    @property
    def _socket(self) -> socket.socket:
        return cast("socket.socket", self._transport.get_extra_info("socket"))


class Patience:
    """Closes a connection that leaves the server waiting for a request, or for the rest of one.

    uvicorn itself waits for ever.
    """

    def __init__(self, connection: Connection, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._waiting_since: float | None = self._loop.time()
        self._timer = self._loop.call_later(seconds, self._look)

    def begin(self) -> None:
        """Begin to wait for the client."""
        self._waiting_since = self._loop.time()

    def rest(self) -> None:
        """Stop waiting: it is the server's turn."""
        self._waiting_since = None

    def end(self) -> None:
        """Look no more."""
        self._timer.cancel()

    # One timer for all requests of a connection costs less than one for each.
    def _look(self) -> None:
        since = self._waiting_since
        now = self._loop.time()
        left = self._seconds if since is None else since + self._seconds - now
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        else:
            self._connection.close()


def protocol_over(
    base: type[asyncio.Protocol], *, patience: float = PATIENCE
) -> type[asyncio.Protocol]:
    """Return an HTTP protocol of uvicorn's whose scopes hold their `Connection`.

    Args:
        base: uvicorn's protocol.
        patience: Seconds that a connection may leave it waiting.
    """

    class Protocol(base):  # type: ignore[misc,valid-type]
        app: ASGIApp

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            connection = Connection(cast("asyncio.Transport", transport))
            # uvicorn hands each request of this connection to its protocol's `app`.
            self._patience = Patience(connection, patience)
            self.app = _with_connection(self.app, connection, self._patience)
            super().connection_made(cast("asyncio.Transport", connection))

        def connection_lost(self, exc: Exception | None) -> None:
            self._patience.end()
            super().connection_lost(exc)

    return Protocol


def connection_of(scope: Scope) -> Connection | None:
    """Return the connection that a request came by; None under another server."""
    connection = scope.get("extensions", {}).get(EXTENSION)
    return connection if isinstance(connection, Connection) else None


def _with_connection(app: ASGIApp, connection: Connection, patience: Patience) -> ASGIApp:
    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[EXTENSION] = connection
        body_came = False

        async def received() -> Message:
            nonlocal body_came
            # After the body, this waits for the client to leave, which may take its time.
            if body_came:
                return await receive()
            patience.begin()
            message = await receive()
            patience.rest()
            body_came = not message.get("more_body", False)
            return message

        patience.rest()
        try:
            await app(scope, received, send)
        finally:
            patience.begin()

    return told
