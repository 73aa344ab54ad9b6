"""Models to JSON bytes and back: nothing is coerced, and nothing is dropped.

The other rooms use these functions and no other part of the codec.
"""

from typing import Final, TypeVar

from webrtc_async._codec.converter import ModelConverter
from webrtc_async._codec.json import ValidationError, is_object, read_json, read_object, write_json

__all__ = [
    "ValidationError",
    "from_json_value",
    "is_object",
    "read_answer",
    "read_json",
    "read_object",
    "read_request",
    "to_json_value",
    "to_wire_object",
    "write_answer",
    "write_json",
    "write_request",
]

ModelT = TypeVar("ModelT")

_ANSWERS: Final = ModelConverter(is_answer=True)
_REQUESTS: Final = ModelConverter(is_answer=False)


def read_answer(content: bytes, model: type[ModelT]) -> ModelT:
    """Return an answer of the service as a model; ids and tokens must be there.

    The last of repeated keys counts.

    Raises:
        ValidationError: The bytes are not JSON, or the JSON does not fit the model.
    """
    return _ANSWERS.structure(read_json(content, unique_keys=False), model)


def read_request(content: bytes, model: type[ModelT]) -> ModelT:
    """Return a request's body as a model; the emulator reads requests with it.

    Raises:
        ValidationError: The bytes are not JSON, a key is repeated, or the JSON does not fit the
            model.
    """
    return _REQUESTS.structure(read_json(content), model)


def from_json_value(value: object, model: type[ModelT]) -> ModelT:
    """Return a JSON value as a model, by the rules for requests.

    Raises:
        ValidationError: The value does not fit the model.
    """
    return _REQUESTS.structure(value, model)


def to_json_value(model: object) -> object:
    """Return a model as a JSON value, by the rules for requests.

    Raises:
        ValidationError: A value has a type that its field does not allow.
    """
    return _REQUESTS.unstructure(model)


def to_wire_object(model: object) -> dict[str, object]:
    """Return a model as a JSON object of its own, with every field that is set.

    Raises:
        ValidationError: A value has a type that its field does not allow.
    """
    try:
        found = read_json(write_json(_ANSWERS.unstructure_unchecked(model)))
    except Exception as error:
        # Neither attrs nor cattrs nor json says what a value of a wrong type can raise.
        raise ValidationError((f"{type(model).__name__}: {error}",)) from error
    _REQUESTS.structure(found, type(model))
    return found if is_object(found) else {}


def write_answer(value: object) -> bytes:
    """Return a model, or a list of models, as JSON with every field that is set."""
    return write_json(_ANSWERS.unstructure_unchecked(value))


def write_request(model: object) -> bytes:
    """Return the body of a request: what the caller set, without fields that only the service sets.

    Raises:
        ValidationError: A value has a type that its field does not allow.
    """
    value = _REQUESTS.unstructure(model)
    try:
        return write_json(value)
    except (TypeError, ValueError, RecursionError) as error:
        # Only unknown fields are written unread.
        raise ValidationError((f"extra: {error}",)) from error
