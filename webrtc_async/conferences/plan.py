"""Plans of conferences, checked before anything is sent."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal
from urllib.parse import urlsplit

from attrs import field, frozen

from webrtc_async.conferences.subscriptions import (
    PlanSubscriptions,
    SubscriptionsByName,
    check_subscriptions,
    read_subscriptions,
)
from webrtc_async.errors import InvalidArgumentError
from webrtc_async.models import (
    DeviceApiVersion,
    Participant,
    PublishPermission,
    url_without_secrets,
)

MAX_PARTICIPANTS: Final = 20
"""Participants that the service allows in a session."""

MAX_TAG_LENGTH: Final = 50
"""Characters that the service allows in a tag."""

MAX_NAME_LENGTH: Final = 256
"""Characters of a name or key, which are stored in journals but never sent."""


def _tag(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise InvalidArgumentError(f"A tag must be a string, not {type(value).__name__}.")
    if value is not None and len(value) > MAX_TAG_LENGTH:
        raise InvalidArgumentError(
            f"A tag has at most {MAX_TAG_LENGTH} characters; this one has {len(value)}: "
            f"{value[:20]!r}..."
        )
    return value


def _nonempty(subject: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{subject} must be a string, not {type(value).__name__}.")
    if not value or len(value) > MAX_NAME_LENGTH:
        raise InvalidArgumentError(
            f"{subject} must have 1 to {MAX_NAME_LENGTH} characters, not {len(value)}."
        )
    return value


def _name(value: object) -> str:
    return _nonempty("A participant's name", value)


def _key(value: object) -> str:
    return "" if value == "" else _nonempty("A plan's key", value)


def _permissions(
    values: Iterable[PublishPermission | str] | None,
) -> frozenset[PublishPermission] | None:
    return Participant(publish_permissions=values).publish_permissions


def _version(value: str | None) -> DeviceApiVersion | None:
    if value is not None and not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError(
            f"A device_api_version must be a string, not {type(value).__name__}."
        )
    return None if value is None else DeviceApiVersion(value)


def _callback_url(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        parts = urlsplit(value if isinstance(value, str) else "")  # pyright: ignore[reportUnnecessaryIsInstance]
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_url = False
    if not is_url:
        # The value is not shown: it may hold a secret.
        raise InvalidArgumentError("A callback_url must be a URL that begins with https://.")
    return value


@frozen
class ParticipantSpec:
    """A participant in a plan, to be created at the service.

    Attributes:
        name: Its name in the plan and the conference; never sent to the service.
        publish_permissions: The media that it may publish: an empty set means none, and None leaves
            it to the service.
        tag: Your own label, at most 50 characters, without personal data: it is in billing reports.
        callback_url: The URL to which the service posts the participant's events.
        device_api_version: Left to the service unless you set it.
    """

    name: str = field(converter=_name)
    publish_permissions: frozenset[PublishPermission] | None = field(
        default=None, converter=_permissions, kw_only=True
    )
    tag: str | None = field(default=None, converter=_tag, kw_only=True)
    callback_url: str | None = field(
        default=None, converter=_callback_url, repr=url_without_secrets, kw_only=True
    )
    device_api_version: DeviceApiVersion | None = field(
        default=None, converter=_version, kw_only=True
    )

    @property
    def participant(self) -> Participant:
        """The model that the create sends."""
        return Participant(
            publish_permissions=self.publish_permissions,
            tag=self.tag,
            callback_url=self.callback_url,
            device_api_version=self.device_api_version,
        )


def as_spec(value: ParticipantSpec | str) -> ParticipantSpec:
    """Return a spec as it is, and a name as the spec with default settings.

    Raises:
        InvalidArgumentError: It is neither of the two.
    """
    return value if isinstance(value, ParticipantSpec) else ParticipantSpec(value)


def _participants(values: Iterable[ParticipantSpec | str]) -> tuple[ParticipantSpec, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError("participants must be a list of ParticipantSpec or of names.")
    specs = tuple(map(as_spec, values))
    if len(specs) > MAX_PARTICIPANTS:
        raise InvalidArgumentError(
            f"A session holds at most {MAX_PARTICIPANTS} participants; this plan has {len(specs)}."
        )
    names = [spec.name for spec in specs]
    if repeated := [name for name in names if names.count(name) > 1]:
        raise InvalidArgumentError(
            f"Two participants are named {repeated[0]!r}; names must be unique."
        )
    return specs


def _subscriptions(
    value: PlanSubscriptions | tuple[SubscriptionsByName, ...],
) -> Literal["everyone", "nobody"] | tuple[SubscriptionsByName, ...]:
    if value in ("everyone", "nobody"):
        return value
    if isinstance(value, Mapping):
        return tuple(read_subscriptions(_name(name), each) for name, each in value.items())
    if isinstance(value, tuple) and all(isinstance(each, SubscriptionsByName) for each in value):  # pyright: ignore[reportUnnecessaryIsInstance]
        return value
    raise InvalidArgumentError(
        'subscriptions must be "everyone", "nobody", or a mapping from each subscriber\'s name to '
        "the participants that it receives."
    )


@frozen
class ConferencePlan:
    """A session and its participants before they are created.

    Attributes:
        participants: At most 20, each with a unique name. A string is the name of a participant
            with default settings.
        subscriptions: "everyone", "nobody", or a mapping from each subscriber's name to "everyone",
            "nobody", names, or names with "all" or stream aliases. An empty list is nobody, and so
            is a participant that is not in the mapping.
        tag: The session's label, at most 50 characters, without personal data: it is in billing
            reports.
        key: Your own name for the plan, unique in a journal.

    Raises:
        InvalidArgumentError: A part of the plan is invalid; the error names it.
    """

    participants: tuple[ParticipantSpec, ...] = field(converter=_participants)
    subscriptions: Literal["everyone", "nobody"] | tuple[SubscriptionsByName, ...] = field(
        default="everyone", converter=_subscriptions, kw_only=True
    )
    tag: str | None = field(default=None, converter=_tag, kw_only=True)
    key: str = field(default="", converter=_key, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if isinstance(self.subscriptions, tuple):
            for each in self.subscriptions:
                check_subscriptions(each, (spec.name for spec in self.participants))

    def subscriptions_of(self, name: str) -> SubscriptionsByName:
        """Return the subscriptions of one participant."""
        if self.subscriptions == "everyone":
            return SubscriptionsByName(name, "everyone")
        chosen = () if self.subscriptions == "nobody" else self.subscriptions
        return next(
            (each for each in chosen if each.subscriber == name), SubscriptionsByName(name, ())
        )


def as_plan(
    participants: ConferencePlan | Iterable[ParticipantSpec | str],
    *,
    subscriptions: PlanSubscriptions,
    tag: str | None,
) -> ConferencePlan:
    """Return a plan of the parts, or the complete plan that was given.

    Raises:
        InvalidArgumentError: The plan is invalid, or was given together with other parts.
    """
    if not isinstance(participants, ConferencePlan):
        return ConferencePlan(participants, subscriptions=subscriptions, tag=tag)
    if subscriptions != "everyone" or tag is not None:
        raise InvalidArgumentError(
            "A plan has its own subscriptions and tag: set them in the plan, or give no plan."
        )
    return participants
