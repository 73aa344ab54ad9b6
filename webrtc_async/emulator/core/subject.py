"""The subject of a request: its operation, and the session, participant and tags it is about."""

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import field, frozen

from webrtc_async._codec.model_codec import read_object
from webrtc_async._protocol.wire import WireRequest
from webrtc_async.emulator.core.handler_table import Match
from webrtc_async.emulator.core.state import AccountState


@frozen
class Subject:
    """The subject of one request.

    Attributes:
        operation: Name of the operation; None for an unknown path or method.
        session_id: The session in the path; None without one.
        participant_id: The participant in the path; None without one.
        tags: Tags of that participant and that session; for a create, the tag in the body.
        headers: The request's headers, by lower-case name.
    """

    operation: str | None
    session_id: str | None = None
    participant_id: str | None = None
    tags: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(factory=dict[str, str], repr=False)

    @property
    def tag(self) -> str | None:
        """The participant's tag, or else the session's; None without one."""
        return next(iter(self.tags), None)


def subject_of(
    request: WireRequest,
    operation: str | None,
    match: Match[Any] | None,
    state: AccountState | None,
) -> Subject:
    """Return the subject of a request.

    Args:
        request: The request.
        operation: The name of its operation.
        match: The request's route and the ids in its path; None for an unknown path or method.
        state: The state of the account in the path; None if there is no such account.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    if match is None:
        return Subject(operation, headers=headers)
    ids = dict(zip(match.route.caller_names, match.ids, strict=True))
    session_id, participant_id = ids.get("session_id"), ids.get("participant_id")
    found = (
        [read_object(request.content).get("tag")]
        if match.route.creates
        else _tags(state, session_id, participant_id)
    )
    tags = tuple(tag for tag in found if isinstance(tag, str))
    return Subject(operation, session_id, participant_id, tags, headers)


def _tags(
    state: AccountState | None, session_id: str | None, participant_id: str | None
) -> Iterator[object]:
    if state is not None:
        participant = state.participants.get(participant_id or "")
        session = state.sessions.get(session_id or "")
        yield from (record.tag for record in (participant, session) if record is not None)
