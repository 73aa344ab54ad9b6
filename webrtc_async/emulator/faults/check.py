"""What the fields of a fault rule may be, each check a validator of attrs."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from webrtc_async.emulator.core.access_tokens import TOKEN_OPERATION
from webrtc_async.route_table import ROUTES

if TYPE_CHECKING:
    from attrs import Attribute

LONGEST_WAIT: Final = 3600.0
"""Seconds that a rule may make somebody wait."""

MOST_BYTES: Final = 65536
"""Bytes that a rule may add to, or put in place of, an answer."""

OPERATIONS: Final = frozenset({*(route.operation for route in ROUTES), TOKEN_OPERATION})
"""What a rule's route may be."""

Check = Callable[[object, "Attribute[Any]", object], None]
"""Raises a ValueError that names the field if its value cannot be."""


def whole(lowest: int, highest: float = math.inf) -> Check:
    """Check for a whole number in a range; True and False are none."""

    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        if value is None or (type(value) is int and lowest <= value <= highest):
            return
        bound = f"from {lowest}" if highest == math.inf else f"from {lowest} to {highest}"
        raise ValueError(f"{attribute.name} must be a whole number {bound}, not {shown(value)}.")

    return check


def number(highest: float, unit: str) -> Check:
    """Check for a number above 0."""

    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        if value is None:
            return
        # A comparison with NaN is false.
        if isinstance(value, int | float) and type(value) is not bool and 0 < value <= highest:
            return
        raise ValueError(
            f"{attribute.name} must be {unit} above 0, at most {highest:g}, not {shown(value)}."
        )

    return check


def one_of(*words: object) -> Check:
    """Check for one of some words."""

    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        if value is not None and value not in words:
            listed = ", ".join(map(str, words))
            raise ValueError(f"{attribute.name} must be one of {listed}, not {shown(value)}.")

    return check


def is_text(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """Check for text that is not empty."""
    if value is None or (isinstance(value, str) and 0 < len(value) <= MOST_BYTES):
        return
    raise ValueError(f"{attribute.name} must be text of 1 to {MOST_BYTES} characters.")


def is_flag(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """Check for true or false."""
    if type(value) is not bool:
        raise ValueError(f"{attribute.name} must be true or false, not {shown(value)}.")


def is_operation(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """Check for the name of an operation."""
    if value is not None and not (isinstance(value, str) and value in OPERATIONS):
        raise ValueError(
            f"{attribute.name} must be an operation, such as createSession, not {shown(value)}."
        )


def shown(value: object) -> str:
    """Return a value as an error shows it."""
    # Only so much of it, because it may come from a request.
    return ascii(value)[:64] if isinstance(value, int | float) else ascii(str(value)[:64])
