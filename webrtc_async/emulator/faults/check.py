"""Validators for the fields of a fault rule."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

from webrtc_async._protocol.redaction import public_headers
from webrtc_async.emulator.core.access_tokens import TOKEN_OPERATION
from webrtc_async.route_table import ROUTES

if TYPE_CHECKING:
    from attrs import Attribute

MAX_WAIT: Final = 3600.0
"""Maximum delay of a fault in seconds."""

MAX_BYTES: Final = 65536
"""Maximum number of bytes that a fault adds to a response or sends instead of one."""

MAX_HEADERS: Final = 20
"""Maximum number of headers that a rule can ask for."""

MAX_BITS: Final = 200
"""Maximum size of a number in an error text; Python shows none of more than 4,300 digits."""

OPERATIONS: Final = frozenset({*(route.operation for route in ROUTES), TOKEN_OPERATION})
"""Operations that a rule can name as its route."""

Check = Callable[[object, "Attribute[Any]", object], None]
"""An attrs validator; it raises a ValueError that names the field."""


def whole(lowest: int, highest: float = math.inf) -> Check:
    """Return a validator for whole numbers in a range; it rejects True and False."""

    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        if value is None or (type(value) is int and lowest <= value <= highest):
            return
        bound = f"from {lowest}" if highest == math.inf else f"from {lowest} to {highest}"
        raise ValueError(f"{attribute.name} must be a whole number {bound}, not {shown(value)}.")

    return check


def number(highest: float, unit: str) -> Check:
    """Return a validator for numbers above 0."""

    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        if value is None:
            return
        # Comparing NaN gives False.
        if isinstance(value, int | float) and type(value) is not bool and 0 < value <= highest:
            return
        raise ValueError(
            f"{attribute.name} must be {unit} above 0, at most {highest:g}, not {shown(value)}."
        )

    return check


def one_of(*words: object) -> Check:
    """Return a validator for a choice of words."""

    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        if value is not None and value not in words:
            listed = ", ".join(map(str, words))
            raise ValueError(f"{attribute.name} must be one of {listed}, not {shown(value)}.")

    return check


def is_text(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """Check that a value is a text and not empty."""
    if value is None or (isinstance(value, str) and 0 < len(value) <= MAX_BYTES):
        return
    raise ValueError(f"{attribute.name} must be text of 1 to {MAX_BYTES} characters.")


def is_flag(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """Check that a value is True or False."""
    if type(value) is not bool:
        raise ValueError(f"{attribute.name} must be true or false, not {shown(value)}.")


def is_header(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """Check that a value has texts by header name, and names no header that holds a secret."""
    if value is None:
        return
    pairs = cast("dict[object, object]", value).items() if isinstance(value, dict) else ()
    header = {name: each for name, each in pairs if isinstance(name, str) and isinstance(each, str)}
    if not 0 < len(header) == len(pairs) <= MAX_HEADERS:
        raise ValueError(
            f"{attribute.name} must be an object of 1 to {MAX_HEADERS} texts by header name, such "
            "as {x-tenant: seven}."
        )
    # A rule is shown by the page and by control calls.
    if secret := header.keys() - public_headers(header).keys():
        raise ValueError(f"{attribute.name} must not name {min(secret)}, which holds a secret.")


def is_operation(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """Check that a value is the name of an operation."""
    if value is not None and not (isinstance(value, str) and value in OPERATIONS):
        raise ValueError(
            f"{attribute.name} must be an operation, such as createSession, not {shown(value)}."
        )


def shown(value: object) -> str:
    """Return the form of a value for an error text."""
    # At most 64 characters, because the value can come from a request.
    if isinstance(value, str):
        return ascii(value[:64])
    if value is None or isinstance(value, float):
        return str(value)
    if isinstance(value, int):
        return str(value) if value.bit_length() <= MAX_BITS else "a huge number"
    # Python cannot show every depth of nesting.
    kind = type(value).__name__
    return {"list": "an array", "dict": "an object"}.get(kind, f"a {kind}")
