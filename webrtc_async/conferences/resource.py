"""A session or participant at the service, by its id."""

from typing import Literal

from attrs import frozen


@frozen
class Resource:
    """A session or participant that was created at the service and can be deleted there.

    Attributes:
        kind: "session" or "participant".
        id: The service's id.
        name: The participant's name in its plan; empty for a session.
    """

    kind: Literal["session", "participant"]
    id: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.id}" if self.name else f"{self.kind} {self.id}"
