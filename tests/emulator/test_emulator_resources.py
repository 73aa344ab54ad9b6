"""The control calls of the page: deleting, device tokens, resending, the environment."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.http_library import httpx
from support.speaking import ACCOUNT, Caller, ask, said

from webrtc_async._protocol.wire import WireRequest
from webrtc_async.device_token import DeviceTokenClaims
from webrtc_async.emulator import (
    Credentials,
    Emulator,
    EmulatorServer,
    Switches,
    WebhookSender,
    emulator_app,
)
from webrtc_async.emulator.control.calls import Control

RECEIVER = "http://127.0.0.1:9/hook"
NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(seed=1)


@pytest.fixture
def control(emulator) -> Control:
    return Control(emulator)


@pytest.fixture
def caller(emulator) -> Caller:
    return Caller(emulator)


def test_a_session_is_deleted_like_by_its_operation(control, emulator, caller):
    """The session is gone, and its participants survive, as the switch says."""
    session, participant = caller.session(), caller.participant()
    caller.join(session, participant)
    assert ask(control, "DELETE", f"/sessions/{session}").status == 204
    assert emulator.session_ids(ACCOUNT) == ()
    assert emulator.participant_ids(ACCOUNT) == (participant,)


def test_a_session_s_participants_are_deleted_if_the_switch_says_so(control, emulator, caller):
    """With the switch, the participants of a deleted session are deleted with it."""
    emulator.switches = Switches(participants_of_deleted_session="deleted")
    session = caller.session()
    caller.join(session, caller.participant())
    ask(control, "DELETE", f"/sessions/{session}")
    emulator.assert_no_orphans()


def test_a_deleted_participant_s_device_leaves(control, emulator, caller):
    """Deleting a participant with a connected device queues an onLeave."""
    participant = caller.participant(callbackUrl=RECEIVER)
    emulator.devices.connect(participant)
    assert ask(control, "DELETE", f"/participants/{participant}").status == 204
    assert [each.event for each in emulator.webhooks] == ["onConnect", "onLeave"]
    emulator.assert_no_orphans()


def test_resources_of_every_account_are_found():
    """A call names no account, because ids are unique."""
    emulator = Emulator(accounts={"1": Credentials(), "2": Credentials()})
    session = Caller(emulator, account="2").session()
    assert ask(Control(emulator), "DELETE", f"/sessions/{session}").status == 204
    emulator.assert_no_orphans()


@pytest.mark.parametrize(
    ("method", "path", "says"),
    [
        ("DELETE", f"/sessions/{NOWHERE}", "session: the session does not exist or was deleted"),
        (
            "DELETE",
            f"/participants/{NOWHERE}",
            "participant: the participant does not exist or was deleted",
        ),
        (
            "POST",
            f"/participants/{NOWHERE}/token",
            "participant: the participant does not exist or was deleted",
        ),
        ("POST", "/webhooks/7/resend", "number: the log has no webhook 7"),
        ("POST", "/webhooks/seven/resend", "number: the log has no webhook 0"),
        ("POST", f"/webhooks/{'7' * 5000}/resend", "number: the log has no webhook 0"),
    ],
)
def test_what_does_not_exist_is_a_404(control, method, path, says):
    """An unknown id or number is one sentence, and nothing changes."""
    answer = ask(control, method, path)
    assert (answer.status, said(answer)) == (404, {"error": says})


@given(st.text(min_size=1, max_size=40))
def test_any_number_is_answered(number):
    """No number of a webhook causes anything but a 404."""
    control = Control(Emulator())
    target = f"http://x/_emulator/webhooks/{quote(number, safe='')}/resend"
    assert control.respond(WireRequest(method="POST", target=target)).status == 404


def test_a_token_is_issued_on_request_only(control, emulator, caller):
    """A call returns a token of the participant; a GET is refused, because it would make one."""
    participant = caller.participant()
    answer = said(ask(control, "POST", f"/participants/{participant}/token"))
    token = DeviceTokenClaims.read(answer["token"])
    assert (token.participant_id, token.account_id) == (participant, ACCOUNT)
    assert ask(control, "GET", f"/participants/{participant}/token").status == 405


@pytest.mark.anyio
async def test_a_webhook_is_sent_again_with_the_same_payload(control, emulator, caller):
    """A delivered webhook can be resent; the receiver gets the same bytes again."""
    bodies = []

    def receive(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        return httpx.Response(200)

    sender = WebhookSender(emulator.webhooks, transport=httpx.MockTransport(receive))
    emulator.devices.connect(caller.participant(callbackUrl=RECEIVER))
    await sender.deliver()
    answer = said(ask(control, "POST", "/webhooks/1/resend"))
    assert (answer["number"], answer["delivered"], answer["status"]) == (1, False, None)
    await sender.deliver()
    assert bodies[0] == bodies[1]
    assert len(bodies) == 2
    [webhook] = emulator.webhooks
    assert (webhook.attempts, webhook.delivered) == (2, True)


def test_a_waiting_webhook_is_not_queued_twice(control, emulator, caller):
    """A webhook that waits or is in progress is refused with a 409."""
    emulator.devices.connect(caller.participant(callbackUrl=RECEIVER))
    waiting = ask(control, "POST", "/webhooks/1/resend")
    emulator.webhooks.take()
    in_progress = ask(control, "POST", "/webhooks/1/resend")
    assert waiting.status == in_progress.status == 409
    assert said(waiting) == said(in_progress) == {"error": "webhook 1 is still waiting"}
    assert emulator.webhooks.waiting == 1


def test_a_webhook_to_another_machine_is_resent_once_it_is_allowed(control, emulator, caller):
    """The refused webhook stays as it was; after a change of the setting it is queued."""
    emulator.devices.connect(caller.participant(callbackUrl="https://example.com/hook"))
    refused = ask(control, "POST", "/webhooks/1/resend")
    assert refused.status == 409
    assert "not this machine" in said(refused)["error"]
    [webhook] = emulator.webhooks
    assert webhook.error is not None
    emulator.webhooks.allow_any_host = True
    assert ask(control, "POST", "/webhooks/1/resend").status == 200
    assert (webhook.error, emulator.webhooks.waiting) == (None, 1)


def test_the_environment_points_at_the_emulator_as_the_caller_reached_it(control):
    """The variables have the URL that the request was sent to."""
    assert said(ask(control, "GET", "/environment")) == {
        "BW_ACCOUNT_ID": ACCOUNT,
        "BW_CLIENT_ID": "client",
        "BW_CLIENT_SECRET": "secret",
        "BW_WEBRTC_BASE_URL": "http://x/v1",
        "BW_TOKEN_URL": "http://x/api/v1/oauth2/token",
    }


def test_the_environment_over_tcp():
    """Over TCP the URL is made of the Host header, which was checked before."""
    with EmulatorServer(Emulator()) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        found = httpx.get(f"{url}/_emulator/environment", trust_env=False).json()
        assert found == {
            name: value.replace("127.0.0.1", "localhost")
            for name, value in server.environment.items()
        }


@pytest.mark.anyio
async def test_the_environment_over_tls():
    """Behind TLS the URLs are https."""
    transport = httpx.ASGITransport(emulator_app(Emulator()))
    async with httpx.AsyncClient(transport=transport) as client:
        found = (await client.get("https://localhost:8443/_emulator/environment")).json()
    assert found["BW_WEBRTC_BASE_URL"] == "https://localhost:8443/v1"


def test_the_environment_has_no_secret_of_one_s_own():
    """Only the default secret, which everybody knows, is shown."""
    emulator = Emulator(accounts={ACCOUNT: Credentials(client_secret="canary")})
    answer = ask(Control(emulator), "GET", "/environment")
    assert said(answer)["BW_CLIENT_SECRET"] == "..."
    assert b"canary" not in answer.content
