"""The state of an account: sessions, participants, memberships, subscriptions and expiry."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Final, Protocol, TypeVar

from attrs import define, field

from webrtc_async.emulator.core.refusal import conflict, not_found
from webrtc_async.models import PublishPermission, Subscriptions

LIFETIME: Final = 9 * 60 * 60.0
"""Lifetime of a session or participant in seconds."""

CAPACITY: Final = 20
"""Maximum number of participants in a session."""

# RFC 9562, 5.4: the version and the variant. A uuid.UUID object would cost more than its digits.
_NOT_RANDOM: Final = 0xF << 76 | 0x3 << 62
_VERSION_4: Final = 0x4 << 76 | 0x2 << 62


def new_id(source: Random) -> str:
    """Return a new id in the service's format: a version 4 UUID of 36 characters."""
    digits = f"{source.getrandbits(128) & ~_NOT_RANDOM | _VERSION_4:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


@define(eq=False, kw_only=True)
class SessionRecord:
    """A session, its members in the order they joined, and its subscribers, members or not."""

    id: str
    tag: str | None
    expires_at: float
    members: "dict[str, ParticipantRecord]" = field(
        factory=dict[str, "ParticipantRecord"], init=False, repr=False
    )
    subscribers: "dict[str, ParticipantRecord]" = field(
        factory=dict[str, "ParticipantRecord"], init=False, repr=False
    )


@define(eq=False, kw_only=True)
class ParticipantRecord:
    """A participant, its device, its session, and its subscriptions by session id."""

    id: str
    callback_url: str | None = field(repr=False)
    publish_permissions: frozenset[PublishPermission]
    tag: str | None
    device_api_version: str
    expires_at: float
    device_id: str | None = None
    session: SessionRecord | None = field(default=None, init=False, repr=False)
    subscriptions: dict[str, Subscriptions] = field(
        factory=dict[str, Subscriptions], init=False, repr=False
    )


class _Expiring(Protocol):
    expires_at: float


RecordT = TypeVar("RecordT", bound=_Expiring)


@define(eq=False)
class AccountState:
    """The sessions and participants of one account, oldest first.

    Attributes:
        on_delete: Called with every participant that is deleted or expires.
    """

    # An OrderedDict finds its oldest entry at once; a dict searches past all deleted entries.
    sessions: OrderedDict[str, SessionRecord] = field(factory=OrderedDict[str, SessionRecord])
    participants: OrderedDict[str, ParticipantRecord] = field(
        factory=OrderedDict[str, ParticipantRecord]
    )
    on_delete: Callable[[ParticipantRecord], object] = lambda _: None

    def sort(self) -> None:
        """Sort sessions and participants by age, oldest first, as `sweep` requires."""
        self.sessions = OrderedDict(sorted(self.sessions.items(), key=_expiry))
        self.participants = OrderedDict(sorted(self.participants.items(), key=_expiry))

    def sweep(self, now: float) -> None:
        """Delete expired sessions and participants."""
        # inferred: only sessions are documented to expire; a participant's token cannot outlive
        # its session, and the vendor's own sample gives participants the same nine hours.
        while (session := _oldest(self.sessions)) is not None and session.expires_at <= now:
            self.delete_session(session)
        while (participant := _oldest(self.participants)) is not None and (
            participant.expires_at <= now
        ):
            self.delete_participant(participant)

    def session(self, session_id: str) -> SessionRecord:
        """Return a session, or refuse with a 404."""
        try:
            return self.sessions[session_id]
        except KeyError:
            raise not_found("Session") from None

    def participant(self, participant_id: str) -> ParticipantRecord:
        """Return a participant, or refuse with a 404."""
        try:
            return self.participants[participant_id]
        except KeyError:
            raise not_found("Participant") from None

    def join(self, session: SessionRecord, participant: ParticipantRecord) -> None:
        """Add a participant to a session, or refuse with a 409."""
        # inferred: the causes of the documented 409, from the two limits that apply to joining.
        if participant.session not in {None, session}:
            raise conflict("Participant is already in another session")
        if participant.id not in session.members and len(session.members) >= CAPACITY:
            raise conflict(f"Session already has {CAPACITY} participants")
        session.members[participant.id] = participant
        participant.session = session

    def leave(self, session: SessionRecord, participant: ParticipantRecord) -> None:
        """Remove a participant and its subscriptions from a session, or refuse with a 404."""
        if participant.session is not session:
            raise not_found("Participant in this session")
        del session.members[participant.id]
        participant.session = None
        self.subscribe(session, participant, Subscriptions.nothing())

    def subscribe(
        self, session: SessionRecord, participant: ParticipantRecord, chosen: Subscriptions
    ) -> None:
        """Replace a participant's subscriptions in a session."""
        if chosen.is_nothing:
            participant.subscriptions.pop(session.id, None)
            session.subscribers.pop(participant.id, None)
        else:
            participant.subscriptions[session.id] = chosen
            session.subscribers[participant.id] = participant

    def delete_session(self, session: SessionRecord) -> None:
        """Delete a session and all subscriptions in it; its members survive."""
        for member in session.members.values():
            member.session = None
        for subscriber in session.subscribers.values():
            del subscriber.subscriptions[session.id]
        del self.sessions[session.id]

    def delete_participant(self, participant: ParticipantRecord) -> None:
        """Delete a participant; other participants' subscriptions may still list it."""
        if participant.session is not None:
            del participant.session.members[participant.id]
        for session_id in participant.subscriptions:
            del self.sessions[session_id].subscribers[participant.id]
        del self.participants[participant.id]
        self.on_delete(participant)


def subscribed_to(session: SessionRecord) -> dict[str, frozenset[str]]:
    """Return the members that each member of a session receives."""
    return {
        member.id: _received_by(member.id, session, member.subscriptions.get(session.id))
        for member in session.members.values()
    }


def orphans(state: AccountState, account_id: str) -> Iterator[str]:
    """Describe every session and participant that exists."""
    yield from (f"session {each} of account {account_id}" for each in state.sessions)
    yield from (f"participant {each} of account {account_id}" for each in state.participants)


def _received_by(
    member_id: str, session: SessionRecord, chosen: Subscriptions | None
) -> frozenset[str]:
    if chosen is None:
        return frozenset()
    if chosen.is_everyone:
        return frozenset(session.members) - {member_id}
    return frozenset(each.participant_id for each in chosen.participants) & session.members.keys()


def _expiry(item: tuple[str, _Expiring]) -> float:
    return item[1].expires_at


def _oldest(records: Mapping[str, RecordT]) -> RecordT | None:
    return next(iter(records.values()), None)
