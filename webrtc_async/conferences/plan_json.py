"""Plans as JSON, one plan on each line of a file.

{"key": "visit-42", "tag": "visit-42", "participants": ["agent", {"name": "caller",
"publishPermissions": ["AUDIO"]}], "subscriptions": {"agent": ["caller"], "caller": "everyone"}}
"""

from collections.abc import Mapping
from typing import Any, Final, cast

import attrs

from webrtc_async._codec.model_codec import ValidationError, is_object, read_json, write_json
from webrtc_async.conferences.plan import ConferencePlan, ParticipantSpec
from webrtc_async.conferences.subscriptions import SubscriptionsByName
from webrtc_async.errors import InvalidArgumentError

_PARTICIPANT_FIELDS: Final = {
    "name": "name",
    "publishPermissions": "publish_permissions",
    "tag": "tag",
    "callbackUrl": "callback_url",
    "deviceApiVersion": "device_api_version",
}
_PLAN_FIELDS: Final = {name: name for name in ("key", "tag", "participants", "subscriptions")}


def read_plan(content: bytes | str) -> ConferencePlan:
    """Read a plan from JSON.

    Raises:
        InvalidArgumentError: It is not JSON, has an unknown field, or describes an invalid plan;
            the error names the fault.
    """
    try:
        raw = read_json(content.encode() if isinstance(content, str) else content)
    except (ValidationError, UnicodeEncodeError) as error:
        raise InvalidArgumentError(f"A plan cannot be read: {error}.") from None
    values = _fields(raw, _PLAN_FIELDS, "A plan")
    participants = values.get("participants")
    if not isinstance(participants, list):
        raise InvalidArgumentError('A plan needs "participants", a list.')
    values["participants"] = [
        _read_participant(each) for each in cast("list[object]", participants)
    ]
    _check_subscriptions(values.get("subscriptions", "everyone"))
    return ConferencePlan(**values)


def write_plan(plan: ConferencePlan) -> bytes:
    """Return a plan as one line of JSON without its default values."""
    written: dict[str, object] = {
        "key": plan.key,
        "tag": plan.tag,
        "participants": [_write_participant(spec) for spec in plan.participants],
        "subscriptions": plan.subscriptions
        if isinstance(plan.subscriptions, str)
        else {each.subscriber: _write_subscriptions(each) for each in plan.subscriptions},
    }
    defaults: dict[str, object] = {"key": "", "tag": None, "subscriptions": "everyone"}
    kept = {name: each for name, each in written.items() if defaults.get(name, written) != each}
    return write_json(kept)


def _read_participant(raw: object) -> ParticipantSpec | str:
    if isinstance(raw, str):
        return raw
    values = _fields(raw, _PARTICIPANT_FIELDS, "A participant of a plan")
    if "name" not in values:
        raise InvalidArgumentError("A participant of a plan needs a name.")
    url = values.get("callback_url")
    if url is not None and not isinstance(url, str):
        raise InvalidArgumentError("A participant's callbackUrl must be a string.")
    permissions = values.get("publish_permissions")
    if permissions is not None and not isinstance(permissions, list):
        raise InvalidArgumentError("A participant's publishPermissions must be a list.")
    version = values.get("device_api_version")
    if version is not None and not isinstance(version, str):
        raise InvalidArgumentError("A participant's deviceApiVersion must be a string.")
    return ParticipantSpec(**values)


def _write_participant(spec: ParticipantSpec) -> str | dict[str, object]:
    values = attrs.asdict(spec)
    written = {name: values[field] for name, field in _PARTICIPANT_FIELDS.items()}
    kept = {name: value for name, value in written.items() if value is not None}
    if spec.publish_permissions is not None:
        kept["publishPermissions"] = sorted(spec.publish_permissions)
    return spec.name if kept.keys() == {"name"} else kept


def _write_subscriptions(subscriptions: SubscriptionsByName) -> object:
    chosen = subscriptions.subscribed_to
    if chosen == "everyone":
        return "everyone"
    if any(each.stream_aliases for each in chosen):
        return {each.name: list(each.stream_aliases) for each in chosen}
    return [each.name for each in chosen]


def _check_subscriptions(raw: object) -> None:
    if not isinstance(raw, str) and not is_object(raw):
        raise InvalidArgumentError(
            'subscriptions must be "everyone", "nobody", or an object with a field for each '
            "subscriber."
        )


def _fields(raw: object, known: Mapping[str, str], subject: str) -> dict[str, Any]:
    if not is_object(raw):
        raise InvalidArgumentError(f"{subject} must be a JSON object.")
    if unknown := sorted(raw.keys() - known.keys()):
        raise InvalidArgumentError(
            f"{subject} has no field {unknown[0][:64]!r}; its fields are {', '.join(known)}."
        )
    return {known[name]: value for name, value in raw.items()}
