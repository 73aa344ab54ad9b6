"""Events from an emulator to each kind of receiver, over TCP."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from attrs import define
from support.speaking import ACCOUNT, Clock
from support.webhook_receivers import PATIENCE, VALUE

from webrtc_async.emulator import Emulator
from webrtc_async.emulator.doors.server import EmulatorServer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@define
class Service:
    """An emulator that is used only over TCP."""

    http: httpx.Client
    clock: Clock

    def participant(self, callback_url: str) -> str:
        body = {"callbackUrl": callback_url, "tag": "visit-42"}
        answer = self.http.post(f"/v1/accounts/{ACCOUNT}/participants", json=body)
        return str(answer.raise_for_status().json()["participant"]["id"])

    def tell(self, event: str, participant_id: str) -> None:
        """Make an event of a participant's device, a second after the last one."""
        self.clock.now += 1
        call = {"event": event, "participantId": participant_id}
        self.http.post("/_emulator/devices", json=call).raise_for_status()

    def live(self, participant_id: str) -> None:
        """Connect and lose a device, then connect another one and let it leave."""
        for event in ("onConnect", "onDisconnect", "onConnect", "onLeave"):
            self.tell(event, participant_id)

    def delivered(self) -> list[dict[str, Any]]:
        """Return the log of webhooks once none of them waits."""
        end = time.monotonic() + PATIENCE
        while (log := self.http.get("/_emulator/webhooks").raise_for_status().json())["waiting"]:
            assert time.monotonic() < end, log
        return list(log["webhooks"])


@pytest.fixture
def emulator(clock: Clock) -> Emulator:
    return Emulator(seed=1, clock=clock)


@pytest.fixture
def service(emulator: Emulator, clock: Clock) -> Iterator[Service]:
    with EmulatorServer(emulator) as server:
        base_url = server.base_url.removesuffix("/v1")
        with httpx.Client(
            base_url=base_url, auth=("user", "password"), trust_env=False, timeout=PATIENCE
        ) as http:
            yield Service(http, clock)


@pytest.mark.usefixtures("quiet")
def test_events_of_a_device_arrive_in_order(service, receiver):
    """Control calls become posts with the secret and the documented fields; the log agrees."""
    participant_id = service.participant(receiver.callback_url)
    began = service.clock.now
    service.live(participant_id)
    log = service.delivered()
    received = receiver.all_received()
    assert [each.event for each in received] == [
        "onConnect",
        "onDisconnect",
        "onConnect",
        "onLeave",
    ]
    assert [each.timestamp for each in received] == [
        int((began + second) * 1000) for second in (1, 2, 3, 4)
    ]
    assert {(each.participant_id, each.tag) for each in received} == {(participant_id, "visit-42")}
    assert (
        received[0].device_id
        == received[1].device_id
        != received[2].device_id
        == received[3].device_id
    )
    assert [each["event"] for each in log] == [each.event for each in received]
    assert {(each["status"], each["attempts"], each["delivered"]) for each in log} == {
        (200, 1, True)
    }


@pytest.mark.usefixtures("quiet")
def test_repeated_events_out_of_order_are_handled_once(service, receiver, emulator):
    """The key of an event identifies repeated posts."""
    service.live(service.participant(receiver.callback_url))
    service.delivered()
    first = receiver.all_received()
    for webhook in [*reversed(list(emulator.webhooks)), *emulator.webhooks]:
        again = httpx.post(webhook.url, content=webhook.content, trust_env=False)
        assert again.status_code == 200
    assert receiver.all_received() == []
    assert len({each.key for each in first}) == len(first) == 4


@pytest.mark.usefixtures("quiet")
def test_the_timestamp_restores_the_order(service, receiver, emulator):
    """Events in reverse order can be sorted by their timestamps."""
    service.live(service.participant("http://127.0.0.1:1/nobody-is-here"))
    for webhook in reversed(list(emulator.webhooks)):
        posted = httpx.post(receiver.callback_url, content=webhook.content, trust_env=False)
        assert posted.status_code == 200
    received = receiver.all_received()
    assert [each.event for each in received] == [
        "onLeave",
        "onConnect",
        "onDisconnect",
        "onConnect",
    ]
    assert sorted(received, key=lambda event: event.timestamp) == received[::-1]


def test_an_event_whose_handler_failed_is_posted_again(service, receiver):
    """The response is a 500, the emulator repeats the post, and the event is handled once."""
    receiver.failures.append("out of order")
    service.tell("onConnect", service.participant(receiver.callback_url))
    [logged] = service.delivered()
    assert (logged["status"], logged["attempts"], logged["delivered"]) == (200, 2, True)
    assert [each.event for each in receiver.all_received()] == ["onConnect"]


EVENT = b'{"event":"onLeave","timestamp":"1","participantId":"p","deviceId":"d"}'
BAD_POSTS: dict[str, tuple[str, bytes, int]] = {
    "a wrong secret": ("/webhooks/wrong-secret-of-a-length", EVENT, 403),
    "half of the secret": (f"/webhooks/{VALUE[:-1]}", EVENT, 403),
    "the secret in a query": (f"/webhooks/x?secret={VALUE}", EVENT, 403),
    "no event": (f"/webhooks/{VALUE}", b'{"event":5}', 400),
    "no JSON": (f"/webhooks/{VALUE}", b"\xff{", 400),
    "a megabyte": (f"/webhooks/{VALUE}", b"x" * 1_000_000, 400),
    "nothing": (f"/webhooks/{VALUE}", b"", 400),
}


@pytest.mark.usefixtures("quiet")
def test_a_bad_post_is_rejected(receiver):
    """A bad post gets the documented status; the response hides the secret; no handler runs."""
    with httpx.Client(base_url=receiver.url, trust_env=False, timeout=PATIENCE) as http:
        for name, (path, content, status) in BAD_POSTS.items():
            answer = http.post(path, content=content)
            assert answer.status_code == status, name
            assert VALUE not in answer.text
        assert http.post(f"/webhooks/{VALUE}", content=EVENT).status_code == 200
    assert [each.event for each in receiver.all_received()] == ["onLeave"]


@pytest.mark.usefixtures("quiet")
def test_a_callback_url_with_a_wrong_secret_is_not_tried_again(service, receiver):
    """A wrong secret gets a 403, which is logged and not repeated."""
    service.tell("onConnect", service.participant(f"{receiver.url}/webhooks/not-the-right-secret"))
    [logged] = service.delivered()
    assert (logged["status"], logged["attempts"], logged["delivered"]) == (403, 1, False)
    assert receiver.all_received() == []
