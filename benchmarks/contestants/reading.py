"""Reading a list of 10,000 participants, in ways of which one is this package's."""

import json
import time
from collections.abc import Callable
from typing import Literal

import attrs
from cattrs import Converter
from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel

from benchmarks.contestants.service import Place
from webrtc_async.codec import read_answer
from webrtc_async.converter import wire_name
from webrtc_async.models import Participant, ParticipantSubscription, Subscriptions

SESSION = "session-5b7fde0c-4a3c-4e6f-9d0a-3c1c7a1f5b0e"


def read(_: Place, *, way: str) -> dict[str, float]:
    """Read the list once; letting it go is not measured."""
    started = time.process_time()
    listed = WAYS[way]()
    cpu = time.process_time() - started
    del listed
    return {"cpu": cpu, "bytes": len(BODY)}


def participant(number: int) -> dict[str, object]:
    name = f"participant-{number:08d}-4a3c-4e6f-9d0a-3c1c7a1f5b0e"
    others = [{"participantId": f"{name}-{n}", "streamAliases": ["camera"] * n} for n in range(2)]
    return {
        "id": name,
        "callbackUrl": "https://example.com/callbacks/webrtc",
        "publishPermissions": ["AUDIO", "VIDEO"],
        "sessions": [SESSION],
        "subscriptions": {"sessionId": SESSION, "participants": others},
        "tag": f"visit-{number}",
        "deviceApiVersion": "V3",
    }


BODY = json.dumps([participant(number) for number in range(10_000)]).encode()


def by_cattrs() -> object:
    """Read with cattrs as it comes, and a renaming of the keys by hand: not strict."""
    return DEFAULT.structure(snake_cased(json.loads(BODY)), list[Participant])


DEFAULT = Converter()
DEFAULT.register_structure_hook(object, lambda value, _: value)
SNAKE = {
    wire_name(each.name): each.name
    for model in (Participant, ParticipantSubscription, Subscriptions)
    for each in attrs.fields(model)
}


class Wire(BaseModel):
    """As strict as this package: no str becomes a number, and unknown fields are kept."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow", strict=True)


class WireSubscription(Wire):
    participant_id: str
    stream_aliases: list[str] | None = None


class WireSubscriptions(Wire):
    session_id: str
    participants: list[WireSubscription]


class WireParticipant(Wire):
    id: str
    callback_url: str
    publish_permissions: list[Literal["AUDIO", "VIDEO"]]
    sessions: list[str]
    subscriptions: WireSubscriptions
    tag: str
    device_api_version: Literal["V2", "V3"]


PYDANTIC = TypeAdapter(list[WireParticipant])


def snake_cased(value: object) -> object:
    if isinstance(value, dict):
        return {SNAKE[name]: snake_cased(each) for name, each in value.items()}
    return [snake_cased(each) for each in value] if isinstance(value, list) else value


WAYS: dict[str, Callable[[], object]] = {
    "json.loads": lambda: json.loads(BODY),
    "webrtc_async": lambda: read_answer(BODY, list[Participant]),
    "cattrs, default": by_cattrs,
    "pydantic": lambda: PYDANTIC.validate_json(BODY),
}
