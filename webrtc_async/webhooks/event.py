"""The event that the service posts to a participant's callback URL."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple, cast

from attrs import field, frozen

from webrtc_async._codec import model_codec as codec
from webrtc_async.errors import InvalidArgumentError
from webrtc_async.models import OpenEnum

MAX_EVENT_BYTES: Final = 64 * 1024
"""The longest accepted body in bytes; the service's bodies have a few hundred."""

_LATEST: Final = 253_402_300_799_999
"""The last millisecond of the year 9999; Python has no later dates."""


class ParticipantEventType(OpenEnum):
    """A kind of event of a participant's device."""

    CONNECT = "onConnect"
    """The device connected to the signalling server."""
    DISCONNECT = "onDisconnect"
    """The signalling connection was lost; the device may reconnect, or a LEAVE may follow."""
    LEAVE = "onLeave"
    """The device or the service closed the signalling connection on purpose."""


class EventKey(NamedTuple):
    """The identity of an event: equal for repeated posts, different for different events."""

    participant_id: str
    device_id: str | None
    event: str
    timestamp: int


def _read_filled_text(value: object, _: object) -> str:
    if not isinstance(value, str):
        raise TypeError("expected text")
    if not value:
        raise ValueError("missing")
    return value


def _read_event_type(value: object, _: object) -> ParticipantEventType:
    return ParticipantEventType(_read_filled_text(value, str))


def _read_timestamp(value: object, _: object) -> int:
    # The documented example is text, and code that reads it expects a number: both are accepted.
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,15}", value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LATEST:
        raise ValueError("expected a number of milliseconds since 1970")
    return value


@frozen(kw_only=True)
class ParticipantEvent:
    """An event of a participant's device.

    The service may post events in any order, and an event more than once. Compare `key` to find a
    repeated post, and `timestamp` to order two events.

    Attributes:
        event: The kind of event; a kind that this version does not know is kept as it is.
        timestamp: The time of the event in milliseconds since 1970, by the service's clock.
        participant_id: The participant.
        device_id: The id that the device gave itself, or None.
        tag: The participant's tag, or None.
        extra: Fields that this version does not know, by their names on the wire.
    """

    event: ParticipantEventType = field(metadata={"read": _read_event_type})
    timestamp: int = field(metadata={"read": _read_timestamp})
    participant_id: str = field(metadata={"read": _read_filled_text})
    device_id: str | None = None
    tag: str | None = None
    extra: Mapping[str, object] = field(
        factory=dict[str, object], hash=False, repr=lambda extra: repr(sorted(extra))
    )

    @property
    def at(self) -> datetime:
        """The time of the event, in UTC."""
        return datetime.fromtimestamp(self.timestamp / 1000, UTC)

    @property
    def key(self) -> EventKey:
        """The identity of the event, however often it is posted."""
        return EventKey(self.participant_id, self.device_id, self.event.value, self.timestamp)


def read_event(body: bytes | bytearray | str | Mapping[str, object]) -> ParticipantEvent:
    """Return the event in a request's body.

    Args:
        body: The body as raw bytes, as text or as parsed JSON.

    Raises:
        InvalidArgumentError: The body is not JSON, over 64 KiB long, or not a participant event.
    """
    fields = _fields(body)
    try:
        return codec.from_json_value(dict(fields), ParticipantEvent)
    except codec.ValidationError as error:
        raise InvalidArgumentError(f"The body is not a participant event: {error}.") from None


def _fields(body: object) -> Mapping[str, object]:
    if isinstance(body, Mapping):
        return cast("Mapping[str, object]", body)
    if isinstance(body, str):
        body = body.encode("utf-8", "surrogatepass")
    if not isinstance(body, bytes | bytearray):
        raise InvalidArgumentError(
            f"An event is bytes, text or a mapping, not {type(body).__name__}."
        )
    if len(body) > MAX_EVENT_BYTES:
        raise InvalidArgumentError(f"The body is over {MAX_EVENT_BYTES} bytes long.")
    try:
        fields = codec.read_json(bytes(body))
    except codec.ValidationError as error:
        raise InvalidArgumentError(f"The body is {error}.") from None
    if not codec.is_object(fields):
        raise InvalidArgumentError("The body is not a JSON object.")
    return fields
