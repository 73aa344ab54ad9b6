"""Writing an attrs model as JSON in one pass, for models whose fields hold what their types say.

What holds anything else is left to the writer that can say why, so this one has no errors of its
own. It knows the types that requests have: text, enums of text, and collections of both and of
models.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from json.encoder import encode_basestring_ascii as quoted
from operator import attrgetter
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

import attrs

from webrtc_async.model_reader import without_none

if TYPE_CHECKING:
    from attrs import Attribute

Write = Callable[[Any], str | None]
"""Returns a value as JSON, or None if the value is not what its type says."""

FieldsOf = Callable[[Any], "Mapping[str, Attribute[Any]]"]


def compile_writer(model: Any, fields_of: FieldsOf) -> Write:
    """Return a writer of a model as a JSON object, without the fields that have their defaults.

    Args:
        model: An attrs class; a value with anything in its field `extra` is not written here.
        fields_of: Returns a model's other fields, whose defaults are all empty, by their names on
            the wire.
    """
    types = get_type_hints(model)
    fields = [
        (f'"{name}":', attrgetter(each.name), each.default, _writer(types[each.name], fields_of))
        for name, each in fields_of(model).items()
    ]

    def write(value: Any) -> str | None:
        if value.__class__ is not model or value.extra != {}:
            return None
        pieces: list[str] = []
        for key, get, default, write_one in fields:
            each = get(value)
            if not each and each == default:
                continue
            written = write_one(each)
            if written is None:
                return None
            pieces.append(key + written)
        return f"{{{','.join(pieces)}}}"

    return write


def _writer(kind: Any, fields_of: FieldsOf) -> Write:
    kind = without_none(kind)
    if kind is str or StrEnum in getattr(kind, "__mro__", ()):
        return _text_writer(kind)
    if attrs.has(kind):
        return compile_writer(kind, fields_of)
    container = get_origin(kind)
    if container is frozenset or container is tuple:
        return _array_writer(container, _writer(get_args(kind)[0], fields_of))
    return lambda _: None


def _text_writer(kind: Any) -> Write:
    def write(value: Any) -> str | None:
        found = value.__class__
        # Any text can become an enum's member; what has not been made one is sent as it is.
        return quoted(value) if found is str or found is kind else None

    return write


def _array_writer(container: Any, write_item: Write) -> Write:
    in_order: Callable[[Any], Iterable[Any]] = sorted if container is frozenset else iter

    def write(value: Any) -> str | None:
        if value.__class__ is not container:
            return None
        pieces: list[Any] = []
        try:
            pieces += map(write_item, in_order(value))
            return f"[{','.join(pieces)}]"
        except TypeError:  # what is not text has no order, and None is no piece
            return None

    return write
