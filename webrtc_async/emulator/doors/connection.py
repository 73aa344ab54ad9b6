"""A connection of uvicorn's whose bytes the application can take into its own hands."""

import asyncio
import os
import socket
import struct
from typing import Any, Final, cast

from starlette.types import Scope

PATIENCE: Final = 20.0
"""Seconds that a connection may leave the server waiting before it is closed."""

STATE_KEY: Final = "webrtc_async.connection"
"""Where a scope's state holds the connection."""

# l_onoff and l_linger of SO_LINGER: closing sends a reset. Windows has short ones.
_RESET_ON_CLOSE: Final = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Connection:
    """A transport that can hold back what is written to it.

    It stands before the event loop's own, so that the server's record of the exchange stays right
    whatever really goes out.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held: list[bytes] | None = None
        self._is_to_close = False

    # All that a server asks of a transport and that is not here.
    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send bytes, or keep them if they are held back."""
        if self._held is None:
            self._transport.write(data)
        else:
            self._held.append(data)

    def close(self) -> None:
        """Close after what was written, at once or when nothing is held back any more."""
        if self._held is None:
            self._transport.close()
        else:
            self._is_to_close = True

    def is_closing(self) -> bool:
        """Whether nothing more is sent."""
        return self._transport.is_closing()

    def hold(self) -> None:
        """Hold back what is written from now on."""
        self._held = []

    def take(self) -> bytes:
        """Return what was held back, and hold back nothing more."""
        held, self._held = self._held or (), None
        return b"".join(held)

    def finish(self, last: bytes) -> None:
        """Send the last bytes of an answer, and close if that was asked for meanwhile."""
        self._transport.write(last)
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


def protocol_over(
    base: type[asyncio.Protocol], *, patience: float = PATIENCE
) -> type[asyncio.Protocol]:
    """Return an HTTP protocol of uvicorn's whose scopes hold their `Connection`.

    It closes a connection that leaves it waiting for a request, or for the rest of one, where
    uvicorn itself waits for ever.

    Args:
        base: uvicorn's protocol.
        patience: Seconds that a connection may leave it waiting.
    """

    class Protocol(base):  # type: ignore[misc,valid-type]
        # uvicorn's: what every scope's state begins with, and the last request that has begun.
        app_state: dict[str, Any]
        cycle: Any

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            connection = Connection(cast("asyncio.Transport", transport))
            self.app_state = {**self.app_state, STATE_KEY: connection}
            self._loop = asyncio.get_running_loop()
            self._connection = connection
            self._heard_at = self._loop.time()
            # One timer for all requests of a connection costs less than one for each.
            self._timer = self._loop.call_later(patience, self._look)
            super().connection_made(cast("asyncio.Transport", connection))

        def connection_lost(self, exc: Exception | None) -> None:
            self._timer.cancel()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            # A body may come slowly; a head that does is no better than silence.
            if self.cycle is not None and not self.cycle.response_complete:
                self._heard_at = self._loop.time()
            super().data_received(data)

        def on_response_complete(self) -> None:
            self._heard_at = self._loop.time()
            super().on_response_complete()  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]

        def _look(self) -> None:
            now = self._loop.time()
            is_waiting = self.cycle is None or self.cycle.response_complete or self.cycle.more_body
            left = self._heard_at + patience - now if is_waiting else patience
            if left > 0:
                self._timer = self._loop.call_later(left, self._look)
            else:
                self._connection.close()

    return Protocol


def connection_of(scope: Scope) -> Connection | None:
    """Return the connection that a request came by; None under another server."""
    connection = scope.get("state", {}).get(STATE_KEY)
    return connection if isinstance(connection, Connection) else None
