"""Plans as JSON, one plan on each line of a file.

{"key": "visit-42", "tag": "visit-42", "participants": ["agent", {"name": "caller",
"publishPermissions": ["AUDIO"]}], "subscriptions": {"agent": ["caller"], "caller": "everyone"}}
"""

from typing import Any, cast

from attrs import field, frozen

from webrtc_async._codec.model_codec import (
    ValidationError,
    from_json_value,
    read_json,
    to_json_value,
    write_json,
)
from webrtc_async.conferences.plan import ConferencePlan, ParticipantSpec
from webrtc_async.conferences.subscriptions import SubscriptionsByName
from webrtc_async.errors import InvalidArgumentError


def _read_participants(value: object, _: object) -> tuple[ParticipantSpec, ...]:
    if isinstance(value, list):
        items = cast("list[object]", value)
        value = [{"name": each} if isinstance(each, str) else each for each in items]
    return from_json_value(value, tuple[ParticipantSpec, ...])


@frozen(kw_only=True)
class _PlanJson:
    """The fields of a plan in JSON; `ConferencePlan` checks the subscriptions."""

    key: str = ""
    tag: str | None = None
    participants: tuple[ParticipantSpec | str, ...] = field(metadata={"read": _read_participants})
    subscriptions: Any = "everyone"


def read_plan(content: bytes | str) -> ConferencePlan:
    """Read a plan from JSON.

    Raises:
        InvalidArgumentError: It is not JSON, has an unknown field, or describes an invalid plan;
            the error names the fault.
    """
    try:
        raw = read_json(content.encode() if isinstance(content, str) else content)
        plan = from_json_value(raw, _PlanJson)
    except (ValidationError, UnicodeEncodeError) as error:
        fault = str(error).removesuffix(".")
        raise InvalidArgumentError(f"A plan cannot be read: {fault}.") from None
    return ConferencePlan(
        plan.participants, subscriptions=plan.subscriptions, tag=plan.tag, key=plan.key
    )


def write_plan(plan: ConferencePlan) -> bytes:
    """Return a plan as one line of JSON without its default values."""
    subscriptions = plan.subscriptions
    written = _PlanJson(
        key=plan.key,
        tag=plan.tag,
        participants=tuple(
            spec.name if spec == ParticipantSpec(spec.name) else spec for spec in plan.participants
        ),
        subscriptions=subscriptions
        if isinstance(subscriptions, str)
        else {each.subscriber: write_subscriptions(each) for each in subscriptions},
    )
    return write_json(to_json_value(written))


def write_subscriptions(subscriptions: SubscriptionsByName) -> object:
    """Return one participant's subscriptions as JSON, for a plan's "subscriptions"."""
    chosen = subscriptions.subscribed_to
    if chosen == "everyone":
        return "everyone"
    if any(each.stream_aliases for each in chosen):
        return {each.name: list(each.stream_aliases) or "all" for each in chosen}
    return [each.name for each in chosen]
