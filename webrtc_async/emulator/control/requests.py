"""Control calls for the logged exchanges: what was requested, and what was the answer."""

from http import HTTPStatus
from typing import Final

from webrtc_async.emulator.control.call import ControlCall, ControlError, ControlRequest
from webrtc_async.emulator.emulator import Emulator
from webrtc_async.emulator.records.query import chosen


def _get(emulator: Emulator, request: ControlRequest) -> object:
    return {
        "count": emulator.exchanges.count,
        "requests": [each.as_full_json() for each in chosen(emulator.exchanges, request.query)],
    }


def _get_one(emulator: Emulator, request: ControlRequest) -> object:
    number = request.path_values["number"]
    for each in emulator.exchanges:
        if str(each.number) == number:
            return each.as_full_json()
    raise ControlError(f"number: no request {number[:20]!r} is in the log", HTTPStatus.NOT_FOUND)


REQUEST_CALLS: Final[tuple[ControlCall[Emulator], ...]] = (
    ControlCall(method="GET", path="/requests", handler=_get),
    ControlCall(method="GET", path="/requests/{number}", handler=_get_one),
)
"""GET returns the last exchanges with headers and bodies, without secrets."""
