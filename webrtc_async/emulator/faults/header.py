"""The header by which a request brings a fault of its own."""

from collections.abc import Mapping
from typing import Final

from webrtc_async._codec.model_codec import ValidationError, read_json
from webrtc_async.emulator.faults.rule import FaultRule, read_rule

FAULT_HEADER: Final = "X-Emulator-Fault"

# One request has no others to count.
_OF_MANY: Final = ("route", "nth", "times", "probability", "seed", "storm", "limit", "window")


def read_fault_header(headers: Mapping[str, str]) -> FaultRule | None:
    """Return the rule that a request brings; None if it brings none.

    Raises:
        ValueError: The header is no rule for one request; the text names the field.
    """
    for name, value in headers.items():
        if name.lower() == FAULT_HEADER.lower():
            return _read(value)
    return None


def _read(value: str) -> FaultRule:
    try:
        rule = read_rule(read_json(value.encode("utf-8", "surrogatepass")))
    except ValidationError as misfit:
        raise ValueError("; ".join(misfit.problems)) from misfit
    for name in rule.picture():
        if name in _OF_MANY:
            raise ValueError(f"{name} is for rules that meet several requests.")
    return rule
