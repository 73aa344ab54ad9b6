"""Plans to JSON and back; what a line of a file of plans says.

{"key": "visit-42", "tag": "visit-42", "participants": ["agent", {"name": "caller",
"publishPermissions": ["AUDIO"]}], "subscribe": {"agent": ["caller"], "caller": "everyone"}}
"""

from collections.abc import Mapping
from typing import Any, Final, cast

import attrs

from webrtc_async._codec.model_codec import ValidationError, is_object, read_json, write_json
from webrtc_async.conferences.plan import ConferencePlan, Seat
from webrtc_async.conferences.subscriptions import Hearing, Subscribe
from webrtc_async.errors import InvalidArgumentError

_SEAT_FIELDS: Final = {
    "name": "name",
    "publishPermissions": "publish_permissions",
    "tag": "tag",
    "callbackUrl": "callback_url",
    "deviceApiVersion": "device_api_version",
}
_PLAN_FIELDS: Final = {name: name for name in ("key", "tag", "participants", "subscribe")}


def read_plan(content: bytes | str) -> ConferencePlan:
    """Return the plan that JSON says.

    Raises:
        InvalidArgumentError: It is not JSON, has a field that plans do not have, or its plan
            cannot be; the sentence names what is wrong.
    """
    try:
        raw = read_json(content.encode() if isinstance(content, str) else content)
    except (ValidationError, UnicodeEncodeError) as misfit:
        raise InvalidArgumentError(f"A plan cannot be read: {misfit}.") from None
    values = _fields(raw, _PLAN_FIELDS, "A plan")
    seats = values.get("participants")
    if not isinstance(seats, list):
        raise InvalidArgumentError('A plan needs "participants", a list.')
    values["participants"] = [_read_seat(each) for each in cast("list[object]", seats)]
    _check_subscribe(values.get("subscribe", "everyone"))
    return ConferencePlan(**values)


def write_plan(plan: ConferencePlan) -> bytes:
    """Return a plan as one line of JSON; what has its default is left out."""
    written: dict[str, object] = {
        "key": plan.key,
        "tag": plan.tag,
        "participants": [_write_seat(seat) for seat in plan.participants],
        "subscribe": plan.subscribe
        if isinstance(plan.subscribe, str)
        else {each.listener: _write_hearing(each) for each in plan.subscribe},
    }
    defaults: dict[str, object] = {"key": "", "tag": None, "subscribe": "everyone"}
    kept = {name: each for name, each in written.items() if defaults.get(name, written) != each}
    return write_json(kept)


def _read_seat(raw: object) -> Seat | str:
    if isinstance(raw, str):
        return raw
    values = _fields(raw, _SEAT_FIELDS, "A participant of a plan")
    if "name" not in values:
        raise InvalidArgumentError("A participant of a plan needs a name.")
    url = values.get("callback_url")
    if url is not None and not isinstance(url, str):
        raise InvalidArgumentError("A participant's callbackUrl must be text.")
    permissions = values.get("publish_permissions")
    if permissions is not None and not isinstance(permissions, list):
        raise InvalidArgumentError("A participant's publishPermissions must be a list.")
    version = values.get("device_api_version")
    if version is not None and not isinstance(version, str):
        raise InvalidArgumentError("A participant's deviceApiVersion must be text.")
    return Seat(**values)


def _write_seat(seat: Seat) -> str | dict[str, object]:
    values = attrs.asdict(seat)
    written = {name: values[field] for name, field in _SEAT_FIELDS.items()}
    kept = {name: value for name, value in written.items() if value is not None}
    if seat.publish_permissions is not None:
        kept["publishPermissions"] = sorted(seat.publish_permissions)
    return seat.name if kept.keys() == {"name"} else kept


def _write_hearing(hearing: Hearing) -> object:
    if hearing.heard == "everyone":
        return "everyone"
    if any(each.stream_aliases for each in hearing.heard):
        return {each.name: list(each.stream_aliases) for each in hearing.heard}
    return [each.name for each in hearing.heard]


def _check_subscribe(raw: object) -> Subscribe:
    if not isinstance(raw, str) and not is_object(raw):
        raise InvalidArgumentError(
            'subscribe is "everyone", "nobody", or an object of each listener to whom they hear.'
        )
    return cast("Subscribe", raw)


def _fields(raw: object, known: Mapping[str, str], what: str) -> dict[str, Any]:
    if not is_object(raw):
        raise InvalidArgumentError(f"{what} must be a JSON object.")
    if unknown := sorted(raw.keys() - known.keys()):
        raise InvalidArgumentError(
            f"{what} has no field {unknown[0][:64]!r}; it may have {', '.join(known)}."
        )
    return {known[name]: value for name, value in raw.items()}
