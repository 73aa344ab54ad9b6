"""The request header that carries a fault rule for the request itself."""

from collections.abc import Mapping
from typing import Final

from webrtc_async._codec.model_codec import ValidationError, read_json
from webrtc_async.emulator.faults.rule import FaultRule, read_rule

FAULT_HEADER: Final = "X-Emulator-Fault"

# These fields select among several requests.
_SELECTING: Final = (
    *("route", "session", "participant", "tag", "header"),
    *("nth", "times", "probability", "seed", "storm", "limit", "window"),
)


def read_fault_header(headers: Mapping[str, str]) -> FaultRule | None:
    """Return the rule in a request's header, or None without the header.

    Raises:
        ValueError: The header is not a rule for one request; the text names the field.
    """
    for name, value in headers.items():
        if name.lower() == FAULT_HEADER.lower():
            return _read(value)
    return None


def _read(value: str) -> FaultRule:
    try:
        rule = read_rule(read_json(value.encode("utf-8", "surrogatepass")))
    except ValidationError as error:
        raise ValueError("; ".join(error.problems)) from error
    for name in rule.as_json():
        if name in _SELECTING:
            raise ValueError(f"{name} is only for rules that apply to several requests.")
    return rule
