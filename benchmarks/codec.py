"""Reading a list of 10,000 participants: strict, typed, unknown fields kept."""

import json
import time
from collections.abc import Callable
from statistics import median

import attrs
from cattrs import Converter

from benchmarks.report import keep, machine, ratio, table
from webrtc_async.codec import read_answer
from webrtc_async.converter import wire_name
from webrtc_async.models import Participant, ParticipantSubscription, Subscriptions

ROUNDS = 9
SESSION = "session-5b7fde0c-4a3c-4e6f-9d0a-3c1c7a1f5b0e"


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


def snake_cased(value: object) -> object:
    if isinstance(value, dict):
        return {SNAKE[name]: snake_cased(each) for name, each in value.items()}
    return [snake_cased(each) for each in value] if isinstance(value, list) else value


WAYS: dict[str, Callable[[], object]] = {
    "json.loads": lambda: json.loads(BODY),
    "webrtc_async": lambda: read_answer(BODY, list[Participant]),
    "cattrs, default": by_cattrs,
}


def main() -> None:
    times: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(ROUNDS):
        for name, way in WAYS.items():
            started = time.process_time()
            read = way()
            times[name].append(time.process_time() - started)
            del read
    rows = [
        [name, f"{median(each) * 1000:.0f} ms", ratio(each, times["json.loads"])]
        for name, each in times.items()
    ]
    keep(
        "codec",
        f"""# Reading models

{__doc__}
{machine()}

{len(BODY) / 1e6:.1f} MB. Medians of {ROUNDS} rounds, interleaved; ratios of each round, with
their spread.

{table(["way", "time", "/ json.loads"], rows)}""",
    )


if __name__ == "__main__":
    main()
