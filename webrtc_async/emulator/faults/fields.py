"""The fields of a fault rule as keywords, for type checkers."""

from collections.abc import Mapping
from typing import Literal, TypedDict

from webrtc_async.emulator.faults.delay import RandomDelay, RandomDelayFields

FaultBody = Literal["error", "message", "code", "html", "empty"]
Ending = Literal["reset", "close"]


class FaultFields(TypedDict, total=False):
    """The fields of a rule without its route, as `FaultRule` describes them."""

    session: str | None
    participant: str | None
    tag: str | None
    header: Mapping[str, str] | None
    nth: int | None
    times: int | None
    probability: float | None
    seed: int | None
    delay: float | RandomDelay | RandomDelayFields | None
    status: int | None
    body: FaultBody | None
    message: str | None
    retry_after: int | str | None
    storm: float | None
    limit: int | None
    window: float | None
    slow_headers: float | None
    slow_body: float | None
    refuse: bool
    drop: Ending | Literal[True] | None
    lose_answer: Ending | Literal[True] | None
    truncate: int | None
    wrong_length: int | None
    garbage: int | None
    trailing: str | None
