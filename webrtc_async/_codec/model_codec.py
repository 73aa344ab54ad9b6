"""Models to JSON bytes and back, strictly: nothing is coerced, nothing is dropped."""

from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs

from webrtc_async._codec.body_reader import BodyReader
from webrtc_async._codec.converter import build_converter, structured
from webrtc_async._codec.json import ValidationError, is_object, read_json, read_object, write_json

if TYPE_CHECKING:
    from webrtc_async._codec.model_writer import Write

__all__ = [
    "ValidationError",
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
_ANSWER_READER: Final = BodyReader(_ANSWERS, of_service=True)
_WRITERS: Final["dict[type, Write]"] = {}
_REQUEST_READER: Final = BodyReader(_REQUESTS, of_service=False)


def read_answer(content: bytes, model: type[ModelT]) -> ModelT:
    """Return the service's answer as a model; ids and tokens must be there.

    Raises:
        ValidationError: The bytes are not JSON, or the JSON is not the model.
    """
    return _ANSWER_READER.read(content, model)


def read_request(content: bytes, model: type[ModelT]) -> ModelT:
    """Return a request's body as a model; this is how the emulator reads.

    Raises:
        ValidationError: The bytes are not JSON, or the JSON is not the model.
    """
    return _REQUEST_READER.read(content, model)


def write_answer(value: object) -> bytes:
    """Return a model, or a list of them, as JSON with every field that is set."""
    return write_json(_ANSWERS.unstructure(value))


def write_request(model: object) -> bytes:
    """Return a request's body: what the caller set, without what only the service sets.

    Raises:
        ValidationError: A value has a type that its field does not allow.
    """
    # What fits is written at once; all else is written in the way that can say what is wrong.
    kind: Any = type(model)
    write = _WRITERS.get(kind) or _writer(kind)
    if (written := write(model)) is not None:
        return written.encode("ascii")
    try:
        raw: object = _REQUESTS.unstructure(model)
    except Exception as error:
        # What attrs and cattrs make of a value that its field does not allow is not documented.
        raise ValidationError((f"{type(model).__name__}: {error}",)) from error
    # attrs does not check types, so what is about to be sent is read back by the rules for reading.
    structured(_REQUESTS, raw, type(model))
    try:
        return write_json(raw)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValidationError((f"extra: {error}",)) from error


def _writer(model: type) -> "Write":
    from webrtc_async._codec.model_writer import compile_writer  # by the first body

    write: Write = compile_writer(model) if attrs.has(model) else lambda _: None
    _WRITERS[model] = write
    return write
