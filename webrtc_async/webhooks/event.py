"""An event of a participant, which the service posts to the participant's callback URL."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple, cast

from attrs import field, frozen

from webrtc_async._codec import model_codec as codec
from webrtc_async.errors import InvalidArgumentError
from webrtc_async.models import OpenEnum

LONGEST_EVENT: Final = 64 * 1024
"""The longest accepted body in bytes; the service's bodies have a few hundred."""

_LATEST: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, Python's last year."""


class ParticipantEventType(OpenEnum):
    """A type of event of a participant's device."""

    CONNECT = "onConnect"
    """The device connected for signalling."""
    DISCONNECT = "onDisconnect"
    """The signalling connection was lost; the device may connect again, or a LEAVE may follow."""
    LEAVE = "onLeave"
    """The device or the service ended the signalling connection."""


class EventKey(NamedTuple):
    """The identity of an event: equal for two posts of one event, different for two events."""

    participant_id: str
    device_id: str | None
    event: str
    timestamp: int


@frozen(kw_only=True)
class ParticipantEvent:
    """An event of a participant's device.

    Events can arrive out of order and more than once. `key` is equal for posts of the same event,
    and `timestamp` orders two events.

    Attributes:
        event: The type of the event; unknown types are kept.
        timestamp: Milliseconds since 1970 by the service's clock.
        participant_id: The id of the participant.
        device_id: The id that the device chose, or None.
        tag: The participant's tag, or None.
        extra: Unknown fields, by their JSON names.
    """

    event: ParticipantEventType
    timestamp: int
    participant_id: str
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
        """The identity of the event; equal for repeated posts."""
        return EventKey(self.participant_id, self.device_id, self.event.value, self.timestamp)


def read_event(body: bytes | bytearray | str | Mapping[str, object]) -> ParticipantEvent:
    """Return the event in the body of a request.

    Args:
        body: The body as bytes, as text, or as parsed JSON.

    Raises:
        InvalidArgumentError: The body is not JSON, longer than 64 KiB, or no participant event.
    """
    fields = dict(_fields(body))
    return ParticipantEvent(
        event=ParticipantEventType(_required_text(fields, "event")),
        timestamp=_timestamp(fields.pop("timestamp", None)),
        participant_id=_required_text(fields, "participantId"),
        device_id=_text(fields, "deviceId"),
        tag=_text(fields, "tag"),
        extra=fields,
    )


def _fields(body: object) -> Mapping[str, object]:
    if isinstance(body, Mapping):
        given = cast("Mapping[object, object]", body)
        if not all(isinstance(name, str) for name in given):
            raise InvalidArgumentError("The event is an object with text as its names.")
        return cast("Mapping[str, object]", body)
    if isinstance(body, str):
        body = body.encode("utf-8", "surrogatepass")
    if not isinstance(body, bytes | bytearray):
        raise InvalidArgumentError(
            f"An event is bytes, text or a mapping, not {type(body).__name__}."
        )
    if len(body) > LONGEST_EVENT:
        raise InvalidArgumentError(f"The body is over {LONGEST_EVENT} bytes long.")
    try:
        fields = codec.read_json(bytes(body))
    except codec.ValidationError as misfit:
        raise InvalidArgumentError(f"The body is {misfit}.") from None
    if not codec.is_object(fields):
        raise InvalidArgumentError("The body is no JSON object.")
    return fields


def _required_text(fields: dict[str, object], name: str) -> str:
    value = _text(fields, name)
    if not value:
        raise InvalidArgumentError(f"{name} is missing.")
    return value


def _text(fields: dict[str, object], name: str) -> str | None:
    value = fields.pop(name, None)
    if value is not None and not isinstance(value, str):
        raise InvalidArgumentError(f"{name} is no text.")
    return value


def _timestamp(value: object) -> int:
    # The documented example is text, and code that reads it counts with it: both are taken.
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,15}", value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LATEST:
        raise InvalidArgumentError("timestamp is no number of milliseconds since 1970.")
    return value
