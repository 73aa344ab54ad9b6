"""The control API: an emulator's methods for other processes; no I/O."""

import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

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
from webrtc_async.emulator.control.requests import REQUEST_CALLS
from webrtc_async.emulator.control.resources import RESOURCE_CALLS
from webrtc_async.emulator.core.service import path_of
from webrtc_async.emulator.core.switches import Switches, describe_switches
from webrtc_async.emulator.emulator import Emulator
from webrtc_async.emulator.webhooks.devices import DeviceError, NoParticipantError
from webrtc_async.emulator.webhooks.queue import WebhookEvent

MAX_CONTROL_BODY: Final = 64 * 1024 * 1024
"""Maximum size of a control call's content in bytes; snapshots can be long."""

_CENTURY: Final = 100 * 365 * 24 * 3600


def _get_switches(emulator: Emulator, _: ControlRequest) -> object:
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
    return _get_switches(emulator, request)


def _patch_switches(emulator: Emulator, request: ControlRequest) -> object:
    emulator.set_switches(**request.fields().values)
    return _get_switches(emulator, request)


def _get_clock(emulator: Emulator, _: ControlRequest) -> object:
    now = emulator.clock()
    moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
    return {"now": now, "time": moment.replace("+00:00", "Z"), "ahead": emulator.clock.ahead}


def _advance_clock(emulator: Emulator, request: ControlRequest) -> object:
    fields = request.fields()
    fields.only("advance")
    by = fields.number("advance")
    if not 0 <= by <= _CENTURY:
        raise ControlError(f"advance: {by:g} is not between 0 and {_CENTURY} seconds")
    emulator.clock.advance(by)
    return _get_clock(emulator, request)


def _revoke_access_tokens(emulator: Emulator, _: ControlRequest) -> None:
    emulator.revoke_access_tokens()


def _reset(emulator: Emulator, _: ControlRequest) -> None:
    emulator.reset()


def _get_snapshot(emulator: Emulator, _: ControlRequest) -> object:
    return emulator.snapshot()


def _restore(emulator: Emulator, request: ControlRequest) -> None:
    emulator.restore(request.fields().values)


def _send_device_event(emulator: Emulator, request: ControlRequest) -> object:
    fields = request.fields()
    fields.only("event", "participantId", "deviceId")
    event, participant_id = fields.text("event"), fields.text("participantId")
    device_id = fields.text_or_none("deviceId")
    if event not in {*WebhookEvent}:
        raise ControlError(f"event: {event[:64]!r} is not one of {', '.join(WebhookEvent)}")
    if device_id is not None and event != WebhookEvent.CONNECT:
        raise ControlError(f"deviceId: only allowed with {WebhookEvent.CONNECT}")
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


def _get_webhooks(emulator: Emulator, _: ControlRequest) -> object:
    webhooks = emulator.webhooks
    return {
        "count": webhooks.count,
        "waiting": webhooks.waiting,
        "webhooks": [each.as_json() for each in webhooks],
    }


CONTROL_CALLS: Final[tuple[ControlCall[Emulator], ...]] = (
    ControlCall(method="GET", path="/switches", handler=_get_switches),
    ControlCall(method="PUT", path="/switches", handler=_put_switches),
    ControlCall(method="PATCH", path="/switches", handler=_patch_switches),
    ControlCall(method="GET", path="/clock", handler=_get_clock),
    ControlCall(method="POST", path="/clock", handler=_advance_clock),
    ControlCall(method="DELETE", path="/access-tokens", handler=_revoke_access_tokens),
    ControlCall(method="POST", path="/reset", handler=_reset),
    ControlCall(method="GET", path="/snapshot", handler=_get_snapshot),
    ControlCall(method="POST", path="/restore", handler=_restore),
    ControlCall(method="POST", path="/devices", handler=_send_device_event),
    ControlCall(method="GET", path="/webhooks", handler=_get_webhooks),
    *FAULT_CALLS,
    *REQUEST_CALLS,
    *RESOURCE_CALLS,
)
"""All control calls."""


class Control:
    """The control API of one emulator.

    Args:
        emulator: The emulator to control.
        calls: The control calls to accept.
        allowed_hosts: Further names of this machine, in lower case.
    """

    def __init__(
        self,
        emulator: Emulator,
        calls: Iterable[ControlCall[Emulator]] = CONTROL_CALLS,
        *,
        allowed_hosts: Collection[str] = (),
    ) -> None:
        self._emulator = emulator
        self._allowed_hosts = allowed_hosts
        self._calls = tuple(calls)

    def has(self, target: str) -> bool:
        """Return True if a request target, a URL or an absolute path, is a control call's."""
        return bool(self._at(target))

    def respond(self, request: WireRequest) -> WireResponse:
        """Return the response to a request whose target is a control call's."""
        found = self._at(request.target)
        methods = [call.method for call, _ in found]
        if request.method not in methods:
            allowed = ", ".join(methods)
            return _error(HTTPStatus.METHOD_NOT_ALLOWED, f"only {allowed} here", allow=allowed)
        if len(request.content) > MAX_CONTROL_BODY:
            return _error(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"the body: more than {MAX_CONTROL_BODY} bytes",
            )
        call, path_values = found[methods.index(request.method)]
        try:
            body = call.handler(
                self._emulator,
                ControlRequest(
                    origin=_origin_of(request),
                    path_values=path_values,
                    query=_query_of(request.target),
                    content=request.content,
                ),
            )
        except ControlError as error:
            return _error(error.status, str(error))
        except ValueError as error:
            return _error(HTTPStatus.BAD_REQUEST, str(error))
        if body is None:
            return WireResponse(status=HTTPStatus.NO_CONTENT.value)
        return _json(HTTPStatus.OK, body)

    def respond_guarded(self, request: WireRequest, *, local_address: str | None) -> WireResponse:
        """Return the response to a network request; refuse it if a web page could have sent it.

        Args:
            request: A request whose target is a control call's.
            local_address: This machine's address of the connection, if known.
        """
        problem = browser_problem(
            request, local_address=local_address, allowed_hosts=self._allowed_hosts
        )
        if problem is not None:
            return _error(HTTPStatus.FORBIDDEN, problem)
        return self.respond(request)

    def _at(self, target: str) -> list[tuple[ControlCall[Emulator], dict[str, str]]]:
        path = path_of(target)
        if not path.startswith(f"{CONTROL_PATH}/"):
            return []
        matches = [(call, call.path.match(path[len(CONTROL_PATH) :])) for call in self._calls]
        return [(call, path_values) for call, path_values in matches if path_values is not None]


def _origin_of(request: WireRequest) -> str:
    found = re.match(r"https?://[^/?#]+", request.target)
    return f"http://{request.headers.get('host', 'localhost')}" if found is None else found[0]


def _query_of(target: str) -> dict[str, str]:
    return dict(parse_qsl(target.partition("?")[2], keep_blank_values=True))


def _error(status: HTTPStatus, message: str, **headers: str) -> WireResponse:
    return _json(status, {"error": message}, **headers)


def _json(status: HTTPStatus, body: object, **headers: str) -> WireResponse:
    return WireResponse(
        status=status.value,
        headers={"content-type": "application/json", "cache-control": "no-store", **headers},
        content=write_json(body),
    )
