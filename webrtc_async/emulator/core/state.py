"""An account's sessions and participants, who is in which, and when they are gone."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Final, Protocol, TypeVar

from attrs import define, field

from webrtc_async.emulator.core.refusal import conflict, not_found
from webrtc_async.models import PublishPermission, Subscriptions

LIFETIME: Final = 9 * 60 * 60.0
"""Seconds from the creation of a session or participant to its end."""

CAPACITY: Final = 20
"""Most participants in a session."""

# RFC 9562, 5.4: the version and the variant. By hand, because a UUID costs more than its digits.
_NOT_RANDOM: Final = 0xF << 76 | 0x3 << 62
_VERSION_4: Final = 0x4 << 76 | 0x2 << 62


def new_id(source: Random) -> str:
    """Return an id as the service's are: a version 4 UUID in its 36 characters."""
    digits = f"{source.getrandbits(128) & ~_NOT_RANDOM | _VERSION_4:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


@define(eq=False, kw_only=True)
class SessionRecord:
    """A session, its members in order of joining, and all who subscribed in it, members or not."""

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
    """A participant, its device, the session it is in, and its subscriptions by session id."""

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
        on_delete: Told of every participant that is deleted, at its end or before.
    """

    # Ordered dicts find their oldest entry at once; a dict searches past all that was deleted.
    sessions: OrderedDict[str, SessionRecord] = field(factory=OrderedDict[str, SessionRecord])
    participants: OrderedDict[str, ParticipantRecord] = field(
        factory=OrderedDict[str, ParticipantRecord]
    )
    on_delete: Callable[[ParticipantRecord], object] = lambda _: None

    def sort(self) -> None:
        """Put the oldest first, as what is swept must stand."""
        self.sessions = OrderedDict(sorted(self.sessions.items(), key=_expiry))
        self.participants = OrderedDict(sorted(self.participants.items(), key=_expiry))

    def sweep(self, now: float) -> None:
        """Delete what has come to its end."""
        # inferred: only sessions are said to end by themselves; a participant's token cannot
        # outlive one, and the vendor's own sample gives participants the same nine hours.
        while (session := _oldest(self.sessions)) is not None and session.expires_at <= now:
            self.delete_session(session)
        while (participant := _oldest(self.participants)) is not None and (
            participant.expires_at <= now
        ):
            self.delete_participant(participant)

    def session(self, session_id: str) -> SessionRecord:
        """Return a session, or refuse with 404."""
        try:
            return self.sessions[session_id]
        except KeyError:
            raise not_found("Session") from None

    def participant(self, participant_id: str) -> ParticipantRecord:
        """Return a participant, or refuse with 404."""
        try:
            return self.participants[participant_id]
        except KeyError:
            raise not_found("Participant") from None

    def join(self, session: SessionRecord, participant: ParticipantRecord) -> None:
        """Make a participant a member, or refuse with 409."""
        # inferred: what the documented 409 is for, from the two limits that joining can hit.
        if participant.session not in {None, session}:
            raise conflict("Participant is already in another session")
        if participant.id not in session.members and len(session.members) >= CAPACITY:
            raise conflict(f"Session already has {CAPACITY} participants")
        session.members[participant.id] = participant
        participant.session = session

    def leave(self, session: SessionRecord, participant: ParticipantRecord) -> None:
        """End a membership and the subscriptions that went with it, or refuse with 404."""
        if participant.session is not session:
            raise not_found("Participant in this session")
        del session.members[participant.id]
        participant.session = None
        self.subscribe(session, participant, Subscriptions.nothing())

    def subscribe(
        self, session: SessionRecord, participant: ParticipantRecord, chosen: Subscriptions
    ) -> None:
        """Replace what a participant receives in a session."""
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
        """Delete a participant; lists of others that name it stay as they were put."""
        if participant.session is not None:
            del participant.session.members[participant.id]
        for session_id in participant.subscriptions:
            del self.sessions[session_id].subscribers[participant.id]
        del self.participants[participant.id]
        self.on_delete(participant)


def hears(session: SessionRecord) -> dict[str, frozenset[str]]:
    """Return whom each member of a session receives, among its members."""
    return {
        member.id: _heard_by(member.id, session, member.subscriptions.get(session.id))
        for member in session.members.values()
    }


def orphans(state: AccountState, account_id: str) -> Iterator[str]:
    """Name every session and participant that is there."""
    yield from (f"session {each} of account {account_id}" for each in state.sessions)
    yield from (f"participant {each} of account {account_id}" for each in state.participants)


def _heard_by(
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
