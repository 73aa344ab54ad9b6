"""The cattrs converters of attrs models; only this room imports cattrs.

Hook factories make one reader and one writer for each class. A reader goes on after a misfit, and
its error names every misfit.
"""

from enum import StrEnum
from functools import cached_property
from typing import Any, Final, TypeVar, get_args, get_origin

import attrs
from cattrs import Converter

from webrtc_async._codec.json import ValidationError, problems_of
from webrtc_async._codec.model_hooks import (
    SCALARS,
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

__all__ = ["MAX_PROBLEMS", "ModelConverter", "wire_name"]

ModelT = TypeVar("ModelT")

MAX_PROBLEMS: Final = 50
"""Problems that one error lists; a hostile body could have millions."""


class ModelConverter:
    """Converts JSON values to models and back, by the rules for answers or for requests."""

    def __init__(self, *, is_answer: bool) -> None:
        self._is_answer = is_answer
        self._converter = build_converter(is_answer=is_answer, is_strict=True)

    @cached_property
    def _lenient(self) -> Converter:
        return build_converter(is_answer=self._is_answer, is_strict=False)

    def structure(self, value: object, model: type[ModelT]) -> ModelT:
        """Return a JSON value as a model.

        Raises:
            ValidationError: The value does not fit the model.
        """
        try:
            return self._converter.structure(value, model)
        except (ValidationError, RecursionError) as error:
            problems = problems_of(error)[:MAX_PROBLEMS]
        raise ValidationError(problems)

    def unstructure(self, model: object) -> object:
        """Return a model as a JSON value that its class reads back.

        Raises:
            ValidationError: A value has a type that its field does not allow.
        """
        try:
            return self._converter.unstructure(model)
        except Exception:  # noqa: BLE001, S110  # the rules of reading judge
            pass
        try:
            value = self.unstructure_unchecked(model)
        except Exception as error:
            # Neither attrs nor cattrs says what a value of a wrong type can raise.
            raise ValidationError((f"{type(model).__name__}: {error}",)) from error
        self.structure(value, type(model))
        return value

    def unstructure_unchecked(self, model: object) -> object:
        """Return a model, or a list of models, as a JSON value, whatever its fields hold."""
        return write_leniently(model, self._lenient)


def build_converter(*, is_answer: bool, is_strict: bool) -> Converter:
    """Build a converter.

    Args:
        is_answer: An answer must have the fields that the service always gives; a request leaves
            out the fields that only the service sets.
        is_strict: Refuse to write a value that is not exactly what its field declares.
    """
    converter = Converter(detailed_validation=False)
    building: set[object] = set()

    def hook_of(hint: Any) -> Read:
        if isinstance(hint, type) and issubclass(hint, StrEnum):
            # Not by a hook factory: cattrs prefers the hook of str, which is a base class.
            return _member_reader(hint)
        # A model that holds itself has no reader yet while its reader is built.
        return converter.structure if hint in building else converter.get_structure_hook(hint)

    def array_reader(hint: Any) -> Read:
        return _array_reader(hint, hook_of(get_args(hint)[0]))

    def reader(model: Any) -> Read:
        building.add(model)
        try:
            return compile_reader(model, fields_of(model, is_answer=is_answer), hook_of)
        finally:
            building.discard(model)

    def writer(model: Any) -> Write:
        fields = fields_of(model, is_answer=is_answer)
        return model_writer(model, fields, converter, is_answer=is_answer, is_strict=is_strict)

    converter.register_structure_hook(str, _reads("text", str))
    converter.register_structure_hook(bool, _reads("true or false", bool))
    converter.register_structure_hook(int, _reads("a whole number", int))
    converter.register_structure_hook(float, _read_float)
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


def _member_reader(enum: type[StrEnum]) -> Read:
    members = {each.value: each for each in enum}

    def read(value: object, _: object) -> StrEnum:
        if not isinstance(value, str):
            raise expected("text", value)
        return members[value] if value in members else enum(value)

    return read


def _array_reader(hint: Any, read_item: Read) -> Read:
    container: Any = get_origin(hint)
    item: Any = get_args(hint)[0]
    # A value of the very type needs no call of its hook.
    scalar = item if item in SCALARS else None

    def read(value: object, _: object) -> Any:
        if not isinstance(value, list):
            raise expected("an array", value)
        found: list[object] = value  # pyright: ignore[reportUnknownVariableType]
        items: list[object] = []
        problems: tuple[str, ...] = ()
        for index, each in enumerate(found):
            try:
                items.append(each if type(each) is scalar else read_item(each, item))
            except Exception as error:  # noqa: BLE001  # named with the others
                problems += problems_of(error, f"[{index}]")
                if len(problems) >= MAX_PROBLEMS:
                    break
        if problems:
            raise ValidationError(problems)
        return container(items)

    return read
