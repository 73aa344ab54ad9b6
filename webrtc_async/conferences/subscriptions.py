"""Subscriptions by participants' names, before the service's ids are known."""

from collections.abc import Iterable, Mapping
from typing import Literal, cast

from attrs import frozen

from webrtc_async.errors import InvalidArgumentError
from webrtc_async.models import ParticipantSubscription, Subscriptions

SubscribeTo = (
    Literal["everyone", "nobody"] | Iterable[str] | Mapping[str, Literal["all"] | Iterable[str]]
)
"""One participant's subscriptions: names, or names with "all" or stream aliases; none is nobody."""

PlanSubscriptions = Literal["everyone", "nobody"] | Mapping[str, SubscribeTo]
"""A plan's subscriptions: the same for all, or by subscriber; the others receive nobody."""


@frozen
class SubscribedParticipant:
    """A participant that another one receives, whole or by stream.

    Attributes:
        name: The participant's name.
        stream_aliases: The streams, by the alias that its device gave; empty means all.
    """

    name: str
    stream_aliases: tuple[str, ...] = ()


@frozen
class SubscriptionsByName:
    """The subscriptions of one participant, by name.

    Attributes:
        subscriber: The name of the participant that receives.
        subscribed_to: "everyone", now and later, or exactly these participants.
    """

    subscriber: str
    subscribed_to: Literal["everyone"] | tuple[SubscribedParticipant, ...]

    def without(self, name: str) -> "SubscriptionsByName":
        """Return the subscriptions without those to one participant."""
        if self.subscribed_to == "everyone":
            return self
        kept = tuple(each for each in self.subscribed_to if each.name != name)
        return SubscriptionsByName(self.subscriber, kept)

    def by_id(self, session_id: str, ids: Mapping[str, str]) -> Subscriptions:
        """Return the subscriptions as the service takes them.

        Args:
            session_id: The session.
            ids: The participants' ids by name.
        """
        if self.subscribed_to == "everyone":
            return Subscriptions.everyone(session_id)
        if not self.subscribed_to:
            return Subscriptions.nothing()
        return Subscriptions.only(
            [
                ParticipantSubscription(
                    participant_id=ids[each.name], stream_aliases=each.stream_aliases
                )
                for each in self.subscribed_to
            ]
        )


def read_subscriptions(subscriber: str, subscribe_to: SubscribeTo) -> SubscriptionsByName:
    """Return one participant's subscriptions as a value.

    Raises:
        InvalidArgumentError: It is neither of the two words nor names, or it repeats a name.
    """
    if subscribe_to == "everyone":
        return SubscriptionsByName(subscriber, "everyone")
    if subscribe_to == "nobody":
        return SubscriptionsByName(subscriber, ())
    if isinstance(subscribe_to, Mapping):
        with_aliases = cast("Mapping[str, Iterable[str]]", subscribe_to)
        names = _strings(f"The subscriptions of {subscriber!r}", with_aliases)
        chosen = tuple(SubscribedParticipant(name, _aliases(name, with_aliases)) for name in names)
    else:
        names = _strings(f"The subscriptions of {subscriber!r}", subscribe_to)
        chosen = tuple(SubscribedParticipant(name) for name in names)
    names = tuple(each.name for each in chosen)
    if repeated := [name for name in names if names.count(name) > 1]:
        raise InvalidArgumentError(f"{subscriber!r} subscribes to {repeated[0]!r} twice.")
    return SubscriptionsByName(subscriber, chosen)


def check_subscriptions(subscriptions: SubscriptionsByName, names: Iterable[str]) -> None:
    """Refuse subscriptions that name an unknown participant.

    Raises:
        InvalidArgumentError: The subscriber or a subscribed participant is not among the names.
    """
    known = set(names)
    chosen = subscriptions.subscribed_to
    chosen = () if chosen == "everyone" else chosen
    for name in (subscriptions.subscriber, *(each.name for each in chosen)):
        if name not in known:
            listed = ", ".join(sorted(known)) or "there are none"
            raise InvalidArgumentError(
                f"The subscriptions name {name!r}, which is not a participant ({listed})."
            )


def _aliases(name: str, aliases: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    if aliases[name] == "all":
        return ()
    chosen = _strings(f"The stream aliases of {name!r}", aliases[name])
    if not chosen:
        raise InvalidArgumentError(
            f'The stream aliases of {name!r} are an empty list. Write "all" for all its streams, '
            f"or leave {name!r} out to receive none."
        )
    return chosen


def _strings(subject: str, values: object) -> tuple[str, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        shown = repr(values)[:64]
        raise InvalidArgumentError(f"{subject} must be a list of strings, not {shown}.")
    strings = tuple(cast("Iterable[object]", values))
    for each in strings:
        if not isinstance(each, str):
            raise InvalidArgumentError(f"{subject} must be a list of strings, not of {each!r}.")
    return cast("tuple[str, ...]", strings)
