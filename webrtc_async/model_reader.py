"""Reading an attrs class from a JSON object in one pass, for objects that fit.

What does not fit is left to the reader that can say why, so this one has no errors of its own.
"""

from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any, Final, get_args, get_type_hints

import attrs
from attrs import Attribute

Hook = Callable[[Any, Any], Any]

_UNFIT: Final = (ValueError, TypeError, ExceptionGroup)


def compile_reader(
    model: Any,
    names: "Mapping[str, Attribute[object]]",
    *,
    required: frozenset[str],
    hook_for: Callable[[Any], Hook],
    otherwise: Hook,
) -> Hook:
    """Return a reader that does what another one does, sooner where the object fits.

    Args:
        model: An attrs class; what is not in names goes to its field `extra`.
        names: Its other fields by their names on the wire.
        required: Names that must be there and not null.
        hook_for: Returns the reader of a field's type, which gives what the field's own converter
            would make of it.
        otherwise: The other reader.
    """
    if not _is_plain(model):
        return otherwise
    types = get_type_hints(model)
    new = object.__new__
    put_extra = _setter(model, "extra")
    fields = [
        (
            name,
            _setter(model, each.name),
            _default(each),
            name in required,
            None if kind is str else hook_for(kind),
            kind,
        )
        for name, each in names.items()
        for kind in [without_none(types[each.name])]
    ]

    def read(value: Any, kind: Any) -> Any:
        if value.__class__ is not dict:
            return otherwise(value, kind)
        made = new(model)
        known, get = 0, value.get
        try:
            for name, put, default, is_required, hook, of in fields:
                found = get(name)
                if found is None:
                    if is_required:
                        return otherwise(value, kind)
                    put(made, default)
                    continue
                known += 1
                if hook is not None:
                    found = hook(found, of)
                elif found.__class__ is not str:
                    return otherwise(value, kind)
                put(made, found)
        except _UNFIT:
            return otherwise(value, kind)
        # A null that says "not set" is no unknown field either.
        is_all = known == len(value)
        put_extra(made, {} if is_all else {key: value[key] for key in value if key not in names})
        return made

    return read


def without_none(kind: Any) -> Any:
    """Return X for `X | None`, and any other type as it is."""
    given = [each for each in get_args(kind) if each is not NoneType]
    return given[0] if NoneType in get_args(kind) and len(given) == 1 else kind


def _is_plain(model: Any) -> bool:
    """Whether making an object of a class is nothing but setting its slots."""
    return (
        "__slots__" in vars(model)
        and not hasattr(model, "__attrs_post_init__")
        and all(
            each.validator is None and not hasattr(each.default, "takes_self")  # no factory either
            for each in attrs.fields(model)
            if each.name != "extra"
        )
    )


def _setter(model: Any, name: str) -> Callable[[Any, Any], None]:
    # The slot itself, because a frozen class refuses setattr.
    put: Callable[[Any, Any], None] = getattr(model, name).__set__
    return put


def _default(each: Any) -> object:
    if each.default is attrs.NOTHING or each.converter is None:
        return each.default
    return each.converter(each.default)
