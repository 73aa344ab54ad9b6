"""Control calls of the page: delete resources, get a device token, resend a webhook."""

from http import HTTPStatus
from typing import Final

from webrtc_async.emulator.control.call import ControlCall, ControlError, ControlRequest
from webrtc_async.emulator.core.credentials import Credentials
from webrtc_async.emulator.emulator import Emulator
from webrtc_async.emulator.environment import environment_of

HIDDEN: Final = "..."
"""Shown instead of a client secret that is not the default one."""


def _delete_session(emulator: Emulator, request: ControlRequest) -> None:
    try:
        emulator.resources.delete_session(request.path_values["session"])
    except LookupError as error:
        raise ControlError(f"session: {error}", HTTPStatus.NOT_FOUND) from None


def _delete_participant(emulator: Emulator, request: ControlRequest) -> None:
    try:
        emulator.resources.delete_participant(request.path_values["participant"])
    except LookupError as error:
        raise ControlError(f"participant: {error}", HTTPStatus.NOT_FOUND) from None


def _issue_token(emulator: Emulator, request: ControlRequest) -> object:
    try:
        return {"token": emulator.resources.issue_token(request.path_values["participant"])}
    except LookupError as error:
        raise ControlError(f"participant: {error}", HTTPStatus.NOT_FOUND) from None


def _resend(emulator: Emulator, request: ControlRequest) -> object:
    number = request.path_values["number"]
    try:
        # Without the limit, int() raises another error for more than 4,300 digits.
        found = int(number) if number.isdecimal() and len(number) < 20 else 0
        return emulator.webhooks.resend(found).as_json()
    except LookupError as error:
        raise ControlError(f"number: {error}", HTTPStatus.NOT_FOUND) from None
    except ValueError as error:
        raise ControlError(str(error), HTTPStatus.CONFLICT) from None


def _get_environment(emulator: Emulator, request: ControlRequest) -> object:
    account_id, credentials = next(iter(emulator.accounts.items()))
    environment = environment_of(request.origin, account_id, credentials)
    if credentials.client_secret == Credentials().client_secret:
        return environment
    return {**environment, "BW_CLIENT_SECRET": HIDDEN}


RESOURCE_CALLS: Final[tuple[ControlCall[Emulator], ...]] = (
    ControlCall(method="DELETE", path="/sessions/{session}", handler=_delete_session),
    ControlCall(method="DELETE", path="/participants/{participant}", handler=_delete_participant),
    ControlCall(method="POST", path="/participants/{participant}/token", handler=_issue_token),
    ControlCall(method="POST", path="/webhooks/{number}/resend", handler=_resend),
    ControlCall(method="GET", path="/environment", handler=_get_environment),
)
"""A token is issued by POST: a GET must not change the emulator."""
