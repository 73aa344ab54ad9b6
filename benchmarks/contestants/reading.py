"""Reading a list of 10,000 participants, in ways of which one is this package's."""

import json
from collections.abc import Callable

import attrs
from cattrs import Converter

from benchmarks.contestants.long_list import time_of
from benchmarks.contestants.service import Place
from webrtc_async._codec.converter import wire_name
from webrtc_async._codec.model_codec import read_answer
from webrtc_async.models import Participant, ParticipantSubscription, Subscriptions


def read(_: Place, *, way: str, is_spaced: bool = False) -> dict[str, float]:
    return time_of(WAYS[way], is_spaced=is_spaced)


def by_cattrs(body: bytes) -> object:
    """Read with cattrs as it comes, and a renaming of the keys by hand: not strict."""
    return DEFAULT.structure(snake_cased(json.loads(body)), list[Participant])


DEFAULT = Converter()
DEFAULT.register_structure_hook(object, lambda value, _: value)
SNAKE = {
    wire_name(each.name): each.name
    for model in (Participant, ParticipantSubscription, Subscriptions)
    for each in attrs.fields(model)
}


def snake_cased(value: object) -> object:
    if isinstance(value, dict):
        return {SNAKE[name]: snake_cased(each) for name, each in value.items()}
    return [snake_cased(each) for each in value] if isinstance(value, list) else value


WAYS: dict[str, Callable[[bytes], object]] = {
    "json.loads": json.loads,
    "webrtc_async": lambda body: read_answer(body, list[Participant]),
    "cattrs, default": by_cattrs,
}
