"""TLS sessions that new connections resume, which spares half of a handshake."""

import ssl
from typing import Any, Final, cast

from webrtc_async._transport.http1.connection import Origin

_MAX_SERVERS: Final = 16


class TlsSessions:
    """The latest TLS connection to each server.

    A session belongs to one server: a handshake that resumes it checks no certificate.
    """

    def __init__(self) -> None:
        self._latest: dict[Origin, ssl.SSLObject] = {}

    def note(self, origin: Origin, connected: ssl.SSLObject) -> None:
        """Keep the latest connection, because TLS 1.3 sends its sessions after the handshake."""
        if len(self._latest) >= _MAX_SERVERS:
            self._latest.clear()
        self._latest[origin] = connected

    def resuming(self, origin: Origin, context: ssl.SSLContext) -> ssl.SSLContext:
        """Return the context for the next connection to a server, which resumes its session."""
        latest = self._latest.get(origin)
        if latest is None or latest.context is not context:
            return context
        return cast("ssl.SSLContext", _ResumingContext(context, latest.session))

    def forget(self) -> None:
        """Forget every session."""
        self._latest.clear()


class _ResumingContext:
    """A context as asyncio and uvloop use it; neither passes a session on."""

    def __init__(self, context: ssl.SSLContext, session: ssl.SSLSession | None) -> None:
        self._context = context
        self._session = session

    def wrap_bio(
        self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, **options: Any
    ) -> ssl.SSLObject:
        return self._context.wrap_bio(incoming, outgoing, session=self._session, **options)
