"""What is not public about the service, as switches: each default says what it is inferred from."""

from collections.abc import Mapping
from typing import Any, Final, Literal, Self

import attrs
from attrs import Attribute, field, frozen

Value = bool | int | str
"""What a switch can be set to."""


class SwitchError(ValueError):
    """There is no such switch, or it has no such value; the text names it."""


def _check_choice(_: object, switch: "Attribute[Value]", value: object) -> None:
    choices = switch.metadata["choices"]
    # By type as well: 1 is True to Python, and not to whoever reads a snapshot.
    if not any(value == each and type(value) is type(each) for each in choices):
        shown = " or ".join(write_value(each) for each in choices)
        raise SwitchError(f"{switch.name} is {shown}, not {_shown(value)}")


def _switch(default: Value, other: Value, *, says: str, inferred_from: str) -> Any:
    return field(
        default=default,
        validator=_check_choice,
        metadata={"choices": (default, other), "says": says, "inferred_from": inferred_from},
    )


@frozen(kw_only=True)
class Switches:
    """How the service behaves where that is not public.

    `describe_switches` tells of each what it decides, its values, and what its default is
    inferred from.

    Raises:
        SwitchError: A value is none of the switch's.
    """

    empty_lists: Literal[204, 200] = _switch(
        204,
        200,
        says="status of a list of no participants, and of no subscriptions",
        inferred_from="the last description documents a 204 for both, beside the 200",
    )
    participant_ids: bool = _switch(
        False,
        True,
        says="whether sessions have a participant_ids",
        inferred_from="no description has it, though a live test of the vendor's once read it",
    )
    callback_url: Literal["echoed", "null"] = _switch(
        "echoed",
        "null",
        says="what participants say of the callbackUrl that they were created with",
        inferred_from="every description has it in answers; a live test found it not echoed",
    )
    automatic_tags: bool = _switch(
        False,
        True,
        says="whether a participant created without a tag has one",
        inferred_from="the descriptions have tags optional; one live test found a tag not sent",
    )
    permission_order: Literal["declared", "shuffled"] = _switch(
        "declared",
        "shuffled",
        says="order of publishPermissions",
        inferred_from="the documentation's examples; a live test had to compare them as sets",
    )
    error_bodies: Literal["current", "legacy"] = _switch(
        "current",
        "legacy",
        says="bodies of refusals: those of the last description, or a code and a message",
        inferred_from="the last description; older ones have a code and a message for other errors",
    )
    participants_of_deleted_session: Literal["survive", "deleted"] = _switch(
        "survive",
        "deleted",
        says="what deleting a session does to its participants",
        inferred_from="participants are deleted by an operation of their own",
    )
    enum_case: Literal["upper", "lower"] = _switch(
        "upper",
        "lower",
        says="case of enum values in answers",
        inferred_from="the last description, and answers seen; the first had V3 in lower case",
    )

    def with_values(self, values: Mapping[str, object]) -> Self:
        """Return these switches with some of them set.

        Args:
            values: Values by name; their text will do, such as "true" and "204".

        Raises:
            SwitchError: A name or a value is unknown; none is set then.
        """
        read: dict[str, Any] = {name: _read(name, each) for name, each in values.items()}
        return attrs.evolve(self, **read)

    def as_dict(self) -> dict[str, Value]:
        """Return the values by name."""
        return {each.name: getattr(self, each.name) for each in attrs.fields(type(self))}


@frozen(kw_only=True)
class SwitchDescription:
    """What there is to know of a switch.

    Attributes:
        name: Its name.
        says: What it decides.
        choices: Its values, the default first.
        inferred_from: Why that is the default.
    """

    name: str
    says: str
    choices: tuple[Value, ...]
    inferred_from: str

    @property
    def default(self) -> Value:
        """The value that it has unless it is set."""
        return self.choices[0]


def describe_switches() -> tuple[SwitchDescription, ...]:
    """Return what there is to know of every switch."""
    return _DESCRIPTIONS


def write_value(value: Value) -> str:
    """Return a value as it is written in JSON and on the command line, but without quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read(name: str, value: object) -> object:
    for switch in _DESCRIPTIONS:
        if switch.name == name:
            texts = {write_value(each): each for each in switch.choices}
            # What is none of the choices is refused by the field, which knows how.
            return texts.get(value, value) if isinstance(value, str) else value
    names = ", ".join(each.name for each in _DESCRIPTIONS)
    raise SwitchError(f"there is no switch {name[:40]!r}; there are {names}")


def _shown(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool | int):
        return write_value(value)[:40]
    return repr(value[:40]) if isinstance(value, str) else type(value).__name__


_DESCRIPTIONS: Final = tuple(
    SwitchDescription(name=each.name, **each.metadata) for each in attrs.fields(Switches)
)
