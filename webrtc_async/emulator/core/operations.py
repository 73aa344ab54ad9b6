"""The eleven operations, each a method that validates everything before it changes anything."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from attrs import frozen

from webrtc_async import route_table
from webrtc_async.emulator.core.answers import Answers
from webrtc_async.emulator.core.device_tokens import TokenMint
from webrtc_async.emulator.core.handler_table import HandlerTable
from webrtc_async.emulator.core.refusal import bad_request
from webrtc_async.emulator.core.state import (
    LIFETIME,
    AccountState,
    ParticipantRecord,
    SessionRecord,
    new_id,
)
from webrtc_async.models import Participant, PublishPermission, Session, Subscriptions

LONGEST_TAG: Final = 50

# inferred: V2 from the years in which the service took both, and from SDKs that still send it.
_DEVICE_API_VERSIONS: Final = frozenset({"V3", "V2"})

operations: Final = HandlerTable["Account"]()


@frozen(eq=False)
class Account:
    """One account: its state, and what its operations need to change it."""

    id: str
    clock: Callable[[], float]
    ids: Random
    mint: TokenMint
    answers: Answers
    state: AccountState

    @operations.answers(route_table.CREATE_PARTICIPANT)
    def create_participant(self, participant: Participant) -> dict[str, object]:
        """Make a participant; what only the service gives is ignored."""
        if problems := [*_participant_problems(participant)]:
            raise bad_request(*problems)
        permissions = participant.publish_permissions
        record = ParticipantRecord(
            id=new_id(self.ids),
            # inferred: an unusable URL is no error, because only its use is said to depend on it.
            callback_url=participant.callback_url,
            # inferred: both, because every sample participant that asks for nothing can do both.
            publish_permissions=frozenset(PublishPermission)
            if permissions is None
            else permissions,
            tag=participant.tag,
            device_api_version=(participant.device_api_version or "V3").upper(),
            expires_at=self.clock() + LIFETIME,
        )
        self.state.participants[record.id] = record
        return self.answers.created_participant(record, self.mint.mint(self.id, record))

    @operations.answers(route_table.GET_PARTICIPANT)
    def get_participant(self, participant_id: str) -> dict[str, object]:
        """Return a participant."""
        return self.answers.participant(self.state.participant(participant_id))

    @operations.answers(route_table.DELETE_PARTICIPANT)
    def delete_participant(self, participant_id: str) -> None:
        """Delete a participant, which leaves its session."""
        self.state.delete_participant(self.state.participant(participant_id))

    @operations.answers(route_table.CREATE_SESSION)
    def create_session(self, session: Session) -> dict[str, object]:
        """Make a session; a given id is ignored."""
        if problems := [*_tag_problems(session.tag)]:
            raise bad_request(*problems)
        record = SessionRecord(
            id=new_id(self.ids), tag=session.tag, expires_at=self.clock() + LIFETIME
        )
        self.state.sessions[record.id] = record
        return self.answers.session(record)

    @operations.answers(route_table.GET_SESSION)
    def get_session(self, session_id: str) -> dict[str, object]:
        """Return a session."""
        return self.answers.session(self.state.session(session_id))

    @operations.answers(route_table.DELETE_SESSION)
    def delete_session(self, session_id: str) -> None:
        """Delete a session, and its participants where the switches say so."""
        session = self.state.session(session_id)
        if self.answers.switches.participants_of_deleted_session == "deleted":
            for participant in list(session.members.values()):
                self.state.delete_participant(participant)
        self.state.delete_session(session)

    @operations.answers(route_table.LIST_SESSION_PARTICIPANTS)
    def list_session_participants(self, session_id: str) -> list[dict[str, object]] | None:
        """Return a session's members in order of joining."""
        return self.answers.participants(self.state.session(session_id).members.values())

    @operations.answers(route_table.ADD_PARTICIPANT_TO_SESSION)
    def add_participant_to_session(
        self, session_id: str, participant_id: str, subscriptions: Subscriptions
    ) -> None:
        """Have a participant join a session, with exactly these subscriptions."""
        session, participant = self._subscriber(session_id, participant_id, subscriptions)
        self.state.join(session, participant)
        # inferred: joining again writes what joining once would have, because it is a PUT.
        self.state.subscribe(session, participant, subscriptions)

    @operations.answers(route_table.REMOVE_PARTICIPANT_FROM_SESSION)
    def remove_participant_from_session(self, session_id: str, participant_id: str) -> None:
        """Have a participant leave a session; it survives."""
        session = self.state.session(session_id)
        self.state.leave(session, self.state.participant(participant_id))

    @operations.answers(route_table.GET_PARTICIPANT_SUBSCRIPTIONS)
    def get_participant_subscriptions(
        self, session_id: str, participant_id: str
    ) -> dict[str, object] | None:
        """Return what a participant receives in a session."""
        session = self.state.session(session_id)
        chosen = self.state.participant(participant_id).subscriptions.get(session.id)
        return self.answers.subscriptions(session.id, chosen)

    @operations.answers(route_table.UPDATE_PARTICIPANT_SUBSCRIPTIONS)
    def update_participant_subscriptions(
        self, session_id: str, participant_id: str, subscriptions: Subscriptions
    ) -> None:
        """Replace what a participant receives in a session, of which it need not be a member."""
        session, participant = self._subscriber(session_id, participant_id, subscriptions)
        self.state.subscribe(session, participant, subscriptions)

    def _subscriber(
        self, session_id: str, participant_id: str, chosen: Subscriptions
    ) -> tuple[SessionRecord, ParticipantRecord]:
        # inferred: refused, because the two are documented to be the same, and nothing is said of
        # another session's id; an empty one is as good as none.
        if chosen.is_everyone and chosen.session_id != session_id:
            raise bad_request("sessionId: not the session of the path")
        session = self.state.session(session_id)
        participant = self.state.participant(participant_id)
        for each in chosen.participants:
            self.state.participant(each.participant_id)
        return session, participant


def _participant_problems(participant: Participant) -> Iterator[str]:
    yield from _tag_problems(participant.tag)
    for each in sorted(participant.publish_permissions or ()):
        if not each.is_known:
            yield f"publishPermissions: {each.value[:64]!r} is not AUDIO or VIDEO"
    version = participant.device_api_version
    if version is not None and version.upper() not in _DEVICE_API_VERSIONS:
        yield f"deviceApiVersion: {version.value[:64]!r} is not V3"


def _tag_problems(tag: str | None) -> Iterator[str]:
    # inferred: refused, because a tag cut short could be billed to somebody else.
    if tag is not None and len(tag) > LONGEST_TAG:
        yield f"tag: {len(tag)} characters, and at most {LONGEST_TAG} are allowed"
