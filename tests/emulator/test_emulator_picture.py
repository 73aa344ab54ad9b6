"""The emulator's overview, as programs read it."""

import json
from collections import OrderedDict

from attrs import define
from support.speaking import ACCOUNT, Caller, Clock

from webrtc_async._codec.model_codec import write_json
from webrtc_async.emulator import Credentials, Emulator
from webrtc_async.emulator.core.state import LIFETIME, AccountState, ParticipantRecord
from webrtc_async.emulator.records.overview import overview
from webrtc_async.emulator.webhooks.queue import WebhookEvent, Webhooks


@define
class Noted:
    """An entry of a log."""

    number: int

    def as_json(self) -> dict[str, object]:
        return {"number": self.number}


def account_of(emulator: Emulator) -> dict:
    """Return the only account of the overview, after a round trip through JSON."""
    [account] = json.loads(write_json(emulator.overview()))["accounts"]
    return account


def test_a_session_is_shown_with_the_subscriptions_of_its_participants():
    """It shows sessions, participants in the order they joined, and their subscriptions."""
    caller = Caller(Emulator(clock=Clock()))
    session = caller.session(tag="visit-42")
    host, guest, silent = (
        caller.participant(tag="host"),
        caller.participant(publishPermissions=["AUDIO"]),
        caller.participant(publishPermissions=[]),
    )
    caller.join(session, host, {"sessionId": session})
    caller.join(session, guest, {"participants": [{"participantId": host}]})
    caller.join(session, silent)
    account = account_of(caller.emulator)
    [shown] = account["sessions"]
    assert account["id"] == ACCOUNT
    assert (shown["id"], shown["tag"]) == (session, "visit-42")
    assert shown["expiresAt"] == Clock().now + LIFETIME
    assert [
        (each["id"], each["tag"], each["publishPermissions"]) for each in shown["participants"]
    ] == [(host, "host", ["AUDIO", "VIDEO"]), (guest, None, ["AUDIO"]), (silent, None, [])]
    assert [(each["subscription"], each["subscribedTo"]) for each in shown["participants"]] == [
        ("everyone", [guest, silent]),
        ("listed", [host]),
        ("nothing", []),
    ]


def test_the_newest_comes_first_and_the_rest_is_counted():
    """The overview shows a limited number of entries, and all counts."""
    caller = Caller(Emulator())
    sessions = [caller.session() for _ in range(60)]
    participants = [caller.participant() for _ in range(60)]
    account = account_of(caller.emulator)
    assert [each["id"] for each in account["sessions"]] == sessions[:9:-1]
    assert [each["id"] for each in account["participantsInNoSession"]] == participants[:9:-1]
    assert account["counts"] == {
        "sessions": 60,
        "participants": 60,
        "participantsInNoSession": 60,
    }


def test_a_member_is_not_shown_as_waiting():
    """Participants without a session are listed apart, also after leaving one."""
    caller = Caller(Emulator())
    session, participant = caller.session(), caller.participant()
    caller.join(session, participant)
    assert account_of(caller.emulator)["participantsInNoSession"] == []
    caller.send("DELETE", f"/sessions/{session}/participants/{participant}")
    [waiting] = account_of(caller.emulator)["participantsInNoSession"]
    assert waiting["id"] == participant


def test_expired_resources_are_not_shown():
    """Expired sessions and participants are not shown."""
    clock = Clock()
    caller = Caller(Emulator(clock=clock))
    caller.session()
    clock.now += LIFETIME
    assert account_of(caller.emulator)["sessions"] == []


def test_no_secret_is_in_the_picture():
    """It shows no passwords, client secrets, tokens, and no secrets of callback URLs."""
    emulator = Emulator(
        accounts={
            ACCOUNT: Credentials(password="canary-password", client_secret="canary-client-secret")
        }
    )
    caller = Caller(emulator)
    caller.authorization = "Basic dXNlcjpjYW5hcnktcGFzc3dvcmQ="
    token = caller.ask(
        "POST", "/participants", {"callbackUrl": "https://example.com/a?key=canary-query"}
    )["token"]
    caller.participant(callbackUrl="https://ann:canary-userinfo@example.com/b")
    caller.participant(callbackUrl="https://example.com/hooks/canary-secret-path")
    shown = write_json(emulator.overview()).decode()
    assert "https://example.com/a" in shown
    assert "https://example.com/hooks/..." in shown
    assert "canary" not in shown
    assert token not in shown


def test_logs_are_shown_from_their_newest_entry_on_and_faults_in_their_order():
    """Logs start with the newest entry; rules are in the order they are tried."""
    shown = overview(
        {},
        now=0.0,
        requests=90,
        exchanges=[Noted(number) for number in range(1, 91)],
        faults=[Noted(1), Noted(2)],
        switches={"empty_list": 204},
    )
    assert shown["requests"] == 90
    assert shown["exchanges"] == [{"number": number} for number in range(90, 40, -1)]
    assert shown["faults"] == [{"number": 1}, {"number": 2}]
    assert shown["switches"] == {"empty_list": 204}


def test_webhooks_and_connected_devices_are_shown():
    """A participant's device and the webhooks about it are shown."""
    participant = ParticipantRecord(
        id="p",
        callback_url=None,
        publish_permissions=frozenset(),
        tag=None,
        device_api_version="V3",
        expires_at=1.0,
        device_id="phone",
    )
    webhooks = Webhooks(clock=Clock())
    webhooks.queue(
        WebhookEvent.CONNECT, participant_id="p", device_id="phone", url="http://127.0.0.1/?canary"
    )
    shown = overview(
        {ACCOUNT: AccountState(participants=OrderedDict(p=participant))},
        now=0.0,
        webhooks=webhooks,
        webhook_count=webhooks.count,
    )
    text = write_json(shown).decode()
    [account] = json.loads(text)["accounts"]
    [webhook] = json.loads(text)["webhooks"]
    assert account["participantsInNoSession"][0]["deviceId"] == "phone"
    assert (webhook["event"], webhook["participantId"]) == ("onConnect", "p")
    assert json.loads(text)["webhookCount"] == 1
    assert "canary" not in text


def test_requests_and_faults_are_in_the_picture():
    """The last requests, newest first, and the armed rules are shown."""
    caller = Caller(Emulator(clock=Clock()))
    caller.emulator.faults.add("getSession", status=503)
    caller.session()
    caller.send("GET", "/sessions/nope?key=canary")
    shown = json.loads(write_json(caller.emulator.overview()))
    assert shown["requests"] == 2
    assert [(each["number"], each["operation"], each["status"]) for each in shown["exchanges"]] == [
        (2, "getSession", 404),
        (1, "createSession", 200),
    ]
    assert [each["fired"] for each in shown["faults"]] == [0]
    assert "canary" not in json.dumps(shown)


def test_any_tag_can_be_shown():
    """A tag that is not valid text, such as half an emoji, does not break the overview."""
    caller = Caller(Emulator())
    caller.send("POST", "/sessions", raw=b'{"tag":"\\ud83d<script>"}')
    [session] = account_of(caller.emulator)["sessions"]
    assert session["tag"] == "\ud83d<script>"
