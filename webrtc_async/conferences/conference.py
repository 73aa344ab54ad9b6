"""A conference as a value: its session, its members and their subscriptions."""

from collections.abc import Iterator
from typing import Self

import attrs
from attrs import field, frozen

from webrtc_async.conferences import diagram
from webrtc_async.conferences.resource import Resource
from webrtc_async.conferences.subscriptions import SubscriptionsByName
from webrtc_async.models import Participant, Session


@frozen(kw_only=True)
class Member:
    """A participant in a conference.

    Attributes:
        name: Its name in the plan.
        participant: The participant as the service created it.
        token: The token with which its device connects; empty if it comes from a journal that does
            not keep tokens.
    """

    name: str
    participant: Participant
    token: str = field(repr=lambda token: "<hidden>" if token else "''")

    @property
    def resource(self) -> Resource:
        """The resource to delete when the member leaves."""
        return Resource("participant", self.participant.id, self.name)


@frozen(kw_only=True)
class Conference:
    """A session with its members; `conference["agent"]` is the member of that name.

    Attributes:
        session: The session.
        members: Its participants, in the order of the plan, late ones last.
        subscriptions: The subscriptions of each member.
        key: The plan's key.
    """

    session: Session
    members: tuple[Member, ...] = ()
    subscriptions: tuple[SubscriptionsByName, ...] = ()
    key: str = ""

    def __getitem__(self, name: str) -> Member:
        for member in self.members:
            if member.name == name:
                return member
        names = ", ".join(member.name for member in self.members)
        raise KeyError(f"{name!r} is none of the members ({names or 'there are none'})")

    def __contains__(self, name: object) -> bool:
        return any(member.name == name for member in self.members)

    def __iter__(self) -> Iterator[Member]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)

    @property
    def resources(self) -> tuple[Resource, ...]:
        """The resources to delete when it ends: the session and its members."""
        return (
            Resource("session", self.session.id),
            *(member.resource for member in self.members),
        )

    @property
    def ids(self) -> dict[str, str]:
        """The participants' ids by name."""
        return {member.name: member.participant.id for member in self.members}

    def mermaid(self) -> str:
        """Return the subscriptions as a Mermaid flowchart; an arrow points to the subscriber."""
        return diagram.mermaid(self.subscriptions)

    def dot(self) -> str:
        """Return the subscriptions as a Graphviz DOT graph; an arrow points to the subscriber."""
        return diagram.dot(self.subscriptions)

    def with_member(self, member: Member, subscriptions: SubscriptionsByName) -> Self:
        """Return the conference with one more member."""
        return attrs.evolve(
            self,
            members=(*self.members, member),
            subscriptions=(*self.subscriptions, subscriptions),
        )

    def without(self, name: str) -> Self:
        """Return the conference without a member and without subscriptions to it."""
        return attrs.evolve(
            self,
            members=tuple(each for each in self.members if each.name != name),
            subscriptions=tuple(
                each.without(name) for each in self.subscriptions if each.subscriber != name
            ),
        )

    def with_subscriptions(self, changed: SubscriptionsByName) -> Self:
        """Return the conference with one member's subscriptions replaced."""
        return attrs.evolve(
            self,
            subscriptions=tuple(
                changed if each.subscriber == changed.subscriber else each
                for each in self.subscriptions
            ),
        )
