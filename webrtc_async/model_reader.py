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
    source = [_BEGIN]
    scope: dict[str, Any] = {"model": model, "names": names, "otherwise": otherwise}
    scope |= {"new": object.__new__, "unfit": _UNFIT, "put_extra": _setter(model, "extra")}
    for number, (name, each) in enumerate(names.items()):
        kind = without_none(types[each.name])
        scope |= {f"put{number}": _setter(model, each.name), f"kind{number}": kind}
        scope |= {f"default{number}": _default(each)}
        if kind is not str:
            scope[f"hook{number}"] = hook_for(kind)
        absent = _OTHERWISE if name in required else f"put{number}(made, default{number})"
        found = f"hook{number}(found, kind{number})" if kind is not str else "found"
        source += [
            f"        found = get({name!r})",
            f"        if found is None: {absent}",
            *([f"        elif found.__class__ is not str: {_OTHERWISE}"] if kind is str else []),
            f"        else: put{number}(made, {found}); known += 1",
        ]
    source.append(_END)
    # Straight code without a loop, made as attrs and cattrs make theirs: of nothing from outside.
    code = compile("\n".join(source), f"<reader of {model.__name__}>", "exec")
    exec(code, scope)  # noqa: S102
    read: Hook = scope["read"]
    return read


_OTHERWISE: Final = "return otherwise(value, kind)"
_BEGIN: Final = f"""
def read(value, kind):
    if value.__class__ is not dict: {_OTHERWISE}
    made, get, known = new(model), value.get, 0
    try:"""
_END: Final = f"""
    except unfit: {_OTHERWISE}
    # A null that says "not set" is no unknown field either.
    is_all = known == len(value)
    put_extra(made, {{}} if is_all else {{key: value[key] for key in value if key not in names}})
    return made
"""


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
