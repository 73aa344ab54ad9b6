"""The emulator follows the vendor's description, for allowed and for forbidden requests.

The vendor's description is not in this repository: `nox -s schemathesis -- FILE` takes it.
"""

import os

import pytest
import schemathesis
from hypothesis import settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from webrtc_async._protocol.wire import WireRequest
from webrtc_async.emulator import Emulator
from webrtc_async.emulator.doors.asgi import emulator_app

ACCOUNT = "9900000"
USER = "Basic dXNlcjpwYXNzd29yZA=="
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

EMULATOR = Emulator(seed=1)

description = schemathesis.openapi.from_path(os.environ["WEBRTC_DESCRIPTION"])
description.app = emulator_app(EMULATOR)


@pytest.mark.parametrize("state", ["nothing known", "both known", "joined"])
@description.parametrize()
@settings(max_examples=50, deadline=None)
def test_every_response_is_documented(case, state):
    """Statuses, content types and bodies are documented ones, and none is a 500."""
    EMULATOR.reset()
    for path in ("sessions", "participants"):
        ask("POST", path)
    [session], [participant] = EMULATOR.session_ids(ACCOUNT), EMULATOR.participant_ids(ACCOUNT)
    if state == "joined":
        ask("PUT", f"sessions/{session}/participants/{participant}")
    ids = {"accountId": ACCOUNT}
    if state != "nothing known":
        ids |= {"sessionId": session, "participantId": participant}
    for name in case.path_parameters.keys() & ids.keys():
        case.path_parameters[name] = ids[name]
    case.call_and_validate(
        base_url="http://emulator/v1",
        headers={"authorization": USER},
        checks=CHECKS,
    )


def ask(method: str, path: str) -> None:
    answer = EMULATOR.handle(
        WireRequest(
            method=method,
            target=f"/v1/accounts/{ACCOUNT}/{path}",
            headers={"authorization": USER},
        )
    )
    assert answer.is_success
