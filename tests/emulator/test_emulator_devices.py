"""Devices that the test connects, and the webhooks that this sends."""

import json

import httpx
import pytest
from support.receiver import Receiver
from support.speaking import Caller, Clock

from webrtc_async.emulator import Emulator
from webrtc_async.emulator.webhooks.delivery import WebhookSender
from webrtc_async.emulator.webhooks.devices import DeviceError, NoParticipantError
from webrtc_async.webhooks import read_event

URL = "http://127.0.0.1:9/hook"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def emulator(clock) -> Emulator:
    return Emulator(seed=1, clock=clock)


@pytest.fixture
def caller(emulator) -> Caller:
    return Caller(emulator)


def events(emulator: Emulator) -> list[tuple[str, str]]:
    return [(each.event.value, each.participant_id) for each in emulator.webhooks]


def test_a_device_connects_is_lost_comes_back_and_leaves(emulator, caller):
    """Each change is one event, in order, with the device's id and the participant's tag."""
    participant = caller.participant(callbackUrl=URL, tag="visit-42")
    assert emulator.devices.connect(participant, "phone") == "phone"
    emulator.devices.lose(participant)
    made_up = emulator.devices.connect(participant)
    emulator.devices.leave(participant)
    named = [(each.payload["event"], each.payload["deviceId"]) for each in emulator.webhooks]
    assert named == [
        ("onConnect", "phone"),
        ("onDisconnect", "phone"),
        ("onConnect", made_up),
        ("onLeave", made_up),
    ]
    assert {each.payload["tag"] for each in emulator.webhooks} == {"visit-42"}


def test_events_can_be_read_by_their_receivers(emulator, caller, clock):
    """This package's own reader accepts the posted webhooks as events."""
    participant = caller.participant(callbackUrl=URL)
    emulator.devices.connect(participant, "phone")
    event = read_event(next(iter(emulator.webhooks)).content)
    assert (event.participant_id, event.device_id) == (participant, "phone")
    assert event.at.timestamp() == clock.now


def test_without_a_callback_url_nothing_is_queued(emulator, caller):
    """Without a callback URL, devices can connect and no webhook is queued."""
    participant = caller.participant()
    emulator.devices.connect(participant)
    emulator.devices.leave(participant)
    assert events(emulator) == []


def test_made_up_device_ids_repeat_with_the_seed():
    """With a seed, the same calls give the same device ids, and participants' ids do not change."""

    def run(connects: int) -> tuple[list[str], str]:
        emulator = Emulator(seed=1)
        caller = Caller(emulator)
        participant = caller.participant()
        ids = []
        for _ in range(connects):
            ids.append(emulator.devices.connect(participant))
            emulator.devices.leave(participant)
        return ids, caller.participant()

    assert run(2)[0] == run(2)[0]
    assert len(set(run(2)[0])) == 2
    assert run(0)[1] == run(2)[1]


def test_an_impossible_device_event_is_refused(emulator, caller):
    """Impossible connects and disconnects raise an error and cause no event."""
    participant = caller.participant(callbackUrl=URL)
    for what in (emulator.devices.lose, emulator.devices.leave):
        with pytest.raises(DeviceError, match="no connected device"):
            what(participant)
        with pytest.raises(NoParticipantError, match="does not exist"):
            what("x")
    with pytest.raises(NoParticipantError, match="does not exist"):
        emulator.devices.connect("x")
    for device_id in ("", "x" * 257):
        with pytest.raises(DeviceError, match="1 to 256 characters"):
            emulator.devices.connect(participant, device_id)
    assert events(emulator) == []
    emulator.devices.connect(participant)
    with pytest.raises(DeviceError, match="already connected"):
        emulator.devices.connect(participant)
    assert events(emulator) == [("onConnect", participant)]


def test_deleting_a_connected_participant_is_a_leave(emulator, caller):
    """Deleting a participant ends its device's connection; without a device there is no event."""
    connected, idle = (caller.participant(callbackUrl=URL) for _ in range(2))
    emulator.devices.connect(connected)
    for each in (connected, idle):
        caller.ask("DELETE", f"/participants/{each}")
    assert events(emulator) == [("onConnect", connected), ("onLeave", connected)]
    with pytest.raises(NoParticipantError):
        emulator.devices.leave(connected)


def test_the_end_of_its_nine_hours_is_a_leave(emulator, caller, clock):
    """Expiry of a participant ends its device's connection, too."""
    participant = caller.participant(callbackUrl=URL)
    emulator.devices.connect(participant)
    clock.now += 9 * 3600
    caller.session()
    assert events(emulator) == [("onConnect", participant), ("onLeave", participant)]


def test_a_device_stays_connected_from_session_to_session(emulator, caller):
    """Leaving a session does not disconnect the device."""
    first, second = caller.session(), caller.session()
    participant = caller.participant(callbackUrl=URL)
    emulator.devices.connect(participant)
    caller.join(first, participant)
    caller.ask("DELETE", f"/sessions/{first}/participants/{participant}")
    caller.join(second, participant)
    caller.ask("DELETE", f"/sessions/{second}")
    assert events(emulator) == [("onConnect", participant)]
    emulator.devices.leave(participant)


def test_a_session_that_takes_its_participants_ends_their_devices(emulator, caller):
    """Participants deleted with their session are disconnected like any other."""
    emulator.set_switches(participants_of_deleted_session="deleted")
    session, participant = caller.session(), caller.participant(callbackUrl=URL)
    caller.join(session, participant)
    emulator.devices.connect(participant)
    caller.ask("DELETE", f"/sessions/{session}")
    assert events(emulator)[-1] == ("onLeave", participant)


@pytest.mark.anyio
async def test_in_process_delivery_is_explicit(emulator, caller):
    """Nothing is posted until `deliver`, and then everything, in order."""
    receiver = Receiver()
    participant = caller.participant(callbackUrl=URL)
    emulator.devices.connect(participant)
    emulator.devices.lose(participant)
    assert receiver.bodies == []
    await WebhookSender(emulator.webhooks, transport=httpx.ASGITransport(receiver)).deliver()
    assert [each["event"] for each in receiver.bodies] == ["onConnect", "onDisconnect"]
    assert all(each.delivered for each in emulator.webhooks)
    assert json.dumps(receiver.bodies).count(participant) == 2


def test_other_hosts_are_posted_to_only_when_allowed(emulator, caller):
    """A callback to another host is logged with the reason that it was not sent."""
    participant = caller.participant(callbackUrl="https://app.example/hook")
    emulator.devices.connect(participant)
    emulator.webhooks.allow_any_host = True
    emulator.devices.leave(participant)
    refused, allowed = emulator.webhooks
    assert "other hosts are not allowed" in refused.error
    assert allowed.error is None
    assert emulator.webhooks.waiting == 1


def test_a_reset_forgets_devices_and_webhooks(emulator, caller):
    """After a reset the log and the queue are empty."""
    emulator.devices.connect(caller.participant(callbackUrl=URL))
    emulator.reset()
    assert events(emulator) == []
    assert emulator.webhooks.waiting == 0
