"""What an attrs model's fields hold, as far as the compiled readers and writers know of it.

They know text, enums of text and models, one or a collection of them; all else is the converter's.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import NoneType
from typing import Any, Final, get_args, get_origin, get_type_hints

import attrs
from attrs import Attribute, frozen


@frozen
class Kind:
    """What is held: one item, or a container of items."""

    container: type[Any] | None
    item: Any

    @property
    def is_text(self) -> bool:
        """Whether an item is text."""
        return self.item is str

    @property
    def is_member(self) -> bool:
        """Whether an item is a member of an enum of text."""
        return StrEnum in getattr(self.item, "__mro__", ())

    @property
    def is_one_text(self) -> bool:
        """Whether it is one string of JSON."""
        return self.container is None and (self.is_text or self.is_member)

    @property
    def is_model(self) -> bool:
        """Whether an item is an attrs model."""
        return isinstance(self.item, type) and attrs.has(self.item)


@frozen
class Field:
    """A model's field.

    Attributes:
        name: Its name in Python.
        wire: Its name on the wire.
        is_required: Whether it must be there and not null.
        default: What it is where it is not set; attrs.NOTHING if there is no such value.
        kind: What it holds.
    """

    name: str
    wire: str
    is_required: bool
    default: object
    kind: Kind


Shapes = Mapping[Any, tuple[Field, ...]]
"""Fields by their models."""


def shapes_within(kind: Kind, *, of_service: bool) -> Shapes | None:
    """Return the fields of all models within a kind, inner ones first.

    None if there is more to making one of them than setting its fields to what is known here.
    """
    found: dict[Any, tuple[Field, ...]] = {}
    above: list[Any] = []

    def is_known(kind: Kind) -> bool:
        model = kind.item
        if not kind.is_model or model in found:
            return kind.is_text or kind.is_member or kind.is_model
        # Of a model that holds itself no end would be found.
        if model in above or not _is_plain(model):
            return False
        above.append(model)
        fields = fields_of(model, of_service=of_service)
        if not all(is_known(each.kind) for each in fields):
            return False
        found[above.pop()] = fields
        return True

    return found if is_known(kind) else None


def fields_of(model: Any, *, of_service: bool) -> tuple[Field, ...]:
    """Return a model's fields but `extra`; answers must have what the service always gives."""
    hints = get_type_hints(model)
    return tuple(
        Field(
            each.name,
            wire_name(each.name),
            is_required(each, of_service=of_service),
            _default(each),
            kind_of(hints[each.name]),
        )
        for each in known_fields(model)
    )


def kind_of(hint: Any) -> Kind:
    """Return what a type says of a value that is not None."""
    given = [each for each in get_args(hint) if each is not NoneType]
    if NoneType in get_args(hint) and len(given) == 1:
        [hint] = given
    container, inside = get_origin(hint), get_args(hint)
    if container in _CONTAINERS and inside[1:] in ((), (...,)):
        return Kind(container, inside[0])
    return Kind(None, hint)


def known_fields(model: Any) -> "list[Attribute[object]]":
    """Return what attrs says of a model's fields but `extra`."""
    return [each for each in attrs.fields(model) if each.name != "extra"]


def is_required(field: "Attribute[object]", *, of_service: bool) -> bool:
    """Whether a field must be there and not null, in answers (of_service) or in requests."""
    given_by_service = bool(field.metadata.get("given_by_service"))
    return field.default is attrs.NOTHING or (of_service and given_by_service)


def is_kept_as_given(field: Any) -> bool:
    """Whether a value of the field's type stays what it is, and the default is such a value."""
    widens = bool(field.metadata.get("converter_widens"))
    is_init: bool = field.init
    return is_init and not _is_factory(field) and (field.converter is None or widens)


def wire_name(name: str) -> str:
    """Return a field's name on the wire: participant_id is participantId there."""
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def _default(field: Any) -> object:
    if field.default is attrs.NOTHING or field.converter is None:
        return field.default
    return field.converter(field.default)


def _is_plain(model: Any) -> bool:
    """Whether making an object of a class is nothing but setting its slots."""
    extra: Any = attrs.fields_dict(model).get("extra")
    return (
        extra is not None
        and (extra.converter, extra.validator) == (None, None)
        and _is_factory(extra)
        and type(model) is type
        and "__slots__" in vars(model)
        and not any(hasattr(model, name) for name in _NOT_PLAIN)
        # What is defined in Python is a function; that of object is not.
        and not any(hasattr(getattr(model, name), "__code__") for name in _MADE_BY)
        and all(each.validator is None and is_kept_as_given(each) for each in known_fields(model))
    )


def _is_factory(field: Any) -> bool:
    return hasattr(field.default, "takes_self")


_CONTAINERS: Final = (tuple, frozenset, list)
_MADE_BY: Final = ("__new__", "__init_subclass__")
_NOT_PLAIN: Final = (
    "__attrs_pre_init__",
    "__attrs_post_init__",
    "__attrs_init__",
    "_attrs_cached_hash",
)
