"""cattrs converters for the API's models; the only module that imports cattrs.

Whatever does not fit is said with its path on the wire.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from itertools import islice
from typing import Any, Final, TypeGuard, TypeVar, cast, get_args, get_origin

import attrs
from cattrs import (
    AttributeValidationNote,
    BaseValidationError,
    Converter,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from webrtc_async._codec.json import ValidationError, is_object
from webrtc_async._codec.model_shape import is_required, known_fields, wire_name

__all__ = ["MOST_PROBLEMS", "Converter", "build_converter", "structured", "wire_name"]

ModelT = TypeVar("ModelT")

MOST_PROBLEMS: Final = 50
"""Problems that are said of one body; a hostile one could have millions."""


def structured(using: Converter, raw: object, model: type[ModelT]) -> ModelT:
    """Return a JSON value as a model.

    Raises:
        ValidationError: It is not the model.
    """
    try:
        return using.structure(raw, model)
    except (BaseValidationError, TypeError, RecursionError) as error:
        _forget_frames(error)
        raise ValidationError(tuple(islice(_problems(error, ""), MOST_PROBLEMS))) from error


def is_extra(value: object) -> TypeGuard[Mapping[str, object]]:
    """Whether a value can be written as the fields of an object."""
    return isinstance(value, Mapping) and all(
        isinstance(name, str) for name in cast("Mapping[object, object]", value)
    )


def build_converter(*, of_service: bool) -> Converter:
    """Build the converter for answers (of_service) or for requests.

    Answers must have what the service always gives; requests leave out what only the service sets.
    """
    built = Converter()

    def reader(model: Any, converter: Converter) -> Callable[[object, object], Any]:
        fields = known_fields(model)
        names = {wire_name(each.name) for each in fields}
        given = {
            wire_name(each.name) for each in fields if is_required(each, of_service=of_service)
        }
        renames: dict[str, Any] = {
            each.name: override(rename=wire_name(each.name)) for each in fields
        }
        read_known: Callable[[Mapping[str, object], Any], Any] = make_dict_structure_fn(
            model, converter, extra=override(omit=True), **renames
        )

        def read(value: object, _: object) -> Any:
            if not is_object(value):
                raise _expected("an object", value)
            # null says "not set", except where the service never leaves a field unset.
            known = {
                name: value[name]
                for name in names
                if name in value and (value[name] is not None or name in given)
            }
            known |= dict.fromkeys(given - known.keys(), _MISSING)
            read_model = read_known(known, model)
            unknown = {name: each for name, each in value.items() if name not in names}
            return attrs.evolve(read_model, extra=unknown) if unknown else read_model

        return read

    def writer(model: Any, converter: Converter) -> Callable[[Any], Any]:
        overrides: dict[str, Any] = {
            each.name: override(
                rename=wire_name(each.name),
                omit_if_default=each.default is not attrs.NOTHING,
                omit=not of_service and bool(each.metadata.get("read_only")),
            )
            for each in known_fields(model)
        }
        write_known: Callable[[Any], dict[str, object]] = make_dict_unstructure_fn(
            model, converter, extra=override(omit=True), **overrides
        )

        def write(value: Any) -> Any:
            # What is not the model is left as it is: write_request refuses it with its path.
            if not isinstance(value, model):
                return value
            extra = value.extra
            if extra == {}:
                return write_known(value)
            if not is_extra(extra):
                raise TypeError("extra must be a mapping with text as its keys")
            return {**extra, **write_known(value)}

        return write

    built.register_structure_hook(str, _text)
    built.register_structure_hook(StrEnum, lambda value, enum: enum(_text(value, str)))
    built.register_structure_hook_factory(_is_array, _array_reader)
    built.register_structure_hook_factory(attrs.has, reader)
    built.register_unstructure_hook_factory(attrs.has, writer)
    built.register_unstructure_hook_func(_is_set, sorted)
    return built


_KINDS: Final[Mapping[type, str]] = {
    dict: "an object",
    list: "an array",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}


class _Missing:
    """Stands for a field that must be there and is not, so that its reader says so."""


_MISSING: Final = _Missing()


def _expected(what: str, value: object) -> TypeError:
    if value is _MISSING:
        return TypeError("missing")
    return TypeError(f"expected {what}, found {_KINDS.get(type(value), type(value).__name__)}")


def _problems(error: BaseException, path: str) -> Iterator[str]:
    if isinstance(error, BaseValidationError):
        for inner in error.exceptions:
            yield from _problems(inner, path + _step(inner))
    else:
        yield f"{path.removeprefix('.') or 'the body'}: {error}"


def _forget_frames(error: BaseException) -> None:
    """Take the tracebacks: a frame of cattrs holds the errors of a model until all are found."""
    error.with_traceback(None)
    if isinstance(error, BaseValidationError):
        for inner in error.exceptions:
            _forget_frames(inner)


def _step(error: BaseException) -> str:
    # cattrs adds a last note to what a field or an item raises; what a model's own rules say of
    # the whole of it has none.
    note = getattr(error, "__notes__", [None])[-1]
    if isinstance(note, IterableValidationNote):
        return f"[{note.index}]"
    return f".{wire_name(note.name)}" if isinstance(note, AttributeValidationNote) else ""


def _text(value: object, _: object) -> str:
    if not isinstance(value, str):
        raise _expected("text", value)
    return value


def _is_array(model: Any) -> bool:
    return get_origin(model) in {list, tuple, frozenset}


def _is_set(model: Any) -> bool:
    return get_origin(model) is frozenset


def _array_reader(model: Any, converter: Converter) -> Callable[[object, object], Any]:
    container: Any = get_origin(model)
    item: Any = get_args(model)[0]
    read_item = converter.get_structure_hook(item)

    def read(value: object, _: object) -> Any:
        if not isinstance(value, list):
            raise _expected("an array", value)
        items = cast("list[object]", value)
        try:
            return container([read_item(each, item) for each in items])
        except (BaseValidationError, TypeError) as error:
            _forget_frames(error)
            # pyright takes a group's own __new__ for the whole signature.
            raise IterableValidationError(
                "items that do not fit",
                misfits(items),
                model,  # pyright: ignore[reportCallIssue]
            ) from None

    def misfits(items: list[object]) -> list[Exception]:
        found: list[Exception] = []
        # Not by cattrs, which goes on to the end: a million misfits take it a minute.
        for index, each in enumerate(items):
            try:
                read_item(each, item)
            except (BaseValidationError, TypeError) as misfit:
                misfit.add_note(IterableValidationNote(f"item {index}", index, item))
                found.append(misfit)
                if len(found) == MOST_PROBLEMS:
                    break
        return found

    return read
