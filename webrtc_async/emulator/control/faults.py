"""Control calls for the faults of an emulator."""

from http import HTTPStatus
from typing import Final

from webrtc_async.emulator.control.call import ControlCall, ControlError, ControlRequest
from webrtc_async.emulator.emulator import Emulator


def _see_all(emulator: Emulator, _: ControlRequest) -> object:
    return {"faults": emulator.faults.picture()}


def _add(emulator: Emulator, request: ControlRequest) -> object:
    return emulator.faults.add_from(request.fields().values).picture()


def _remove(emulator: Emulator, request: ControlRequest) -> None:
    number = request.path_values["number"]
    try:
        # No int has so many digits, and Python refuses to read more than 4,300.
        emulator.faults.remove(int(number) if number.isdecimal() and len(number) < 20 else 0)
    except LookupError as error:
        raise ControlError(f"number: {error}", HTTPStatus.NOT_FOUND) from None


def _clear(emulator: Emulator, _: ControlRequest) -> None:
    emulator.faults.clear()


FAULT_CALLS: Final[tuple[ControlCall[Emulator], ...]] = (
    ControlCall(method="GET", path="/faults", answer=_see_all),
    ControlCall(method="POST", path="/faults", answer=_add),
    ControlCall(method="DELETE", path="/faults", answer=_clear),
    ControlCall(method="DELETE", path="/faults/{number}", answer=_remove),
)
"""A rule is armed by POST, as JSON, and answered with its number and how often it struck."""
