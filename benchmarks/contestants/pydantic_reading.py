"""Reading a list of 10,000 participants with pydantic.

Its models are as strict as this package's: no str becomes a number, and unknown fields are kept.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel

from benchmarks.contestants.long_list import time_of
from benchmarks.contestants.service import Place


def read(_: Place) -> dict[str, float]:
    return time_of(LIST.validate_json, is_spaced=False)


class Wire(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="allow", strict=True)


class Subscription(Wire):
    participant_id: str
    stream_aliases: list[str] | None = None


class Subscriptions(Wire):
    session_id: str
    participants: list[Subscription]


class Participant(Wire):
    id: str
    callback_url: str
    publish_permissions: list[Literal["AUDIO", "VIDEO"]]
    sessions: list[str]
    subscriptions: Subscriptions
    tag: str
    device_api_version: Literal["V2", "V3"]


LIST = TypeAdapter(list[Participant])
