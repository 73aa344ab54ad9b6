"""Hooks for attrs classes: the one reader and the one writer of each class."""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from types import NoneType
from typing import Any, Final, NoReturn, TypeGuard, cast, get_args, get_origin, get_type_hints

import attrs
from attrs import frozen
from cattrs import AttributeValidationNote, ClassValidationError, Converter
from cattrs.gen import make_dict_unstructure_fn, override

Read = Callable[[Any, Any], Any]
"""A structure hook: takes a JSON value and a type, and returns the value as that type."""

Write = Callable[[Any], Any]
"""An unstructure hook: takes a value and returns it as JSON."""


class NotStrictError(TypeError):
    """A value that the strict writer does not write."""


@frozen
class Field:
    """A field of a model, on the wire and in Python.

    Attributes:
        name: The attribute.
        wire: The key in the JSON: the name in camel case, or the metadata's "wire_name".
        argument: The argument of the constructor; empty if there is none.
        hint: The type of a value in the JSON.
        is_required: True if the JSON must have the field.
        default: The default, a factory, or attrs.NOTHING.
        read: The metadata's "read", which reads the field in place of the type's hook.
        is_read_only: True if only the service sets the field.
    """

    name: str
    wire: str
    argument: str
    hint: Any
    is_required: bool
    default: Any
    read: Read | None
    is_read_only: bool


def fields_of(model: Any, *, is_answer: bool) -> list[Field]:
    """Return the fields of a model except `extra`, as an answer or a request has them."""
    hints = get_type_hints(model)
    found: list[Field] = []
    for each in attrs.fields(model):
        if each.name == "extra":
            continue
        hint, given = hints.get(each.name, Any), bool(each.metadata.get("given_by_service"))
        is_required = each.default is attrs.NOTHING or (is_answer and given)
        found.append(
            Field(
                each.name,
                each.metadata.get("wire_name") or wire_name(each.name),
                (each.alias or each.name) if each.init else "",
                hint if is_required else _without_none(hint),
                is_required,
                each.default,
                each.metadata.get("read"),
                bool(each.metadata.get("read_only")),
            )
        )
    return found


def wire_name(name: str) -> str:
    """Return the key of a field in JSON: participantId for participant_id."""
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def expected(what: str, value: object) -> TypeError:
    """Return the error for a JSON value of another type."""
    return TypeError(f"expected {what}, found {_KINDS.get(type(value), type(value).__name__)}")


def compile_reader(
    model: Any, fields: list[Field], hook_of: Callable[[Any], Read], *, explains: bool
) -> Read:
    """Return the function that reads a model.

    It calls the class with the fields in the JSON. A null is an unset field, and a field without
    a value has the default of the class.

    Args:
        model: The class.
        fields: Its fields.
        hook_of: Returns the hook for a type.
        explains: Raise an error that names every misfit, and not the first one alone.
    """
    # Local names have prefixes or numbers, and so no field can shadow one.
    scope: dict[str, Any] = {
        "model": model,
        "new": model.__new__,
        "init": model.__init__,
        "expected": expected,
        "MISSING": object(),
        "names": frozenset(each.wire for each in fields),
        "unknown_fields": _unknown_fields if _has_extra(model) else _refuse_unknown_fields,
        "noted": _noted,
        "ModelError": ClassValidationError,
    }
    for number, each in enumerate(fields):
        scope[f"read{number}"] = each.read or hook_of(each.hint)
        scope[f"type{number}"] = each.hint
        scope[f"default{number}"] = each.default
    source = "\n".join(_reader_lines(fields, explains=explains))
    exec(compile(source, f"<reader of {model.__name__}>", "exec"), scope)  # noqa: S102  # as attrs does
    read: Read = scope["read"]
    return read


def _reader_lines(fields: list[Field], *, explains: bool) -> Iterator[str]:
    def guarded(wire: str, *lines: str) -> Iterator[str]:
        if not explains:
            yield from (f"    {line}" for line in lines)
            return
        yield "    try:"
        yield from (f"        {line}" for line in lines)
        yield f"    except Exception as error: misfits.append(noted(error, {wire!r}))"

    arguments: list[str] = []
    yield "def read(value, _):"
    yield "    if not isinstance(value, dict): raise expected('an object', value)"
    yield (
        "    get, given, misfits = value.get, {}, []"
        if explains
        else "    get, given = value.get, {}"
    )
    for number, each in enumerate(fields):
        found, read = f"found = get({each.wire!r}", f"read{number}(found, type{number})"
        if each.hint in _SCALARS and not each.read:
            # A value of the very type needs no call of its hook.
            read = f"found if found.__class__ is type{number} else {read}"
        if not each.argument:
            continue
        if each.is_required:
            missing = "if found is MISSING: raise TypeError('missing')"
            yield from guarded(each.wire, f"{found}, MISSING)", missing, f"field{number} = {read}")
        elif isinstance(each.default, _FACTORY):
            set_if_given = f"if found is not None: given[{each.argument!r}] = {read}"
            yield from guarded(each.wire, f"{found})", set_if_given)
            continue
        else:
            default = f"default{number} if found is None"
            yield from guarded(each.wire, f"{found})", f"field{number} = {default} else ({read})")
        arguments.append(f"{each.argument}=field{number}")
    unknown = "if not value.keys() <= names: given['extra'] = unknown_fields(value, names)"
    yield from guarded("", unknown)
    if explains:
        yield "    if misfits: raise ModelError('fields that do not fit', misfits, model)"
    # Apart, because a call of the class first makes a dict of the arguments.
    plain = ", ".join(["made", *arguments])
    call = f"init({plain}, **given) if given else init({plain})"
    yield from guarded("", "made = new(model)", call, "return made")
    if explains:
        yield "    raise ModelError('values that do not fit together', misfits, model)"


def model_writer(
    model: Any, fields: list[Field], converter: Converter, *, is_answer: bool
) -> Write:
    """Return the writer of a model: strict, or lenient if the converter explains.

    The strict writer raises if a value is not exactly what its field declares, or if there are
    unknown fields. The lenient writer writes all of it, for the rules of reading to judge.
    """
    is_strict = not converter.detailed_validation

    def lenient(value: object) -> object:
        return write_leniently(value, converter)

    overrides: dict[str, Any] = {
        each.name: override(
            rename=each.wire,
            omit_if_default=each.default is not attrs.NOTHING,
            omit=each.is_read_only and not is_answer,
            unstruct_hook=_strict_hook(each.hint, converter) if is_strict else lenient,
        )
        for each in fields
    }
    write_known: Callable[[Any], dict[str, object]] = make_dict_unstructure_fn(
        model, converter, extra=override(omit=True), **overrides
    )

    def write_strictly(value: Any) -> dict[str, object]:
        if value.__class__ is not model or getattr(value, "extra", _NO_EXTRA) != _NO_EXTRA:
            raise NotStrictError
        return write_known(value)

    def write_all(value: Any) -> dict[str, object]:
        extra: object = getattr(value, "extra", _NO_EXTRA)
        if not _has_text_keys(extra):
            raise TypeError("extra must be a mapping with text as its keys")
        return {**extra, **write_known(value)}

    return write_strictly if is_strict else write_all


def write_leniently(value: object, converter: Converter) -> object:
    """Return any value as JSON as far as it can be written."""
    if isinstance(value, list | tuple):
        return [write_leniently(each, converter) for each in cast("list[object]", value)]
    if isinstance(value, set | frozenset):
        return sorted(write_leniently(each, converter) for each in cast("set[Any]", value))
    return converter.unstructure(value)


def _strict_hook(hint: Any, converter: Converter) -> Write:
    """Return the hook that writes exactly what a type says, and raises for everything else."""
    is_model = attrs.has(hint)
    if is_array(hint):
        container: Any = get_origin(hint)
        write_item = _strict_hook(get_args(hint)[0], converter)

        def write_array(value: Any) -> list[object]:
            if value.__class__ is not container:
                raise NotStrictError
            return [write_item(each) for each in (sorted(value) if is_set else value)]

        is_set = container in _SETS
        return write_array
    is_exact = is_model or hint in _SCALARS or StrEnum in getattr(hint, "__mro__", ())

    def write(value: Any) -> Any:
        if not is_exact or value.__class__ is not hint:
            raise NotStrictError
        # Late, because a model that holds itself has no writer yet while its writer is built.
        return converter.unstructure(value, hint) if is_model else value

    return write


def is_array(hint: Any) -> bool:
    """Return True if a type is a list, tuple or set of any number of items of one type."""
    return get_origin(hint) in _ARRAYS and get_args(hint)[1:] in ((), (...,))


def _without_none(hint: Any) -> Any:
    """Return X for X | None: a null never reaches the hook of a field with a default."""
    options = [each for each in get_args(hint) if each is not NoneType]
    return options[0] if NoneType in get_args(hint) and len(options) == 1 else hint


def _has_extra(model: Any) -> bool:
    return "extra" in attrs.fields_dict(model)


def _has_text_keys(extra: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(extra, Mapping) and all(
        isinstance(name, str) for name in cast("Mapping[object, object]", extra)
    )


def _unknown_fields(value: dict[str, object], names: frozenset[str]) -> dict[str, object]:
    return {name: value[name] for name in value if name not in names}


def _refuse_unknown_fields(value: dict[str, object], names: frozenset[str]) -> NoReturn:
    [unknown, *_] = sorted(value.keys() - names)
    raise TypeError(f"there is no field {unknown[:64]!r}; known are {', '.join(sorted(names))}")


def _noted(error: Exception, wire: str) -> Exception:
    if wire:
        error.add_note(AttributeValidationNote(f"field {wire}", wire, None))
    return error


_ARRAYS: Final = (list, tuple, set, frozenset)
_SETS: Final = (set, frozenset)
_SCALARS: Final = (str, bool, int, float)
_NO_EXTRA: Final[Mapping[str, object]] = {}
_FACTORY: Final = type(attrs.Factory(dict))
_KINDS: Final[Mapping[type, str]] = {
    dict: "an object",
    list: "an array",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}
