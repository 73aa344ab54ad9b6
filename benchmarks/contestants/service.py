"""The work that every contestant does, and what it is told."""

import ssl
from typing import NamedTuple, Protocol

ACCOUNT, USER, PASSWORD = "9900000", "user", "password"
DEADLINE = 30.0
PARTICIPANT = {
    "callbackUrl": "https://example.com/callbacks/webrtc",
    "publishPermissions": ["AUDIO", "VIDEO"],
    "tag": "visit-42-doctor",
    "deviceApiVersion": "V3",
}


class Place(NamedTuple):
    """Where the service is, and how it may be reached."""

    url: str
    connections: int
    certificate: str | None = None

    def context(self) -> ssl.SSLContext | None:
        """Return what verifies the server; None over plain TCP."""
        if self.certificate is None:
            return None
        return ssl.create_default_context(cafile=self.certificate)


class Service(Protocol):
    """The calls of a conference."""

    async def create_session(self) -> str: ...

    async def create_participant(self) -> str: ...

    async def add(self, session: str, participant: str) -> None: ...

    async def delete_participant(self, participant: str) -> None: ...

    async def delete_session(self, session: str) -> None: ...
