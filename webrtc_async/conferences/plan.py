"""Plans: who is to be in a conference, checked before anything is sent."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from attrs import field, frozen

from webrtc_async.conferences.subscriptions import Hearing, Subscribe, as_hearing, check_hearing
from webrtc_async.errors import InvalidArgumentError
from webrtc_async.models import (
    DeviceApiVersion,
    Participant,
    PublishPermission,
    url_without_secrets,
)

MOST_PARTICIPANTS: Final = 20
"""Participants that the service lets into a session."""

LONGEST_TAG: Final = 50
"""Characters of a tag."""

LONGEST_NAME: Final = 256
"""Characters of a name or key; they stay here and in journals."""


def _tag(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise InvalidArgumentError(f"A tag must be text, not {type(value).__name__}.")
    if value is not None and len(value) > LONGEST_TAG:
        raise InvalidArgumentError(
            f"A tag has at most {LONGEST_TAG} characters; this one has {len(value)}: "
            f"{value[:20]!r}..."
        )
    return value


def _named(what: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{what} must be text, not {type(value).__name__}.")
    if not value or len(value) > LONGEST_NAME:
        raise InvalidArgumentError(
            f"{what} must have 1 to {LONGEST_NAME} characters, not {len(value)}."
        )
    return value


def _name(value: object) -> str:
    return _named("A participant's name", value)


def _key(value: object) -> str:
    return "" if value == "" else _named("A plan's key", value)


def _permissions(
    values: Iterable[PublishPermission | str] | None,
) -> frozenset[PublishPermission] | None:
    return Participant(publish_permissions=values).publish_permissions


def _version(value: str | None) -> DeviceApiVersion | None:
    return None if value is None else DeviceApiVersion(value)


@frozen
class Seat:
    """A participant in a plan.

    Attributes:
        name: What it is called in the plan and the conference; the service does not see it.
        publish_permissions: What it may publish: an empty set is nothing, and None leaves it to the
            service.
        tag: Your own label, at most 50 characters and nothing personal; it reaches billing reports.
        callback_url: Where the service posts the participant's events.
        device_api_version: Left to the service unless you set it.
    """

    name: str = field(converter=_name)
    publish_permissions: frozenset[PublishPermission] | None = field(
        default=None, converter=_permissions, kw_only=True
    )
    tag: str | None = field(default=None, converter=_tag, kw_only=True)
    callback_url: str | None = field(default=None, repr=url_without_secrets, kw_only=True)
    device_api_version: DeviceApiVersion | None = field(
        default=None, converter=_version, kw_only=True
    )

    @property
    def participant(self) -> Participant:
        """What is asked of the service."""
        return Participant(
            publish_permissions=self.publish_permissions,
            tag=self.tag,
            callback_url=self.callback_url,
            device_api_version=self.device_api_version,
        )


def _seats(values: Iterable[Seat | str]) -> tuple[Seat, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError("participants must be a list of Seat or of names.")
    seats = tuple(each if isinstance(each, Seat) else Seat(each) for each in values)
    if len(seats) > MOST_PARTICIPANTS:
        raise InvalidArgumentError(
            f"A session holds at most {MOST_PARTICIPANTS} participants; this plan has {len(seats)}."
        )
    names = [seat.name for seat in seats]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InvalidArgumentError(f"Two participants are named {twice[0]!r}; names are unique.")
    return seats


def _subscribe(
    value: Subscribe | tuple[Hearing, ...],
) -> Literal["everyone", "nobody"] | tuple[Hearing, ...]:
    if value in ("everyone", "nobody"):
        return value
    if isinstance(value, Mapping):
        return tuple(as_hearing(_name(listener), hears) for listener, hears in value.items())
    if isinstance(value, tuple) and all(isinstance(each, Hearing) for each in value):  # pyright: ignore[reportUnnecessaryIsInstance]
        return value
    raise InvalidArgumentError(
        'subscribe is "everyone", "nobody", or a mapping of each listener to whom they hear.'
    )


@frozen
class ConferencePlan:
    """A session and its participants as they are to be.

    Attributes:
        participants: At most 20, each with a name of its own; a text is a seat of that name.
        subscribe: Who hears whom: "everyone", "nobody", or a mapping of each listener to
            "everyone", "nobody", names, or names with stream aliases. A listener that it leaves out
            hears nobody.
        tag: The session's label, at most 50 characters and nothing personal; it reaches billing
            reports.
        key: Your own name of the plan, unique among those of a journal.

    Raises:
        InvalidArgumentError: A part of it cannot be; the sentence names it.
    """

    participants: tuple[Seat, ...] = field(converter=_seats)
    subscribe: Literal["everyone", "nobody"] | tuple[Hearing, ...] = field(
        default="everyone", converter=_subscribe, kw_only=True
    )
    tag: str | None = field(default=None, converter=_tag, kw_only=True)
    key: str = field(default="", converter=_key, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if isinstance(self.subscribe, tuple):
            for hearing in self.subscribe:
                check_hearing(hearing, (seat.name for seat in self.participants))

    def hearing_of(self, listener: str) -> Hearing:
        """Return whom a participant is to hear."""
        if self.subscribe == "everyone":
            return Hearing(listener, "everyone")
        chosen = () if self.subscribe == "nobody" else self.subscribe
        return next((each for each in chosen if each.listener == listener), Hearing(listener, ()))


def as_plan(
    participants: ConferencePlan | Iterable[Seat | str], *, subscribe: Subscribe, tag: str | None
) -> ConferencePlan:
    """Return a plan of what was given, or the plan that was given whole.

    Raises:
        InvalidArgumentError: The plan cannot be, or was given together with a part of another.
    """
    if not isinstance(participants, ConferencePlan):
        return ConferencePlan(participants, subscribe=subscribe, tag=tag)
    if subscribe != "everyone" or tag is not None:
        raise InvalidArgumentError("A plan has its own subscribe and tag; give it alone.")
    return participants
