"""A participant's event, as the service posts it to the participant's callback URL."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple, cast

from attrs import field, frozen

from webrtc_async._codec import model_codec as codec
from webrtc_async.errors import InvalidArgumentError
from webrtc_async.models import OpenEnum

LONGEST_EVENT: Final = 64 * 1024
"""Bytes of a body that are read; the service's own have a few hundred."""

_LATEST: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, behind which Python has no dates."""


class ParticipantEventType(OpenEnum):
    """What happened to a participant's device."""

    CONNECT = "onConnect"
    """Its signalling connection was made."""
    DISCONNECT = "onDisconnect"
    """Its signalling connection was lost; it may come back, or a LEAVE may follow."""
    LEAVE = "onLeave"
    """Its signalling connection was ended on purpose, by the device or by the service."""


class EventKey(NamedTuple):
    """What two posts of one event have in common, and two events have not."""

    participant_id: str
    device_id: str | None
    event: str
    timestamp: int


@frozen(kw_only=True)
class ParticipantEvent:
    """Something that happened to a participant's device.

    The service promises neither order nor that an event comes once. `key` tells a repeated post
    from another event, and `timestamp` tells which of two events came first.

    Attributes:
        event: What happened; a type this version does not know is kept as it is.
        timestamp: When, in milliseconds since 1970, by the service's clock.
        participant_id: To whom.
        device_id: The id that the device gave itself, or None.
        tag: The participant's tag, or None.
        extra: Fields this version does not know, by their names on the wire.
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
        """When it happened, in UTC."""
        return datetime.fromtimestamp(self.timestamp / 1000, UTC)

    @property
    def key(self) -> EventKey:
        """What identifies the event, however often it is posted."""
        return EventKey(self.participant_id, self.device_id, self.event.value, self.timestamp)


def read_event(body: bytes | bytearray | str | Mapping[str, object]) -> ParticipantEvent:
    """Return the event that a framework received, as raw bytes, as text or as parsed JSON.

    Args:
        body: The body of the request.

    Raises:
        InvalidArgumentError: It is not JSON, over 64 KiB long, or no participant event.
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
