"""The cattrs converters of attrs models; the only module that imports cattrs.

Hook factories make one reader and one writer for each class. The converter that explains is a
copy with cattrs' detailed validation: it has the same factories and rules, and lists every misfit.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache, cached_property
from itertools import islice
from typing import Any, Final, TypeVar, cast, get_args, get_origin

import attrs
from cattrs import (
    AttributeValidationNote,
    BaseValidationError,
    Converter,
    IterableValidationError,
    IterableValidationNote,
)

from webrtc_async._codec.json import ValidationError
from webrtc_async._codec.model_hooks import (
    Read,
    Write,
    compile_reader,
    expected,
    fields_of,
    is_array,
    model_writer,
    wire_name,
    write_leniently,
)

__all__ = ["MAX_PROBLEMS", "ModelConverter", "build_converter", "wire_name"]

ModelT = TypeVar("ModelT")

MAX_PROBLEMS: Final = 50
"""Problems that one error lists; a hostile body could have millions."""


class ModelConverter:
    """Converts JSON values to models and back, by the rules for answers or for requests."""

    def __init__(self, *, is_answer: bool) -> None:
        self._converter = build_converter(is_answer=is_answer)

    @cached_property
    def _explaining(self) -> Converter:
        return self._converter.copy(detailed_validation=True)

    def structure(self, value: object, model: type[ModelT]) -> ModelT:
        """Return a JSON value as a model.

        Raises:
            ValidationError: The value does not fit the model.
        """
        try:
            return self._converter.structure(value, model)
        except Exception:  # noqa: BLE001  # raised again with its path
            return self._explain(value, model)

    def _explain(self, value: object, model: type[ModelT]) -> ModelT:
        try:
            return self._explaining.structure(value, model)
        except (BaseValidationError, TypeError, RecursionError) as error:
            problems = tuple(islice(_problems(error, ""), MAX_PROBLEMS))
        raise ValidationError(problems) from None

    def unstructure(self, model: object) -> object:
        """Return a model as a JSON value that its class reads back.

        Raises:
            ValidationError: A value has a type that its field does not allow.
        """
        try:
            return self._converter.unstructure(model)
        except Exception:  # noqa: BLE001  # checked by the rules of reading
            return self._unstructure_and_check(model)

    def _unstructure_and_check(self, model: object) -> object:
        try:
            value = self.unstructure_unchecked(model)
        except Exception as error:
            # Neither attrs nor cattrs says what a value of a wrong type can raise.
            raise ValidationError((f"{type(model).__name__}: {error}",)) from error
        self.structure(value, type(model))
        return value

    def unstructure_unchecked(self, model: object) -> object:
        """Return a model, or a list of models, as a JSON value, whatever its fields hold."""
        return write_leniently(model, self._explaining)


def build_converter(*, is_answer: bool) -> Converter:
    """Build the converter for answers or for requests.

    An answer must have the fields that the service always gives. A request leaves out the fields
    that only the service sets.
    """
    converter = Converter(detailed_validation=False)
    building: set[object] = set()

    def hook_of(hint: Any, converter: Converter) -> Read:
        # A model that holds itself has no reader yet while its reader is built.
        return converter.structure if hint in building else converter.get_structure_hook(hint)

    def reader(model: Any, converter: Converter) -> Read:
        building.add(model)
        try:
            return compile_reader(
                model,
                fields_of(model, is_answer=is_answer),
                lambda hint: hook_of(hint, converter),
                explains=converter.detailed_validation,
            )
        finally:
            building.discard(model)

    def array_reader(hint: Any, converter: Converter) -> Read:
        hook = hook_of(get_args(hint)[0], converter)
        return _array_reader(hint, hook, explains=converter.detailed_validation)

    def writer(model: Any, converter: Converter) -> Write:
        fields = fields_of(model, is_answer=is_answer)
        return model_writer(model, fields, converter, is_answer=is_answer)

    converter.register_structure_hook(str, _reads("text", str))
    converter.register_structure_hook(bool, _reads("true or false", bool))
    converter.register_structure_hook(int, _reads("a whole number", int))
    converter.register_structure_hook(float, _read_float)
    # For the class, because cattrs finds the hook of a base class before any factory.
    converter.register_structure_hook(StrEnum, _read_member)
    converter.register_structure_hook_func(lambda hint: hint is object, lambda value, _: value)
    converter.register_structure_hook_factory(is_array, array_reader)
    converter.register_structure_hook_factory(attrs.has, reader)
    converter.register_unstructure_hook_factory(attrs.has, writer)
    return converter


def _reads(what: str, kind: type) -> Read:
    def read(value: object, _: object) -> object:
        # In Python true and false are numbers, in JSON they are not.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise expected(what, value)
        return value

    return read


def _read_float(value: object, _: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise expected("a number", value)
    try:
        return float(value)
    except OverflowError:
        raise TypeError("the number is too large") from None


def _read_member(value: object, enum: type[StrEnum]) -> StrEnum:
    if not isinstance(value, str):
        raise expected("text", value)
    return _members(enum).get(value) or enum(value)


@cache
def _members(enum: type[StrEnum]) -> Mapping[str, StrEnum]:
    return {each.value: each for each in enum}


def _array_reader(hint: Any, read_item: Read, *, explains: bool) -> Read:
    container: Any = get_origin(hint)
    item: Any = get_args(hint)[0]

    def read(value: object, _: object) -> Any:
        if not isinstance(value, list):
            raise expected("an array", value)
        items = cast("list[object]", value)
        if not explains:
            return container([read_item(each, item) for each in items])
        made: list[object] = []
        misfits: list[Exception] = []
        for index, each in enumerate(items):
            try:
                made.append(read_item(each, item))
            except Exception as error:  # noqa: BLE001  # raised with the others
                error.add_note(IterableValidationNote(f"item {index}", index, item))
                misfits.append(error)
            # cattrs reads to the end of the array: a million misfits would take a minute.
            if len(misfits) == MAX_PROBLEMS:
                break
        if misfits:
            raise IterableValidationError("items that do not fit", misfits, container)  # pyright: ignore[reportCallIssue]
        return container(made)

    return read


def _problems(error: BaseException, path: str) -> Iterator[str]:
    if isinstance(error, BaseValidationError):
        for inner in error.exceptions:
            yield from _problems(inner, path + _step(inner))
    elif isinstance(error, ValidationError):
        # From a field's own hook, which reads an array with the codec.
        yield from (
            path.removeprefix(".") + each.removeprefix("the body") for each in error.problems
        )
    else:
        yield f"{path.removeprefix('.') or 'the body'}: {error}"


def _step(error: BaseException) -> str:
    # The last note is the innermost hook's; an error about a whole model has none.
    note = getattr(error, "__notes__", [None])[-1]
    if isinstance(note, IterableValidationNote):
        return f"[{note.index}]"
    return f".{note.name}" if isinstance(note, AttributeValidationNote) else ""
