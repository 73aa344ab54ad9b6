"""Hooks for attrs classes: the one reader and the one writer of each class."""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from types import NoneType
from typing import Any, Final, cast, get_args, get_origin, get_type_hints

import attrs
from attrs import frozen
from cattrs import Converter
from cattrs.gen import make_dict_unstructure_fn, override

from webrtc_async._codec.json import ValidationError, problems_of

Read = Callable[[Any, Any], Any]
"""A structure hook: takes a JSON value and a type, and returns the value as that type."""
Write = Callable[[Any], Any]
"""An unstructure hook: takes a value and returns it as JSON."""


@frozen
class Field:
    """A field of a model, as an answer or a request has it.

    Attributes:
        key: The key in the JSON: the name in camel case, or the metadata's "wire_name".
        hint: The type of the value in the JSON.
        is_required: True if the JSON must have the field.
        is_given: True if the service always gives a value; empty text is none.
        attribute: The description by attrs. Its metadata may have "read", a structure hook in place
            of the type's; "read_only" and "given_by_service" for what the service sets.
    """

    key: str
    hint: Any
    is_required: bool
    is_given: bool
    attribute: "attrs.Attribute[Any]"


def fields_of(model: Any, *, is_answer: bool) -> list[Field]:
    """Return the fields of a model except `extra`."""
    hints = get_type_hints(model)
    fields: list[Field] = []
    for each in attrs.fields(model):
        if each.name != "extra":
            is_given = is_answer and bool(each.metadata.get("given_by_service"))
            is_required = each.default is attrs.NOTHING or is_given
            hint = hints.get(each.name, Any)
            # The reader handles the null of a field with a default.
            options = [option for option in get_args(hint) if option is not NoneType]
            if not is_required and len(options) == 1 and NoneType in get_args(hint):
                [hint] = options
            key = each.metadata.get("wire_name") or wire_name(each.name)
            fields.append(Field(key, hint, is_required, is_given, each))
    return fields


def wire_name(name: str) -> str:
    """Return the key of a field in JSON: participantId for participant_id."""
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def expected(what: str, value: object) -> ValidationError:
    """Return the error for a JSON value of another type."""
    found = _KINDS.get(type(value), type(value).__name__)
    return ValidationError((f"the body: expected {what}, found {found}",))


def compile_reader(model: Any, fields: list[Field], hook_of: Callable[[Any], Read]) -> Read:
    """Return the function that reads a model from JSON values.

    A null is an unset field, and an unset field has its default.

    Args:
        model: The class.
        fields: Its fields.
        hook_of: Returns the structure hook for a type.
    """
    keeps_unknown = "extra" in attrs.fields_dict(model)
    # Names in the code are fixed or numbered, and so no field can shadow one.
    scope: dict[str, Any] = {
        "model": model,
        "new": model.__new__,
        "init": model.__init__,
        "expected": expected,
        "MISSING": object(),
        "keys": frozenset(each.key for each in fields),
        "unknown_fields": _unknown_fields,
        "problems_of": problems_of,
        "ValidationError": ValidationError,
    }
    for number, each in enumerate(fields):
        default: Any = each.attribute.default
        scope[f"read{number}"] = each.attribute.metadata.get("read") or hook_of(each.hint)
        scope[f"type{number}"] = each.hint
        # For NOTHING the class calls its factory.
        has_factory = isinstance(default, attrs.Factory)  # type: ignore[arg-type]
        scope[f"default{number}"] = attrs.NOTHING if has_factory else default
    source = "\n".join(_reader_lines(fields, keeps_unknown=keeps_unknown))
    # As attrs and cattrs make their functions; nothing in it comes from outside.
    exec(compile(source, f"<reader of {model.__name__}>", "exec"), scope)  # noqa: S102
    read: Read = scope["read"]
    return read


def _reader_lines(fields: list[Field], *, keeps_unknown: bool) -> Iterator[str]:
    def guarded(key: str, *lines: str) -> Iterator[str]:
        yield "    try:"
        yield from (f"        {line}" for line in lines)
        yield f"    except Exception as error: problems += problems_of(error, {key!r})"

    yield "def read(value, _):"
    yield "    if not isinstance(value, dict): raise expected('an object', value)"
    yield "    get, problems = value.get, ()"
    arguments = ["made"]
    for number, each in enumerate(fields):
        if each.attribute.init:
            yield from guarded(each.key, *_field_lines(number, each))
            arguments.append(f"{each.attribute.alias}=field{number}")
    unknown = f"unknown_fields(value, keys, {keeps_unknown})"
    yield from guarded("", f"extra = {{}} if keys.issuperset(value) else {unknown}")
    if keeps_unknown:
        arguments.append("extra=extra")
    yield "    if problems: raise ValidationError(problems)"
    # In two steps, because a call of the class first makes a dict of the arguments.
    yield from guarded("", "made = new(model)", f"init({', '.join(arguments)})", "return made")
    yield "    raise ValidationError(problems)"


def _field_lines(number: int, field: Field) -> tuple[str, ...]:
    """Return the lines that read a field into its variable."""
    read = f"read{number}(found, type{number})"
    if field.hint in SCALARS and not field.attribute.metadata.get("read"):
        # A value of the very type needs no call of its hook.
        read = f"(found if type(found) is type{number} else {read})"
    if field.is_required:
        checks = ["if found is MISSING: raise TypeError('missing')"]
        if field.is_given:
            checks.append("if found == '': raise TypeError('empty')")
        return f"found = get({field.key!r}, MISSING)", *checks, f"field{number} = {read}"
    default = f"default{number} if found is None else {read}"
    return f"found = get({field.key!r})", f"field{number} = {default}"


def model_writer(
    model: Any, fields: list[Field], converter: Converter, *, is_answer: bool, is_strict: bool
) -> Write:
    """Return the writer of a model: strict or lenient.

    The strict writer raises if a value is not exactly what its field declares, or if there are
    unknown fields. The lenient writer writes all of it, for the rules of reading to judge.
    """

    def lenient(value: object) -> object:
        return write_leniently(value, converter)

    overrides: dict[str, Any] = {
        each.attribute.name: override(
            rename=each.key,
            omit_if_default=each.attribute.default is not attrs.NOTHING,
            omit=not is_answer and bool(each.attribute.metadata.get("read_only")),
            unstruct_hook=_strict_hook(each.hint, converter) if is_strict else lenient,
        )
        for each in fields
    }
    write_known: Callable[[Any], dict[str, object]] = make_dict_unstructure_fn(
        model, converter, extra=override(omit=True), **overrides
    )

    def write(value: Any) -> dict[str, object]:
        extra: Any = getattr(value, "extra", {})
        if extra == {} and (value.__class__ is model or not is_strict):
            return write_known(value)
        if is_strict:
            raise TypeError("not written strictly")
        if not isinstance(extra, Mapping) or not {*map(type, cast("Any", extra))} <= {str}:
            raise TypeError("extra must be a mapping with text as its keys")
        return {**extra, **write_known(value)}

    return write


def write_leniently(value: object, converter: Converter) -> object:
    """Return any value as JSON as far as it can be written."""
    if isinstance(value, list | tuple):
        return [write_leniently(each, converter) for each in cast("list[object]", value)]
    if isinstance(value, set | frozenset):
        items = cast("set[Any]", value)
        return sorted(cast("Any", write_leniently(each, converter)) for each in items)
    return converter.unstructure(value)


def _strict_hook(hint: Any, converter: Converter) -> Write:
    """Return the hook that writes a value of exactly this type, and raises for any other."""
    kind, items, is_model = get_origin(hint), is_array(hint), attrs.has(hint)
    write_item = _strict_hook(get_args(hint)[0], converter) if items else None
    if not (items or is_model or hint in SCALARS or StrEnum in getattr(hint, "__mro__", ())):
        hint = object()  # no value's class: the lenient writer and the rules of reading decide

    def write(value: Any) -> Any:
        if value.__class__ is not (kind or hint):
            raise TypeError("not written strictly")
        if write_item:
            return [write_item(each) for each in (sorted(value) if kind in _SETS else value)]
        # Not by a writer at hand: a model that holds itself has none while its own is made.
        return converter.unstructure(value, hint) if is_model else value

    return write


def is_array(hint: Any) -> bool:
    """Return True if a type is a list, tuple or set of any number of items of one type."""
    is_collection = get_origin(hint) in (list, tuple, *_SETS)
    return is_collection and get_args(hint)[1:] in ((), (...,))


def _unknown_fields(
    value: dict[str, object], keys: frozenset[str], are_kept: bool
) -> dict[str, object]:
    unknown = {key: value[key] for key in value if key not in keys}
    if not are_kept:
        listed = ", ".join(sorted(keys))
        raise TypeError(f"there is no field {min(unknown)[:64]!r}; known are {listed}")
    return unknown


_SETS: Final = (set, frozenset)
SCALARS: Final = (str, bool, int, float)
_KINDS: Final[Mapping[type, str]] = {
    dict: "an object",
    list: "an array",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    NoneType: "null",
}
