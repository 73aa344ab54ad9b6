"""The service that every contestant calls, and the calls it makes."""

import ssl
from typing import NamedTuple, Protocol

ACCOUNT, USER, PASSWORD = "9900000", "user", "password"
SESSION_ID = "75c21163-e110-41bc-bd76-1bb428ec85d5"
DEADLINE = 120.0
"""Seconds; valgrind makes everything fifty times as slow."""

PARTICIPANT = {
    "callbackUrl": "https://example.com/callbacks/webrtc",
    "publishPermissions": ["AUDIO", "VIDEO"],
    "tag": "visit-42-doctor",
    "deviceApiVersion": "V3",
}
NAMES = ("a", "b", "c", "d")
"""The participants of a conference."""


class ServiceAddress(NamedTuple):
    """An address of the service, and the limits for reaching it.

    Attributes:
        url: Scheme, host and port.
        connections: Most connections to open.
        authority: File with the certificate authority to trust; None over plain TCP.
    """

    url: str
    connections: int
    authority: str | None = None

    def ssl_context(self) -> ssl.SSLContext | None:
        """Return the context that verifies the server; None over plain TCP."""
        if self.authority is None:
            return None
        return ssl.create_default_context(cafile=self.authority)


class CallingClient(Protocol):
    """A client that makes single calls."""

    async def create_participant(self) -> str:
        """Create a participant and return its id."""
        ...

    async def list_participants(self) -> int:
        """List a session's participants and return their number."""
        ...


class ConferenceClient(Protocol):
    """A client that sets conferences up and tears them down."""

    async def run_conferences(self, count: int) -> None:
        """Set up and tear down conferences of four."""
        ...


class PlanClient(Protocol):
    """A client that sets conferences up from plans."""

    async def set_up(self, count: int, journal: str | None = None) -> None:
        """Set up this many plans, and drop each result."""
        ...
