"""Undoing a create that nobody got the answer of.

The service has no idempotency key and no list of sessions, so an id that is lost is lost. Where an
answer arrives too late or broken and still holds the id, what it names can be deleted.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from webrtc_async._protocol.route import Route
from webrtc_async.route_table import (
    CREATE_PARTICIPANT,
    CREATE_SESSION,
    DELETE_PARTICIPANT,
    DELETE_SESSION,
)

_UNDONE_BY: Final[Mapping[str, tuple[Route[Any, None], str]]] = {
    CREATE_SESSION.operation: (DELETE_SESSION, "session_id"),
    CREATE_PARTICIPANT.operation: (DELETE_PARTICIPANT, "participant_id"),
}

# The service's ids are UUIDs. A quote inside a JSON text has a backslash before it, so no tag can
# pass for a key.
_ID: Final = re.compile(rb'"id"\s*:\s*"([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})"')


def created_id(content: bytes) -> str | None:
    """Return the one id that an answer has, whole or not; None where it has none, or several.

    With several, the wrong thing could be deleted.
    """
    found = {match.decode("ascii") for match in _ID.findall(content)}
    return found.pop() if len(found) == 1 else None


def undoing(route: Route[Any, Any], resource_id: str) -> tuple[Route[Any, None], dict[str, str]]:
    """Return the route that deletes what a create made, and its path values but the account's."""
    delete, name = _UNDONE_BY[route.operation]
    return delete, {name: resource_id}
