"""Switches for behaviour that is not public; each default names its evidence."""

from collections.abc import Mapping
from typing import Any, Final, Literal, Self

import attrs
from attrs import Attribute, field, frozen

Value = bool | int | str
"""Value of a switch."""


class SwitchError(ValueError):
    """The switch does not exist, or the value is not one of its choices; the text names it."""


def _check_choice(_: object, switch: "Attribute[Value]", value: object) -> None:
    choices = switch.metadata["choices"]
    # By type as well: in Python 1 equals True, in JSON it does not.
    if not any(value == each and type(value) is type(each) for each in choices):
        shown = " or ".join(write_value(each) for each in choices)
        raise SwitchError(f"{switch.name} must be {shown}, not {_shown(value)}")


def _switch(default: Value, other: Value, *, says: str, inferred_from: str) -> Any:
    return field(
        default=default,
        validator=_check_choice,
        metadata={"choices": (default, other), "says": says, "inferred_from": inferred_from},
    )


@frozen(kw_only=True)
class Switches:
    """The emulator's choices for behaviour of the service that is not public.

    `describe_switches` returns what each switch decides, its choices, and the evidence for its
    default.

    Raises:
        SwitchError: A value is not one of the switch's choices.
    """

    basic_auth: Literal["accepted", "refused"] = _switch(
        "accepted",
        "refused",
        says="Basic credentials: accepted, or refused with a 401",
        inferred_from="Bandwidth retires Basic users on 2 December 2026; the 401 is a guess",
    )
    empty_lists: Literal[204, 200] = _switch(
        204,
        200,
        says="status for an empty list of participants, and for no subscriptions",
        inferred_from="the latest description documents a 204 for both, next to the 200",
    )
    participant_ids: bool = _switch(
        False,
        True,
        says="add participant_ids to sessions",
        inferred_from="no description has it; one of the vendor's live tests read it",
    )
    callback_url: Literal["echoed", "null"] = _switch(
        "echoed",
        "null",
        says="callbackUrl in a participant: as it was sent, or null",
        inferred_from="every description has it in responses; a live test found it not echoed",
    )
    automatic_tags: bool = _switch(
        False,
        True,
        says="give a tag to a participant created without one",
        inferred_from="tags are optional in every description; one live test got an unsent tag",
    )
    permission_order: Literal["declared", "shuffled"] = _switch(
        "declared",
        "shuffled",
        says="order of publishPermissions",
        inferred_from="the documentation's examples; a live test compares them as sets",
    )
    error_bodies: Literal["current", "legacy"] = _switch(
        "current",
        "legacy",
        says="error bodies: those of the latest description, or a code and a message",
        inferred_from="the latest description; older ones have a code and a message",
    )
    participants_of_deleted_session: Literal["survive", "deleted"] = _switch(
        "survive",
        "deleted",
        says="participants of a deleted session: they survive, or are deleted too",
        inferred_from="participants have a delete operation of their own",
    )
    enum_case: Literal["upper", "lower"] = _switch(
        "upper",
        "lower",
        says="case of enum values in responses",
        inferred_from="the latest description and recorded responses; the first had v3",
    )

    def with_values(self, values: Mapping[str, object]) -> Self:
        """Return these switches with some of them set.

        Args:
            values: Values by name; text such as "true" or "204" is accepted.

        Raises:
            SwitchError: A name or a value is unknown; no switch has changed.
        """
        read: dict[str, Any] = {name: _read(name, each) for name, each in values.items()}
        return attrs.evolve(self, **read)

    def as_dict(self) -> dict[str, Value]:
        """Return the switches' values by name."""
        return {each.name: getattr(self, each.name) for each in attrs.fields(type(self))}


@frozen(kw_only=True)
class SwitchDescription:
    """The description of a switch.

    Attributes:
        name: Name of the switch.
        says: The behaviour that it decides.
        choices: Possible values, the default first.
        inferred_from: Evidence for the default.
    """

    name: str
    says: str
    choices: tuple[Value, ...]
    inferred_from: str


def describe_switches() -> tuple[SwitchDescription, ...]:
    """Return the description of every switch."""
    return _DESCRIPTIONS


def write_value(value: Value) -> str:
    """Return a value as JSON and the command line write it, without quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read(name: str, value: object) -> object:
    for switch in _DESCRIPTIONS:
        if switch.name == name:
            texts = {write_value(each): each for each in switch.choices}
            # The field's validator rejects any other value.
            return texts.get(value, value) if isinstance(value, str) else value
    names = ", ".join(each.name for each in _DESCRIPTIONS)
    raise SwitchError(f"unknown switch {name[:40]!r}; the switches are {names}")


def _shown(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool | int):
        return write_value(value)[:40]
    return repr(value[:40]) if isinstance(value, str) else type(value).__name__


_DESCRIPTIONS: Final = tuple(
    SwitchDescription(name=each.name, **each.metadata) for each in attrs.fields(Switches)
)
