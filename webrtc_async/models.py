"""The API's data: frozen attrs classes and open enums, named as the API names them.

Unknown fields of an answer are kept in `extra` and written back; unknown enum values are members.
No repr shows a token or the secret parts of a callback URL. `to_wire` and `from_wire` convert a
model to the API's JSON object and back.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, Self
from urllib.parse import urlsplit

from attrs import field, frozen

from webrtc_async.errors import InvalidArgumentError

SHORTEST_SECRET: Final = 16
"""Characters of a secret in the path of a callback URL, at least."""


class OpenEnum(StrEnum):
    """An enum of the values known today; any other text makes a member that is equal to itself."""

    # Equal text has an equal hash; that of Enum hashes the name.
    __hash__ = str.__hash__

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        # The service takes these values in any case: a vendor sample sent "v3" for years.
        for known in cls if value.isascii() else ():
            if known.value.upper() == value.upper():
                return known
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        return member

    @property
    def is_known(self) -> bool:
        """True if this version of the package knows the value."""
        return self.name in type(self).__members__


class PublishPermission(OpenEnum):
    """A kind of media that a participant may publish."""

    AUDIO = "AUDIO"
    VIDEO = "VIDEO"


class DeviceApiVersion(OpenEnum):
    """The protocol of the participant's device; today's device SDKs refuse all but V3."""

    V3 = "V3"


def _is_done(values: Any, container: type, item: type) -> bool:
    """Return True if a converter has nothing to do: what was read already has its class."""
    # Twice as fast as all() with a generator, and every model that is read comes here.
    kind = values.__class__
    if kind is not container:
        return False
    for each in values:  # noqa: SIM110
        if type(each) is not item:
            return False
    return True


def _check_several(name: str, values: object) -> None:
    if isinstance(values, str):
        raise InvalidArgumentError(f"{name} is a list, not the one string {values[:64]!r}.")
    if not isinstance(values, Iterable):
        raise InvalidArgumentError(f"{name} must be a list, not {type(values).__name__}.")


def _check_id(_: object, field: Any, value: Any) -> None:
    if value is not None and not isinstance(value, str):
        raise InvalidArgumentError(f"{field.name} must be an id, not {type(value).__name__}.")


def _stream_aliases(values: Iterable[str]) -> tuple[str, ...]:
    _check_several("stream_aliases", values)
    aliases = tuple(values)
    if not all(isinstance(each, str) for each in aliases):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError("stream_aliases must be texts.")
    if not aliases and not isinstance(values, tuple):
        raise InvalidArgumentError("stream_aliases is empty. Leave it out to receive all streams.")
    return aliases


def _sessions(values: Iterable[str]) -> tuple[str, ...]:
    _check_several("sessions", values)
    return tuple(values)


def _permissions(
    values: Iterable[PublishPermission | str] | None,
) -> frozenset[PublishPermission] | None:
    if values is None or _is_done(values, frozenset, PublishPermission):
        return values  # type: ignore[return-value]  # cast() would be a call for each model
    _check_several("publish_permissions", values)
    try:
        return frozenset(PublishPermission(each) for each in values)
    except ValueError as error:
        raise InvalidArgumentError(f"publish_permissions: {error}.") from None


def _version(value: DeviceApiVersion | str | None) -> DeviceApiVersion | None:
    # A value of a wrong type stays: the codec reports it with its path.
    return DeviceApiVersion(value) if type(value) is str else value  # type: ignore[return-value]


def _no_extra() -> dict[str, object]:
    return {}


def _names_only(extra: Mapping[str, object]) -> str:
    return f"<{', '.join(sorted(extra))}>"


def path_without_secrets(path: str, mark: str = "<hidden>") -> str:
    """Return a URL's path with a mark in place of each segment that is long enough for a secret."""
    return "/".join(mark if len(each) >= SHORTEST_SECRET else each for each in path.split("/"))


def url_without_secrets(url: object) -> str:
    """Return a URL as a repr may show it: without credentials, query and long path segments."""
    if url is None:
        return "None"
    if not isinstance(url, str):
        return "<hidden>"
    try:
        parts = urlsplit(url)
    except ValueError:
        return "<hidden>"
    # Without a host, or with a stray "@", a password may stand anywhere.
    if not parts.netloc or "@" in parts.path + parts.query + parts.fragment:
        return "<hidden>"
    host = parts.netloc.rpartition("@")[2]
    query = "?<hidden>" if parts.query else ""
    return repr(f"{parts.scheme}://{host}{path_without_secrets(parts.path)}{query}")


@frozen(kw_only=True)
class ParticipantSubscription:
    """One participant to receive, whole or by stream.

    Attributes:
        participant_id: The participant to receive.
        stream_aliases: The streams to receive, by the aliases of the device; all by default.
        extra: Fields this version does not know, by their names on the wire.
    """

    participant_id: str = field(metadata={"given_by_service": True}, validator=_check_id)
    stream_aliases: tuple[str, ...] = field(default=(), converter=_stream_aliases)
    extra: Mapping[str, object] = field(factory=_no_extra, hash=False, repr=_names_only)


def _subscription(value: Any) -> ParticipantSubscription:
    if isinstance(value, Participant):
        value = value.id
    if isinstance(value, str) and value:
        return ParticipantSubscription(participant_id=value)
    if not isinstance(value, ParticipantSubscription):
        found = "without an id" if value == "" else type(value).__name__
        raise InvalidArgumentError(f"participants must be ids or Participants, not {found}.")
    return value


def _chosen(
    values: "Iterable[str | Participant | ParticipantSubscription]",
) -> tuple[ParticipantSubscription, ...]:
    if _is_done(values, tuple, ParticipantSubscription):
        return values  # type: ignore[return-value]
    _check_several("participants", values)
    chosen = tuple(map(_subscription, values))
    if not chosen and not isinstance(values, tuple):
        raise InvalidArgumentError(
            "participants is empty: use Subscriptions.nothing() or Subscriptions.everyone(session)."
        )
    return chosen


@frozen(kw_only=True)
class Subscriptions:
    """The participants that a participant receives in its session.

    The service reads an empty list as nobody, and beside a session id as everyone. It is refused
    here: use `everyone`, `only` and `nothing`.

    Attributes:
        session_id: The session; alone it means everyone in it, now and later.
        participants: Exactly these, whatever session_id says.
        extra: Fields this version does not know, by their names on the wire.
    """

    session_id: str | None = field(default=None, validator=_check_id)
    participants: tuple[ParticipantSubscription, ...] = field(default=(), converter=_chosen)
    extra: Mapping[str, object] = field(factory=_no_extra, hash=False, repr=_names_only)

    @classmethod
    def everyone(cls, session: "Session | str") -> Self:
        """Receive everyone in the session, now and later."""
        session_id = session.id if isinstance(session, Session) else session
        if not session_id:
            raise InvalidArgumentError("Subscriptions.everyone() needs the id of the session.")
        return cls(session_id=session_id)

    @classmethod
    def only(
        cls,
        participants: "Iterable[str | Participant | ParticipantSubscription]",
        *,
        session_id: str | None = None,
    ) -> Self:
        """Receive exactly these participants.

        Args:
            participants: Participants or their ids, or `ParticipantSubscription` to choose streams.
            session_id: The session they are in; the service does not need it.

        Raises:
            InvalidArgumentError: The list is empty, or has something without an id.
        """
        # An empty tuple is the field's default, but no selection.
        return cls(session_id=session_id, participants=_chosen(participants) or [])

    @classmethod
    def nothing(cls) -> Self:
        """Receive nobody."""
        return cls()

    @property
    def is_everyone(self) -> bool:
        """True if the service reads this as everyone in the session."""
        return bool(self.session_id) and not self.participants

    @property
    def is_nothing(self) -> bool:
        """True if the service reads this as nobody."""
        return not self.session_id and not self.participants


@frozen(kw_only=True)
class Session:
    """A room for up to 20 participants, removed by the service after nine hours.

    Attributes:
        id: The service's id; empty until the service has given one.
        tag: Your own label, at most 50 characters and nothing personal; it reaches billing reports.
        extra: Fields this version does not know, by their names on the wire.
    """

    id: str = field(default="", metadata={"given_by_service": True})
    tag: str | None = None
    extra: Mapping[str, object] = field(factory=_no_extra, hash=False, repr=_names_only)


@frozen(kw_only=True)
class Participant:
    """One device at the service.

    Attributes:
        id: The service's id; empty until the service has given one.
        callback_url: The URL to which the service posts this participant's events.
        publish_permissions: The media that the participant may publish: nothing for an empty set;
            None leaves it to the service.
        sessions: The ids of its sessions, at most one, given by the service.
        subscriptions: The participants that it receives, given by the service.
        tag: Your own label, at most 50 characters and nothing personal; it reaches billing reports.
        device_api_version: Left to the service unless you set it.
        extra: Fields this version does not know, by their names on the wire.
    """

    id: str = field(default="", metadata={"given_by_service": True, "read_only": True})
    callback_url: str | None = field(default=None, repr=url_without_secrets)
    publish_permissions: frozenset[PublishPermission] | None = field(
        default=None, converter=_permissions
    )
    sessions: tuple[str, ...] = field(default=(), converter=_sessions, metadata={"read_only": True})
    subscriptions: Subscriptions | None = field(default=None, metadata={"read_only": True})
    tag: str | None = None
    device_api_version: DeviceApiVersion | None = field(default=None, converter=_version)
    extra: Mapping[str, object] = field(factory=_no_extra, hash=False, repr=_names_only)


@frozen(kw_only=True)
class AccountsParticipantsResponse:
    """A new participant and the token with which its device connects.

    Attributes:
        participant: The participant.
        token: The device token, a JWT. The service returns it only here.
        extra: Fields this version does not know, by their names on the wire.
    """

    participant: Participant
    token: str = field(metadata={"given_by_service": True}, repr=lambda _: "<hidden>")
    extra: Mapping[str, object] = field(factory=_no_extra, hash=False, repr=_names_only)
