"""Events from a served emulator to each served receiver, over the loopback interface."""

import logging
import queue
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any

import httpx
import pytest
import uvicorn
from aiohttp import web
from anyio.from_thread import start_blocking_portal
from attrs import define, field
from fastapi import Depends, FastAPI, HTTPException
from support.speaking import ACCOUNT, Clock

from webrtc_async.emulator import Emulator
from webrtc_async.emulator.doors.server import EmulatorServer, bind
from webrtc_async.webhooks import (
    EventDispatcher,
    ParticipantEvent,
    SharedSecret,
)
from webrtc_async.webhooks.aiohttp import webhook_handler
from webrtc_async.webhooks.asgi import WebhookApp
from webrtc_async.webhooks.fastapi import posted_event

VALUE = "a-secret-of-some-length"
SECRET = SharedSecret(value=VALUE)
PATIENCE = 20
"""Seconds after which a test fails that waits for an event."""


@define
class Receiver:
    """A served receiver: where, and what its handlers heard."""

    url: str
    heard: "queue.SimpleQueue[ParticipantEvent]"
    failures: list[str] = field(factory=list)
    """What its handler fails with, one at a time, before it hears anything."""

    @property
    def callback_url(self) -> str:
        return f"{self.url}/webhooks/{VALUE}"

    def all_heard(self) -> list[ParticipantEvent]:
        return [self.heard.get_nowait() for _ in range(self.heard.qsize())]


@contextmanager
def under_uvicorn(app: Any) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
    listening = bind("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def served_asgi(dispatcher: EventDispatcher) -> Iterator[str]:
    with under_uvicorn(WebhookApp(dispatcher, secret=SECRET)) as url:
        yield url


@contextmanager
def served_fastapi(dispatcher: EventDispatcher) -> Iterator[str]:
    app = FastAPI()

    @app.post("/webhooks/{secret}")
    async def webhook(event: Annotated[ParticipantEvent, Depends(posted_event(SECRET))]) -> None:
        if not await dispatcher.dispatch(event):
            raise HTTPException(500)

    with under_uvicorn(app) as url:
        yield url


@contextmanager
def served_aiohttp(dispatcher: EventDispatcher) -> Iterator[str]:
    app = web.Application()
    app.router.add_post("/webhooks/{secret}", webhook_handler(dispatcher, secret=SECRET))

    @asynccontextmanager
    async def running() -> AsyncIterator[str]:
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running()) as url:
        yield url


@pytest.fixture(params=[served_asgi, served_fastapi, served_aiohttp])
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    dispatcher = EventDispatcher()
    with request.param(dispatcher) as url:
        receiver = Receiver(url, queue.SimpleQueue())

        @dispatcher.on()
        async def hear(event: ParticipantEvent) -> None:
            if receiver.failures:
                raise RuntimeError(receiver.failures.pop())
            receiver.heard.put(event)

        yield receiver


@pytest.fixture
def clock() -> Clock:
    return Clock()


@define
class Service:
    """A served emulator, asked over TCP alone."""

    http: httpx.Client
    clock: Clock

    def participant(self, callback_url: str) -> str:
        body = {"callbackUrl": callback_url, "tag": "visit-42"}
        answer = self.http.post(f"/v1/accounts/{ACCOUNT}/participants", json=body)
        return str(answer.raise_for_status().json()["participant"]["id"])

    def tell(self, event: str, participant_id: str) -> None:
        """Have something happen to a participant's device, a second after what came before."""
        self.clock.now += 1
        call = {"event": event, "participantId": participant_id}
        self.http.post("/_emulator/devices", json=call).raise_for_status()

    def live(self, participant_id: str) -> None:
        """Have a device connect and be lost, and another connect and leave."""
        for event in ("onConnect", "onDisconnect", "onConnect", "onLeave"):
            self.tell(event, participant_id)

    def delivered(self) -> list[dict[str, Any]]:
        """Return the log of webhooks, when none of them waits any more."""
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


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Require that nothing was logged as a warning, and no traceback written."""
    yield
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING] == []
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.usefixtures("quiet")
def test_what_happens_to_a_device_is_heard_in_order(service, receiver):
    """Control calls become posts behind the secret, with the documented fields; the log agrees."""
    participant_id = service.participant(receiver.callback_url)
    began = service.clock.now
    service.live(participant_id)
    log = service.delivered()
    heard = receiver.all_heard()
    assert [each.event for each in heard] == ["onConnect", "onDisconnect", "onConnect", "onLeave"]
    assert [each.timestamp for each in heard] == [
        int((began + second) * 1000) for second in (1, 2, 3, 4)
    ]
    assert {(each.participant_id, each.tag) for each in heard} == {(participant_id, "visit-42")}
    assert heard[0].device_id == heard[1].device_id != heard[2].device_id == heard[3].device_id
    assert [each["event"] for each in log] == [each.event for each in heard]
    assert {(each["status"], each["attempts"], each["delivered"]) for each in log} == {
        (200, 1, True)
    }


@pytest.mark.usefixtures("quiet")
def test_what_comes_again_and_out_of_order_is_handled_once(service, receiver, emulator):
    """A post is known again by its event's key; the timestamp tells what came first."""
    service.live(service.participant(receiver.callback_url))
    service.delivered()
    first = receiver.all_heard()
    for webhook in [*reversed(list(emulator.webhooks)), *emulator.webhooks]:
        again = httpx.post(webhook.url, content=webhook.content, trust_env=False)
        assert again.status_code == 200
    assert receiver.all_heard() == []
    assert len({each.key for each in first}) == len(first) == 4


@pytest.mark.usefixtures("quiet")
def test_disorder_is_put_right_by_the_timestamp(service, receiver, emulator):
    """A receiver that missed all of it hears the last first, and can tell."""
    service.live(service.participant("http://127.0.0.1:1/nobody-is-here"))
    for webhook in reversed(list(emulator.webhooks)):
        posted = httpx.post(receiver.callback_url, content=webhook.content, trust_env=False)
        assert posted.status_code == 200
    heard = receiver.all_heard()
    assert [each.event for each in heard] == ["onLeave", "onConnect", "onDisconnect", "onConnect"]
    assert sorted(heard, key=lambda event: event.timestamp) == heard[::-1]


def test_what_a_handler_failed_on_is_posted_again(service, receiver):
    """The failure is answered 500, the emulator repeats, and the event is handled once."""
    receiver.failures.append("out of order")
    service.tell("onConnect", service.participant(receiver.callback_url))
    [logged] = service.delivered()
    assert (logged["status"], logged["attempts"], logged["delivered"]) == (200, 2, True)
    assert [each.event for each in receiver.all_heard()] == ["onConnect"]


EVENT = b'{"event":"onLeave","timestamp":"1","participantId":"p","deviceId":"d"}'
STRANGERS: dict[str, tuple[str, bytes, int]] = {
    "a wrong secret": ("/webhooks/wrong-secret-of-a-length", EVENT, 403),
    "half of the secret": (f"/webhooks/{VALUE[:-1]}", EVENT, 403),
    "the secret in a query": (f"/webhooks/x?secret={VALUE}", EVENT, 403),
    "no event": (f"/webhooks/{VALUE}", b'{"event":5}', 400),
    "no JSON": (f"/webhooks/{VALUE}", b"\xff{", 400),
    "a megabyte": (f"/webhooks/{VALUE}", b"x" * 1_000_000, 400),
    "nothing": (f"/webhooks/{VALUE}", b"", 400),
}


@pytest.mark.usefixtures("quiet")
def test_a_stranger_is_refused(receiver):
    """By the documented status, with a line that tells nothing, and nobody hears of it."""
    with httpx.Client(base_url=receiver.url, trust_env=False, timeout=PATIENCE) as http:
        for name, (path, content, status) in STRANGERS.items():
            answer = http.post(path, content=content)
            assert answer.status_code == status, name
            assert VALUE not in answer.text
        assert http.post(f"/webhooks/{VALUE}", content=EVENT).status_code == 200
    assert [each.event for each in receiver.all_heard()] == ["onLeave"]


@pytest.mark.usefixtures("quiet")
def test_an_emulator_without_the_secret_is_refused_for_good(service, receiver):
    """A callback URL with a wrong secret is answered 403, which is logged and not repeated."""
    service.tell("onConnect", service.participant(f"{receiver.url}/webhooks/not-the-right-secret"))
    [logged] = service.delivered()
    assert (logged["status"], logged["attempts"], logged["delivered"]) == (403, 1, False)
    assert receiver.all_heard() == []
