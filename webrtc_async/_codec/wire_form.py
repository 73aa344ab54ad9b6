"""The wire form of a model, for programs that store it or hand it on."""

from typing import TypeVar

import attrs
from attrs import AttrsInstance

from webrtc_async._codec import model_codec as codec
from webrtc_async.errors import InvalidArgumentError

ModelT = TypeVar("ModelT", bound=AttrsInstance)


def to_wire(model: AttrsInstance) -> dict[str, object]:
    """Return a model as the JSON object that the API has for it.

        @app.get("/rooms/{room}")
        async def room(room: str) -> dict[str, object]:
            return to_wire(await client.get_session(room))

    Every field that is set is there, by its name on the wire, also the token of a new participant.

    Args:
        model: A model, an event or any other data class of this package.

    Raises:
        InvalidArgumentError: The argument is not a model, or one of its fields has a wrong type.
    """
    kind = type(model)
    if not _is_model(kind):
        raise InvalidArgumentError(f"to_wire() takes a model, not {kind.__name__}.")
    try:
        return codec.to_wire_object(model)
    except codec.ValidationError as error:
        raise InvalidArgumentError(f"The {kind.__name__} has no wire form: {error}.") from None


def from_wire(model: type[ModelT], value: object) -> ModelT:
    """Return the model of a JSON object; the opposite of `to_wire`.

        session = from_wire(Session, {"id": "s-1", "tag": "visit-42"})

    Unknown fields are kept in `extra`. An id may be missing, as in a model of your own.

    Args:
        model: The class of the model.
        value: A JSON object, as `json.loads` or a web framework returns it.

    Raises:
        InvalidArgumentError: The class is not a model's, or the value does not fit it.
    """
    if not _is_model(model):
        raise InvalidArgumentError(f"from_wire() takes the class of a model, not {model!r}.")
    try:
        return codec.from_json_value(value, model)
    except codec.ValidationError as error:
        raise InvalidArgumentError(f"The value is not a {model.__name__}: {error}.") from None


def _is_model(kind: object) -> bool:
    return isinstance(kind, type) and attrs.has(kind)
