"""A list of 10,000 participants, as the service might answer it, and what reading it takes."""

import gc
import json
import time
from collections.abc import Callable
from functools import cache

SESSION = "session-5b7fde0c-4a3c-4e6f-9d0a-3c1c7a1f5b0e"
COMPACT, SPACED = (",", ":"), (", ", ": ")
"""What JSON libraries of servers write, and what Python's does unless it is told."""

BESIDE = 30_000
"""Objects that the collector sees in each process; with FastAPI loaded there are twice as many."""


def time_of(reading: Callable[[bytes], object], *, is_spaced: bool) -> dict[str, float]:
    """Read the list once; letting it go is not measured."""
    body = BODIES[is_spaced]
    fill_up()
    started = time.process_time()
    listed = reading(body)
    cpu = time.process_time() - started
    del listed
    return {"cpu": cpu, "bytes": len(body)}


@cache
def fill_up() -> list[list[object]]:
    """Have as much besides as all others have: the more there is, the dearer the collector."""
    return [[] for _ in range(BESIDE - len(gc.get_objects()))]


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


BODIES = [
    json.dumps([participant(number) for number in range(10_000)], separators=each).encode()
    for each in (COMPACT, SPACED)
]
