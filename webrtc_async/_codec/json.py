"""JSON values to bytes and back, without what JSON parsers disagree about."""

import json
import math
from collections import Counter
from typing import Any, Final, NoReturn, TypeGuard, cast


class ValidationError(ValueError):
    """Bytes or values that are not what a model says; `problems` holds a sentence for each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(self.problems)


def read_json(content: bytes) -> object:
    """Return what JSON bytes say, refusing what JSON parsers disagree about.

    Raises:
        ValidationError: Bad JSON, a duplicate key, NaN, a huge number, bad UTF-8, or deep nesting.
    """
    try:
        return cast("object", _parsed(content, _encoding(content), _STRICT))
    except RecursionError as error:
        raise ValidationError(("the JSON is nested too deeply",)) from error
    except ValueError as error:
        raise ValidationError((f"not valid JSON: {error}",)) from error


def parsed(content: bytes) -> tuple[Any, int | None]:
    """Return what JSON bytes say, and how many strings it has if no key was repeated.

    Without that number no key was repeated; with it the last pair of a repeated key may stand for
    all of them, and then the value has fewer strings.

    Raises:
        ValueError: As read_json does, without a sentence for it.
    """
    encoding = _encoding(content)
    strings = strings_in(content) if encoding == "utf-8" else None
    return _parsed(content, encoding, _STRICT if strings is None else _LAST_PAIRS), strings


def strings_in(content: bytes) -> int | None:
    """Return how many strings JSON in UTF-8 has, keys and values, or None if that is not plain."""
    quotes = content.count(b'"')
    if _BACKSLASH in content:
        # Of two backslashes the second may stand for itself, and then a quote after it ends.
        if b"\\\\" in content:
            return None
        quotes -= content.count(b'\\"')
    return quotes // 2


def strings_of(value: object) -> int:
    """Return how many strings a JSON value has, keys and values."""
    if isinstance(value, str):
        return 1
    if is_object(value):
        return len(value) + sum(map(strings_of, value.values()))
    return sum(map(strings_of, cast("list[object]", value))) if isinstance(value, list) else 0


def read_object(content: bytes) -> dict[str, object]:
    """Return the object that JSON bytes say, or an empty one if they say anything else."""
    try:
        fields = read_json(content)
    except ValidationError:
        return {}
    return fields if is_object(fields) else {}


def write_json(value: object) -> bytes:
    """Return compact ASCII JSON; a lone surrogate survives as its escape."""
    return _ENCODER.encode(value).encode("ascii")


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def _parsed(content: bytes, encoding: str, decoder: json.JSONDecoder) -> Any:
    text = content.decode(encoding, "surrogatepass")
    # Without a look for space around it, if there is none.
    value, end = decoder.raw_decode(text) if text[:1] in _STARTS else (None, -1)
    return value if end == len(text) else decoder.decode(text)


def _encoding(content: bytes) -> str:
    # Neither a mark nor one of the zeros of UTF-16 and UTF-32 is among the first two bytes.
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


_STARTS: Final = ("{", "[")
_BACKSLASH: Final = ord("\\")

# Made once, because json makes a new one for every call that has settings of its own.
_STRICT: Final = json.JSONDecoder(
    object_pairs_hook=_unique_keys, parse_constant=_refuse_constant, parse_float=_finite
)
_LAST_PAIRS: Final = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
