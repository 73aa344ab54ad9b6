"""Models to JSON bytes and back, strictly: nothing is coerced, nothing is dropped."""

import json
import math
from collections import Counter
from functools import cache
from typing import Any, Final, NoReturn, TypeVar, cast

import attrs

from webrtc_async.collector import WORTH_IT, paused_collector
from webrtc_async.converter import (
    MisfitError,
    build_converter,
    is_object,
    request_fields,
    structured,
)
from webrtc_async.model_writer import Write, compile_writer

__all__ = [
    "MisfitError",
    "is_object",
    "read_answer",
    "read_json",
    "read_object",
    "read_request",
    "write_answer",
    "write_json",
    "write_request",
]

ModelT = TypeVar("ModelT")

_ANSWERS: Final = build_converter(of_service=True)
_REQUESTS: Final = build_converter(of_service=False)


def read_answer(content: bytes, model: type[ModelT]) -> ModelT:
    """Return the service's answer as a model; ids and tokens must be there.

    Raises:
        MisfitError: The bytes are not JSON, or the JSON is not the model.
    """
    if len(content) < WORTH_IT:
        return structured(_ANSWERS, read_json(content), model)
    with paused_collector():
        return structured(_ANSWERS, read_json(content), model)


def read_request(content: bytes, model: type[ModelT]) -> ModelT:
    """Return a request's body as a model; this is how the emulator reads.

    Raises:
        MisfitError: The bytes are not JSON, or the JSON is not the model.
    """
    return structured(_REQUESTS, read_json(content), model)


def write_answer(value: object) -> bytes:
    """Return a model, or a list of them, as JSON with every field that is set."""
    return write_json(_ANSWERS.unstructure(value))


def write_request(model: object) -> bytes:
    """Return a request's body: what the caller set, without what only the service sets.

    Raises:
        MisfitError: A value has a type that its field does not allow.
    """
    # What fits is written at once; all else is written in the way that can say what is wrong.
    kind: Any = type(model)
    if (written := _writer(kind)(model)) is not None:
        return written.encode("ascii")
    try:
        raw: object = _REQUESTS.unstructure(model)
    except Exception as error:
        # What attrs and cattrs make of a value that its field does not allow is not documented.
        raise MisfitError((f"{type(model).__name__}: {error}",)) from error
    # attrs does not check types, so what is about to be sent is read back by the rules for reading.
    structured(_REQUESTS, raw, type(model))
    try:
        return write_json(raw)
    except (TypeError, ValueError, RecursionError) as error:
        raise MisfitError((f"extra: {error}",)) from error


def read_json(content: bytes) -> object:
    """Return what JSON bytes say, refusing what JSON parsers disagree about.

    Raises:
        MisfitError: Bad JSON, a duplicate key, NaN, an endless number, bad UTF-8, or deep nesting.
    """
    try:
        text = content.decode(_encoding(content), "surrogatepass")
        # Without a look for space around it, if there is none.
        parsed, end = _DECODER.raw_decode(text) if text[:1] in _STARTS else (None, -1)
        if end != len(text):
            parsed = _DECODER.decode(text)
    except RecursionError as error:
        raise MisfitError(("the JSON is nested too deeply",)) from error
    except ValueError as error:
        raise MisfitError((f"not valid JSON: {error}",)) from error
    return cast("object", parsed)


def read_object(content: bytes) -> dict[str, object]:
    """Return the object that JSON bytes say, or an empty one if they say anything else."""
    try:
        fields = read_json(content)
    except MisfitError:
        return {}
    return fields if is_object(fields) else {}


def write_json(value: object) -> bytes:
    """Return compact ASCII JSON; a lone surrogate survives as its escape."""
    return _ENCODER.encode(value).encode("ascii")


@cache
def _writer(model: type) -> Write:
    return compile_writer(model, request_fields) if attrs.has(model) else lambda _: None


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

# Made once, because json makes a new one for every call that has settings of its own.
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique_keys, parse_constant=_refuse_constant, parse_float=_finite
)
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
