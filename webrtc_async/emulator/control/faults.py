"""Control calls for the fault rules of an emulator."""

from http import HTTPStatus
from typing import Final

from webrtc_async.emulator.control.call import ControlCall, ControlError, ControlRequest
from webrtc_async.emulator.emulator import Emulator


def _get(emulator: Emulator, _: ControlRequest) -> object:
    return {"faults": emulator.faults.as_json()}


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


FAULT_CALLS: Final[tuple[ControlCall[Emulator], ...]] = (
    ControlCall(method="GET", path="/faults", handler=_get),
    ControlCall(method="POST", path="/faults", handler=_add),
    ControlCall(method="DELETE", path="/faults", handler=_clear),
    ControlCall(method="DELETE", path="/faults/{number}", handler=_remove),
)
"""POST arms a rule given as JSON; the response has its number and counters."""
