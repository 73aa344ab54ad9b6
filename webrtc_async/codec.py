"""Models to JSON bytes and back, strictly; the only module that imports cattrs.

Nothing is coerced, nothing is dropped, and whatever does not fit is said with its path on the wire.
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from itertools import islice
from typing import Any, Final, NoReturn, TypeGuard, TypeVar, cast, get_args, get_origin

import attrs
from attrs import Attribute
from cattrs import (
    AttributeValidationNote,
    BaseValidationError,
    Converter,
    IterableValidationNote,
)
from cattrs.cols import list_structure_factory
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

ModelT = TypeVar("ModelT")

MOST_PROBLEMS: Final = 50
"""Problems that are said of one body; a hostile one could have millions."""


class MisfitError(ValueError):
    """Bytes or values that are not what a model says; `problems` holds a sentence for each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(self.problems)


def read_answer(content: bytes, model: type[ModelT]) -> ModelT:
    """Return the service's answer as a model; ids and tokens must be there.

    Raises:
        MisfitError: The bytes are not JSON, or the JSON is not the model.
    """
    return _structured(_ANSWERS, read_json(content), model)


def read_request(content: bytes, model: type[ModelT]) -> ModelT:
    """Return a request's body as a model; this is how the emulator reads.

    Raises:
        MisfitError: The bytes are not JSON, or the JSON is not the model.
    """
    return _structured(_REQUESTS, read_json(content), model)


def write_answer(value: object) -> bytes:
    """Return a model, or a list of them, as JSON with every field that is set."""
    return write_json(_ANSWERS.unstructure(value))


def write_request(model: object) -> bytes:
    """Return a request's body: what the caller set, without what only the service sets.

    Raises:
        MisfitError: A value has a type that its field does not allow.
    """
    raw: object = _REQUESTS.unstructure(model)
    # attrs does not check types, so what is about to be sent is read back by the rules for reading.
    _structured(_REQUESTS, raw, type(model))
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
        parsed: object = json.loads(
            content,
            object_pairs_hook=_unique_keys,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except RecursionError as error:
        raise MisfitError(("the JSON is nested too deeply",)) from error
    except ValueError as error:
        raise MisfitError((f"not valid JSON: {error}",)) from error
    return parsed


def read_object(content: bytes) -> dict[str, object]:
    """Return the object that JSON bytes say, or an empty one if they say anything else."""
    try:
        fields = read_json(content)
    except MisfitError:
        return {}
    return fields if is_object(fields) else {}


def write_json(value: object) -> bytes:
    """Return compact ASCII JSON; a lone surrogate survives as its escape."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def wire_name(name: str) -> str:
    """Return a field's name on the wire: participant_id is participantId there."""
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def _structured(converter: Converter, raw: object, model: type[ModelT]) -> ModelT:
    try:
        return converter.structure(raw, model)
    except (BaseValidationError, TypeError, RecursionError) as error:
        raise MisfitError(tuple(islice(_problems(error, ""), MOST_PROBLEMS))) from error


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


def _step(error: BaseException) -> str:
    # cattrs gives every inner error one note, the last, that says where it happened.
    note = cast("AttributeValidationNote | IterableValidationNote", error.__notes__[-1])
    if isinstance(note, IterableValidationNote):
        return f"[{note.index}]"
    return f".{wire_name(note.name)}"


def _text(value: object, _: object) -> str:
    if not isinstance(value, str):
        raise _expected("text", value)
    return value


def _open_enum(value: object, model: Any) -> Any:
    return model(_text(value, str))


def _is_array(model: Any) -> bool:
    return get_origin(model) in {list, tuple, frozenset}


def _is_set(model: Any) -> bool:
    return get_origin(model) is frozenset


def _array_reader(model: Any, converter: Converter) -> Callable[[object, object], Any]:
    container: Any = get_origin(model)
    items: Any = list[get_args(model)[0]]  # type: ignore[misc]  # a type made at run time
    read_items = list_structure_factory(items, converter)

    def read(value: object, _: object) -> Any:
        if not isinstance(value, list):
            raise _expected("an array", value)
        return container(read_items(value, items))

    return read


def _fields(model: Any) -> "list[Attribute[object]]":
    return [each for each in attrs.fields(model) if each.name != "extra"]


def _converter(*, of_service: bool) -> Converter:
    """Build the converter for answers (of_service) or for requests.

    Answers must have what the service always gives; requests leave out what only the service sets.
    """
    converter = Converter()

    def reader(model: Any, converter: Converter) -> Callable[[object, object], Any]:
        names = {wire_name(each.name): each for each in _fields(model)}
        given = {
            name
            for name, each in names.items()
            if each.default is attrs.NOTHING
            or (of_service and each.metadata.get("given_by_service"))
        }
        renames: dict[str, Any] = {each.name: override(rename=name) for name, each in names.items()}
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
            for each in _fields(model)
        }
        write_known: Callable[[Any], dict[str, object]] = make_dict_unstructure_fn(
            model, converter, extra=override(omit=True), **overrides
        )

        def write(value: Any) -> Any:
            # What is not the model is left as it is: write_request refuses it with its path.
            if not isinstance(value, model):
                return value
            return {**value.extra, **write_known(value)}

        return write

    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(StrEnum, _open_enum)
    converter.register_structure_hook_factory(_is_array, _array_reader)
    converter.register_structure_hook_factory(attrs.has, reader)
    converter.register_unstructure_hook_factory(attrs.has, writer)
    converter.register_unstructure_hook_func(_is_set, sorted)
    return converter


_ANSWERS: Final = _converter(of_service=True)
_REQUESTS: Final = _converter(of_service=False)
