"""The control API: what Python can do to an emulator, for programs in other processes; no I/O."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from webrtc_async._codec.model_codec import write_json
from webrtc_async._protocol.wire import WireRequest, WireResponse
from webrtc_async.emulator.control.browser_guard import browser_problem
from webrtc_async.emulator.control.call import (
    CONTROL_PATH,
    ControlCall,
    ControlError,
    ControlRequest,
)
from webrtc_async.emulator.control.faults import FAULT_CALLS
from webrtc_async.emulator.core.service import path_of
from webrtc_async.emulator.core.switches import Switches, describe_switches
from webrtc_async.emulator.emulator import Emulator
from webrtc_async.emulator.webhooks.devices import DeviceError, NoParticipantError
from webrtc_async.emulator.webhooks.queue import WebhookEvent

LONGEST_CONTROL_BODY: Final = 64 * 1024 * 1024
"""Bytes of a control call's content from which on it is refused; a snapshot may be long."""


def _see_switches(emulator: Emulator, _: ControlRequest) -> object:
    values = emulator.switches.as_dict()
    return {
        each.name: {
            "value": values[each.name],
            "choices": list(each.choices),
            "says": each.says,
            "inferredFrom": each.inferred_from,
        }
        for each in describe_switches()
    }


def _put_switches(emulator: Emulator, request: ControlRequest) -> object:
    emulator.switches = Switches().with_values(request.fields().values)
    return _see_switches(emulator, request)


def _change_switches(emulator: Emulator, request: ControlRequest) -> object:
    emulator.set_switches(**request.fields().values)
    return _see_switches(emulator, request)


def _reset(emulator: Emulator, _: ControlRequest) -> None:
    emulator.reset()


def _see_snapshot(emulator: Emulator, _: ControlRequest) -> object:
    return emulator.snapshot()


def _restore(emulator: Emulator, request: ControlRequest) -> None:
    emulator.restore(request.fields().values)


def _tell_of_device(emulator: Emulator, request: ControlRequest) -> object:
    fields = request.fields()
    fields.only("event", "participantId", "deviceId")
    event, participant_id = fields.text("event"), fields.text("participantId")
    device_id = fields.text_or_none("deviceId")
    if event not in {*WebhookEvent}:
        raise ControlError(f"event: {event[:64]!r} is none of {', '.join(WebhookEvent)}")
    if device_id is not None and event != WebhookEvent.CONNECT:
        raise ControlError(f"deviceId: only {WebhookEvent.CONNECT} takes one")
    try:
        if event == WebhookEvent.CONNECT:
            return {"deviceId": emulator.devices.connect(participant_id, device_id)}
        if event == WebhookEvent.LEAVE:
            emulator.devices.leave(participant_id)
        else:
            emulator.devices.lose(participant_id)
    except NoParticipantError as error:
        raise ControlError(f"participantId: {error}", HTTPStatus.NOT_FOUND) from None
    except DeviceError as error:
        raise ControlError(str(error), HTTPStatus.CONFLICT) from None
    return None


def _see_webhooks(emulator: Emulator, _: ControlRequest) -> object:
    webhooks = emulator.webhooks
    return {
        "count": webhooks.count,
        "waiting": webhooks.waiting,
        "webhooks": [each.picture() for each in webhooks],
    }


CONTROL_CALLS: Final[tuple[ControlCall[Emulator], ...]] = (
    ControlCall(method="GET", path="/switches", answer=_see_switches),
    ControlCall(method="PUT", path="/switches", answer=_put_switches),
    ControlCall(method="PATCH", path="/switches", answer=_change_switches),
    ControlCall(method="POST", path="/reset", answer=_reset),
    ControlCall(method="GET", path="/snapshot", answer=_see_snapshot),
    ControlCall(method="POST", path="/restore", answer=_restore),
    ControlCall(method="POST", path="/devices", answer=_tell_of_device),
    ControlCall(method="GET", path="/webhooks", answer=_see_webhooks),
    *FAULT_CALLS,
)
"""Every control call."""


class Control:
    """Answers control calls about an emulator.

    Args:
        emulator: What is controlled.
        calls: The calls; others are not its business.
    """

    def __init__(
        self, emulator: Emulator, calls: Iterable[ControlCall[Emulator]] = CONTROL_CALLS
    ) -> None:
        self._emulator = emulator
        self._calls = tuple(calls)

    def knows(self, target: str) -> bool:
        """Whether a request target, a URL or an absolute path, is a control call's."""
        return bool(self._at(target))

    def answer(self, request: WireRequest) -> WireResponse:
        """Answer a request whose target is a control call's."""
        found = self._at(request.target)
        methods = [call.method for call, _ in found]
        if request.method not in methods:
            allowed = ", ".join(methods)
            return _refusal(HTTPStatus.METHOD_NOT_ALLOWED, f"only {allowed} here", allow=allowed)
        if len(request.content) > LONGEST_CONTROL_BODY:
            return _refusal(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body: over {LONGEST_CONTROL_BODY} bytes"
            )
        call, path_values = found[methods.index(request.method)]
        try:
            said = call.answer(
                self._emulator, ControlRequest(path_values=path_values, content=request.content)
            )
        except ControlError as error:
            return _refusal(error.status, str(error))
        except ValueError as error:
            return _refusal(HTTPStatus.BAD_REQUEST, str(error))
        if said is None:
            return WireResponse(status=HTTPStatus.NO_CONTENT.value)
        return _answer(HTTPStatus.OK, said)

    def answer_guarded(self, request: WireRequest, *, reached: str | None) -> WireResponse:
        """Answer a request that came over a network, unless a web page somewhere may be behind it.

        Args:
            request: Its target is a control call's.
            reached: The address of this machine that the connection came to, if it is known.
        """
        problem = browser_problem(request, reached=reached)
        if problem is not None:
            return _refusal(HTTPStatus.FORBIDDEN, problem)
        return self.answer(request)

    def _at(self, target: str) -> list[tuple[ControlCall[Emulator], dict[str, str]]]:
        path = path_of(target)
        if not path.startswith(f"{CONTROL_PATH}/"):
            return []
        matches = [(call, call.path.match(path[len(CONTROL_PATH) :])) for call in self._calls]
        return [(call, path_values) for call, path_values in matches if path_values is not None]


def _refusal(status: HTTPStatus, message: str, **headers: str) -> WireResponse:
    return _answer(status, {"error": message}, **headers)


def _answer(status: HTTPStatus, body: object, **headers: str) -> WireResponse:
    return WireResponse(
        status=status.value,
        headers={"content-type": "application/json", "cache-control": "no-store", **headers},
        content=write_json(body),
    )
