"""Control calls for the fault rules of an emulator."""

from http import HTTPStatus
from typing import Final, cast

from webrtc_async.emulator.control.call import ControlCall, ControlError, ControlRequest
from webrtc_async.emulator.emulator import Emulator
from webrtc_async.emulator.faults.chaos import PROFILES


def _get(emulator: Emulator, _: ControlRequest) -> object:
    spent = [each.as_json() for each in emulator.faults.spent]
    return {"faults": emulator.faults.as_json(), "spent": spent}


def _add(emulator: Emulator, request: ControlRequest) -> object:
    return emulator.faults.add_from(request.fields().values).as_json()


def _remove(emulator: Emulator, request: ControlRequest) -> None:
    number = request.path_values["number"]
    try:
        # Without the limit, int() raises another error for more than 4,300 digits.
        emulator.faults.remove(int(number) if number.isdecimal() and len(number) < 20 else 0)
    except LookupError as error:
        raise ControlError(f"number: {error}", HTTPStatus.NOT_FOUND) from None


def _clear(emulator: Emulator, _: ControlRequest) -> None:
    emulator.faults.clear()


def _get_chaos(_: Emulator, __: ControlRequest) -> object:
    return {
        name: {"says": profile.says, "rules": [rule.as_json() for rule in profile.rules]}
        for name, profile in PROFILES.items()
    }


def _add_chaos(emulator: Emulator, request: ControlRequest) -> object:
    fields = request.fields()
    fields.only("profile", "seed")
    # Any other type of seed is refused with the rules.
    seed = cast("int | None", fields.values.get("seed"))
    added = emulator.faults.add_chaos(fields.text("profile"), seed=seed)
    return {"faults": [each.as_json() for each in added]}


FAULT_CALLS: Final[tuple[ControlCall[Emulator], ...]] = (
    ControlCall(method="GET", path="/faults", handler=_get),
    ControlCall(method="POST", path="/faults", handler=_add),
    ControlCall(method="DELETE", path="/faults", handler=_clear),
    ControlCall(method="DELETE", path="/faults/{number}", handler=_remove),
    ControlCall(method="GET", path="/chaos", handler=_get_chaos),
    ControlCall(method="POST", path="/chaos", handler=_add_chaos),
)
"""POST arms a rule given as JSON, or those of a profile; the response has numbers and counters."""
