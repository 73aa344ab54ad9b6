"""A session or participant that may exist at the service although nothing uses it."""

from datetime import datetime
from typing import Literal

from attrs import frozen


@frozen(kw_only=True)
class InDoubt:
    """A session or participant that may exist; the service deletes it after nine hours.

    Attributes:
        kind: "session" or "participant".
        id: The service's id, or None if the response that has it was lost.
        name: The participant's name in its plan; empty for a session.
        tag: The tag that the create asked for, which webhooks and billing records show.
        since: The time at which the create was sent, in UTC; None if an earlier run sent it.
        key: The plan's key.
    """

    kind: Literal["session", "participant"]
    id: str | None
    name: str = ""
    tag: str | None = None
    since: datetime | None = None
    key: str = ""

    def __str__(self) -> str:
        named = f" {self.name}" if self.name else ""
        known = f" {self.id}" if self.id else " without a known id"
        tagged = f", tagged {self.tag!r}" if self.tag else ""
        sent = f", from {self.since:%Y-%m-%d %H:%M:%S}Z" if self.since else ""
        return f"{self.kind}{named}{known}{tagged}{sent}"
