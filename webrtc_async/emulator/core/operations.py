"""The eleven operations; each method validates the whole request before it changes state."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from attrs import frozen

from webrtc_async import route_table
from webrtc_async.emulator.core.device_tokens import DeviceTokens
from webrtc_async.emulator.core.handler_table import HandlerTable
from webrtc_async.emulator.core.refusal import bad_request
from webrtc_async.emulator.core.response_bodies import ResponseBodies
from webrtc_async.emulator.core.state import (
    LIFETIME,
    AccountState,
    ParticipantRecord,
    SessionRecord,
    new_id,
)
from webrtc_async.models import Participant, PublishPermission, Session, Subscriptions

MAX_TAG_LENGTH: Final = 50

# inferred: V2 from the years in which the service took both, and from SDKs that still send it.
_DEVICE_API_VERSIONS: Final = frozenset({"V3", "V2"})

operations: Final = HandlerTable["Account"]()


@frozen(eq=False)
class Account:
    """One account: its state, and the operations on it."""

    id: str
    clock: Callable[[], float]
    ids: Random
    device_tokens: DeviceTokens
    bodies: ResponseBodies
    state: AccountState

    @operations.handles(route_table.CREATE_PARTICIPANT)
    def create_participant(self, participant: Participant) -> dict[str, object]:
        """Create a participant; read-only fields in the request are ignored."""
        if problems := [*_participant_problems(participant)]:
            raise bad_request(*problems)
        permissions = participant.publish_permissions
        record = ParticipantRecord(
            id=new_id(self.ids),
            # inferred: an unusable URL is no error; the documentation only says it is not used.
            callback_url=participant.callback_url,
            # inferred: both, because the samples' participants without permissions publish both.
            publish_permissions=frozenset(PublishPermission)
            if permissions is None
            else permissions,
            tag=participant.tag,
            device_api_version=(participant.device_api_version or "V3").upper(),
            expires_at=self.clock() + LIFETIME,
        )
        self.state.participants[record.id] = record
        return self.bodies.created_participant(record, self.device_tokens.issue(self.id, record))

    @operations.handles(route_table.GET_PARTICIPANT)
    def get_participant(self, participant_id: str) -> dict[str, object]:
        """Return a participant."""
        return self.bodies.participant(self.state.participant(participant_id))

    @operations.handles(route_table.DELETE_PARTICIPANT)
    def delete_participant(self, participant_id: str) -> None:
        """Delete a participant; it leaves its session."""
        self.state.delete_participant(self.state.participant(participant_id))

    @operations.handles(route_table.CREATE_SESSION)
    def create_session(self, session: Session) -> dict[str, object]:
        """Create a session; an id in the request is ignored."""
        if problems := [*_tag_problems(session.tag)]:
            raise bad_request(*problems)
        record = SessionRecord(
            id=new_id(self.ids), tag=session.tag, expires_at=self.clock() + LIFETIME
        )
        self.state.sessions[record.id] = record
        return self.bodies.session(record)

    @operations.handles(route_table.GET_SESSION)
    def get_session(self, session_id: str) -> dict[str, object]:
        """Return a session."""
        return self.bodies.session(self.state.session(session_id))

    @operations.handles(route_table.DELETE_SESSION)
    def delete_session(self, session_id: str) -> None:
        """Delete a session, and its participants if the switches say so."""
        session = self.state.session(session_id)
        if self.bodies.switches.participants_of_deleted_session == "deleted":
            for participant in list(session.members.values()):
                self.state.delete_participant(participant)
        self.state.delete_session(session)

    @operations.handles(route_table.LIST_SESSION_PARTICIPANTS)
    def list_session_participants(self, session_id: str) -> list[dict[str, object]] | None:
        """Return a session's participants in the order they joined."""
        return self.bodies.participants(self.state.session(session_id).members.values())

    @operations.handles(route_table.ADD_PARTICIPANT_TO_SESSION)
    def add_participant_to_session(
        self, session_id: str, participant_id: str, subscriptions: Subscriptions
    ) -> None:
        """Add a participant to a session, with exactly these subscriptions."""
        session, participant = self._subscriber(session_id, participant_id, subscriptions)
        self.state.join(session, participant)
        # inferred: joining again replaces the subscriptions, because it is a PUT.
        self.state.subscribe(session, participant, subscriptions)

    @operations.handles(route_table.REMOVE_PARTICIPANT_FROM_SESSION)
    def remove_participant_from_session(self, session_id: str, participant_id: str) -> None:
        """Remove a participant from a session; the participant is not deleted."""
        session = self.state.session(session_id)
        self.state.leave(session, self.state.participant(participant_id))

    @operations.handles(route_table.GET_PARTICIPANT_SUBSCRIPTIONS)
    def get_participant_subscriptions(
        self, session_id: str, participant_id: str
    ) -> dict[str, object] | None:
        """Return a participant's subscriptions in a session."""
        session = self.state.session(session_id)
        chosen = self.state.participant(participant_id).subscriptions.get(session.id)
        return self.bodies.subscriptions(session.id, chosen)

    @operations.handles(route_table.UPDATE_PARTICIPANT_SUBSCRIPTIONS)
    def update_participant_subscriptions(
        self, session_id: str, participant_id: str, subscriptions: Subscriptions
    ) -> None:
        """Replace a participant's subscriptions in a session, even before it joins."""
        session, participant = self._subscriber(session_id, participant_id, subscriptions)
        self.state.subscribe(session, participant, subscriptions)

    def _subscriber(
        self, session_id: str, participant_id: str, chosen: Subscriptions
    ) -> tuple[SessionRecord, ParticipantRecord]:
        # inferred: refused, because the two are documented to be equal and another session's id is
        # not mentioned; an empty id counts as none.
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
    # inferred: refused, because a truncated tag could be billed to another customer.
    if tag is not None and len(tag) > MAX_TAG_LENGTH:
        yield f"tag: {len(tag)} characters; at most {MAX_TAG_LENGTH} are allowed"
