"""JSON bytes to values and back, stricter than the standard library."""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable
from json.encoder import encode_basestring_ascii
from typing import Any, Final, NoReturn, TypeGuard, cast


class ValidationError(ValueError):
    """An error for bytes or values that do not fit a model.

    Attributes:
        problems: A sentence for each misfit, with its path in the JSON.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(self.problems)


def problems_of(error: Exception, step: str = "") -> tuple[str, ...]:
    """Return the problems that an error names, with a step before the path of each.

    Args:
        error: An error about a part of a value.
        step: The part: the key of a field, or an index in brackets.
    """
    problems = error.problems if isinstance(error, ValidationError) else (f"{_WHOLE}: {error}",)
    rests = [each.removeprefix(_WHOLE) for each in problems] if step else problems
    return tuple(
        f"{step}.{each}" if step and each[0] not in "[:" else step + each for each in rests
    )


def read_json(content: bytes, *, unique_keys: bool = True) -> object:
    """Return the value of JSON bytes.

    Args:
        content: JSON in UTF-8, UTF-16 or UTF-32.
        unique_keys: Refuse an object that repeats a key; otherwise the last of them counts.

    Raises:
        ValidationError: The bytes are not JSON, or have NaN, a huge number or deep nesting.
    """
    decoder = _UNIQUE_KEYS if unique_keys else _LAST_KEYS
    try:
        text = content.decode(_encoding(content))
        # decode() looks for space around the value, which takes longer than a short value.
        value, end = decoder.raw_decode(text) if text[:1] in _STARTS else (None, -1)
        return cast("object", value if end == len(text) else decoder.decode(text))
    except RecursionError as error:
        raise ValidationError(("the JSON is nested too deeply",)) from error
    except ValueError as error:
        raise ValidationError((f"not valid JSON: {error}",)) from error


def read_object(content: bytes) -> dict[str, object]:
    """Return the object in an answer's bytes; an empty one if they hold anything else."""
    try:
        fields = read_json(content, unique_keys=False)
    except ValidationError:
        return {}
    return fields if is_object(fields) else {}


def write_json(value: object) -> bytes:
    """Return compact ASCII JSON; a lone surrogate survives as its escape."""
    return "".join(_ENCODE(value, 0)).encode("ascii")


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    """Return True if a JSON value is an object."""
    return isinstance(value, dict)


def _encoding(content: bytes) -> str:
    # UTF-16 and UTF-32 have a byte order mark or a zero among the first two bytes.
    if content[:1] in (b"{", b"[") and content[1:2] > b"\0":
        return "utf-8"
    return json.detect_encoding(content)


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the key {twice[:64]!r} is there twice")
    return found


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"the number {digits[:64]} is too large")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


_WHOLE: Final = "the body"
_STARTS: Final = ("{", "[")

# Made once, because json makes a new one for every call with options.
_UNIQUE_KEYS: Final = json.JSONDecoder(
    object_pairs_hook=_unique_keys, parse_constant=_refuse_constant, parse_float=_finite
)
_LAST_KEYS: Final = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
# JSONEncoder.encode makes such a C encoder for every call, which takes longer than a short body.
_make_encoder: Any = getattr(json.encoder, "c_make_encoder", None)
_ENCODE: Final[Callable[[object, int], Iterable[str]]] = (
    _make_encoder(
        None, _ENCODER.default, encode_basestring_ascii, None, ":", ",", False, False, False
    )
    if _make_encoder
    else lambda value, _: _ENCODER.iterencode(value)
)
