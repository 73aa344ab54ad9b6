"""Connections of uvicorn whose bytes the application can hold back and change."""

import asyncio
import os
import socket
import struct
from typing import Any, Final, cast

from starlette.types import Scope

IDLE_TIMEOUT: Final = 20.0
"""Seconds without a byte from the client after which a connection is closed."""

STATE_KEY: Final = "webrtc_async.connection"
"""Key of the connection in a scope's state."""

# l_onoff and l_linger of SO_LINGER: closing sends a reset. Windows uses shorts.
_RESET_ON_CLOSE: Final = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Connection:
    """A transport that can hold back the bytes written to it.

    It wraps the event loop's transport, so that the server's own state of the exchange stays
    correct whatever bytes are sent.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held: list[bytes] | None = None
        self._close_when_sent = False

    # All other methods of a transport.
    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send bytes, or keep them while holding back."""
        if self._held is None:
            self._transport.write(data)
        else:
            self._held.append(data)

    def close(self) -> None:
        """Close after all written bytes; while holding back, `finish` closes."""
        if self._held is None:
            self._transport.close()
        else:
            self._close_when_sent = True

    def is_closing(self) -> bool:
        """Return True if the connection is closing or closed."""
        return self._transport.is_closing()

    def hold(self) -> None:
        """Hold back all bytes written from now on."""
        self._held = []

    def take(self) -> bytes:
        """Return the bytes held back, and stop holding back."""
        held, self._held = self._held or (), None
        return b"".join(held)

    def finish(self, last: bytes) -> None:
        """Send the last bytes of a response, and close if `close` was called before."""
        self._transport.write(last)
        if self._close_when_sent:
            self._transport.close()

    def end(self, ending: str | None) -> None:
        """Close the connection, with a reset for the ending "reset"."""
        # Once the client has closed the connection, there is no socket for the option.
        if ending == "reset" and not self._transport.is_closing():
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._transport.abort()
        else:
            self._transport.close()

    @property
    def _socket(self) -> socket.socket:
        return cast("socket.socket", self._transport.get_extra_info("socket"))


def idle_timeout_protocol(
    base: type[asyncio.Protocol], *, idle_timeout: float = IDLE_TIMEOUT
) -> type[asyncio.Protocol]:
    """Return a subclass of uvicorn's HTTP protocol whose scopes hold their `Connection`.

    It closes a connection while it waits too long for a request or the rest of one; uvicorn itself
    would wait forever.

    Args:
        base: uvicorn's protocol class.
        idle_timeout: Seconds without a byte from the client after which a connection is closed.
    """

    class Protocol(base):  # type: ignore[misc,valid-type]
        # Attributes of uvicorn's class: the initial state of every scope, and the last request.
        app_state: dict[str, Any]
        cycle: Any

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            connection = Connection(cast("asyncio.Transport", transport))
            self.app_state = {**self.app_state, STATE_KEY: connection}
            self._loop = asyncio.get_running_loop()
            self._connection = connection
            self._active_at = self._loop.time()
            # One timer for each connection costs less than one for each request.
            self._timer = self._loop.call_later(idle_timeout, self._check_idle)
            super().connection_made(cast("asyncio.Transport", connection))

        def connection_lost(self, exc: Exception | None) -> None:
            self._timer.cancel()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            # A slow body counts as activity; a slow head does not.
            if self.cycle is not None and not self.cycle.response_complete:
                self._active_at = self._loop.time()
            super().data_received(data)

        def on_response_complete(self) -> None:
            self._active_at = self._loop.time()
            super().on_response_complete()  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]

        def _check_idle(self) -> None:
            now = self._loop.time()
            is_waiting = self.cycle is None or self.cycle.response_complete or self.cycle.more_body
            remaining = self._active_at + idle_timeout - now if is_waiting else idle_timeout
            if remaining > 0:
                self._timer = self._loop.call_later(remaining, self._check_idle)
            else:
                self._connection.close()

    return Protocol


def connection_of(scope: Scope) -> Connection | None:
    """Return a request's connection, or None if another server runs the application."""
    connection = scope.get("state", {}).get(STATE_KEY)
    return connection if isinstance(connection, Connection) else None
