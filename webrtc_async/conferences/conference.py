"""A conference that exists, as a value: its session, its members, and who hears whom."""

from collections.abc import Mapping
from typing import Self

import attrs
from attrs import field, frozen

from webrtc_async.conferences import diagram as picture
from webrtc_async.conferences.resource import Resource
from webrtc_async.conferences.subscriptions import Hearing
from webrtc_async.models import Participant, ParticipantSubscription, Session, Subscriptions


@frozen(kw_only=True)
class Member:
    """A participant in a conference.

    Attributes:
        name: Its name in the plan.
        participant: What the service made.
        token: The device token, which its device connects with; empty where a journal did not keep
            it.
    """

    name: str
    participant: Participant
    token: str = field(repr=lambda token: "<hidden>" if token else "''")

    @property
    def resource(self) -> Resource:
        """What is deleted when it leaves."""
        return Resource("participant", self.participant.id, self.name)


@frozen(kw_only=True)
class Conference:
    """A session with its members; `conference["agent"]` is the one of that name.

    Attributes:
        session: The session.
        members: Its participants, in the order of the plan, late ones last.
        hearings: Whom each of them hears.
        key: The plan's key.
    """

    session: Session
    members: tuple[Member, ...] = ()
    hearings: tuple[Hearing, ...] = ()
    key: str = ""

    def __getitem__(self, name: str) -> Member:
        for member in self.members:
            if member.name == name:
                return member
        names = ", ".join(member.name for member in self.members)
        raise KeyError(f"{name!r} is none of the members ({names or 'there are none'})")

    def __contains__(self, name: object) -> bool:
        return any(member.name == name for member in self.members)

    def __len__(self) -> int:
        return len(self.members)

    @property
    def resources(self) -> tuple[Resource, ...]:
        """What is deleted when it ends: the session and its members."""
        return (
            Resource("session", self.session.id),
            *(member.resource for member in self.members),
        )

    def mermaid(self) -> str:
        """Draw who hears whom as a Mermaid flowchart; an arrow goes to who hears."""
        return picture.mermaid(self.hearings)

    def dot(self) -> str:
        """Draw who hears whom as a graph in Graphviz's DOT; an arrow goes to who hears."""
        return picture.dot(self.hearings)

    def with_member(self, member: Member, hearing: Hearing) -> Self:
        """Return the conference with one member more."""
        return attrs.evolve(
            self, members=(*self.members, member), hearings=(*self.hearings, hearing)
        )

    def without(self, name: str) -> Self:
        """Return the conference without a member; nobody hears it any more."""
        members = tuple(each for each in self.members if each.name != name)
        hearings = tuple(_deaf_to(name, each) for each in self.hearings if each.listener != name)
        return attrs.evolve(self, members=members, hearings=hearings)

    def hearing(self, changed: Hearing) -> Self:
        """Return the conference in which one member hears as given."""
        hearings = (
            changed if each.listener == changed.listener else each for each in self.hearings
        )
        return attrs.evolve(self, hearings=tuple(hearings))


def subscriptions_for(
    hearing: Hearing, session_id: str, ids: Mapping[str, str]
) -> Subscriptions | None:
    """Return what the service is told of whom somebody hears; None for nobody.

    Args:
        hearing: Whom, by name.
        session_id: The session.
        ids: The participants' ids by name.
    """
    if hearing.heard == "everyone":
        return Subscriptions.everyone(session_id)
    if not hearing.heard:
        return None
    return Subscriptions.only(
        [
            ParticipantSubscription(
                participant_id=ids[each.name], stream_aliases=each.stream_aliases
            )
            for each in hearing.heard
        ]
    )


def _deaf_to(name: str, hearing: Hearing) -> Hearing:
    if hearing.heard == "everyone":
        return hearing
    return Hearing(hearing.listener, tuple(each for each in hearing.heard if each.name != name))
