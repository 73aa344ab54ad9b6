"""Receiving events: any kind of body, the secret, one dispatch per event, no exceptions."""

import json
import logging
import pickle
from datetime import UTC, datetime
from typing import Annotated, Any

import anyio
import httpx
import pytest
from aiohttp import web
from fastapi import Depends, FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Mount
from support.strategies import BRIEFLY, JSON

from webrtc_async.emulator.webhooks.delivery import WebhookSender
from webrtc_async.emulator.webhooks.queue import WebhookEvent, Webhooks
from webrtc_async.errors import ConfigurationError, InvalidArgumentError
from webrtc_async.webhooks import (
    EventDispatcher,
    ParticipantEvent,
    ParticipantEventType,
    SharedSecret,
    read_event,
)
from webrtc_async.webhooks.aiohttp import webhook_handler
from webrtc_async.webhooks.asgi import WebhookApp
from webrtc_async.webhooks.fastapi import posted_event

pytestmark = pytest.mark.anyio

VALUE = "a-secret-of-some-length"
SECRET = SharedSecret(value=VALUE)
CONNECT = {
    "event": "onConnect",
    "timestamp": "1700000000000",
    "participantId": "p-1",
    "deviceId": "d-1",
    "tag": "visit",
}


# Events


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(CONNECT).encode(),
        bytearray(json.dumps(CONNECT).encode()),
        json.dumps(CONNECT),
        CONNECT,
        {**CONNECT, "timestamp": 1_700_000_000_000},
        {**CONNECT, "timestamp": 1.7e12},
    ],
    ids=["bytes", "bytearray", "str", "mapping", "integer", "float"],
)
def test_an_event_from_any_body(body: Any) -> None:
    """An event is read from bytes, text or a mapping, with a timestamp as number or text."""
    event = read_event(body)
    assert event == ParticipantEvent(
        event=ParticipantEventType.CONNECT,
        timestamp=1_700_000_000_000,
        participant_id="p-1",
        device_id="d-1",
        tag="visit",
    )
    assert event.at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert pickle.loads(pickle.dumps(event)) == event


def test_unknown_types_and_fields_are_kept() -> None:
    """Unknown types and fields are kept; null counts as missing."""
    event = read_event({**CONNECT, "event": "onMute", "tag": None, "mood": "good"})
    assert event.event == "onMute"
    assert not event.event.is_known
    assert event.tag is None
    assert event.extra == {"mood": "good"}
    assert "good" not in repr(event)


def test_reading_does_not_change_the_mapping() -> None:
    """The mapping that a framework parsed is not changed."""
    given_body = dict(CONNECT)
    read_event(given_body)
    assert given_body == CONNECT


def without(name: str) -> dict[str, object]:
    return {key: value for key, value in CONNECT.items() if key != name}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "not valid JSON"),
        (b"[]", "not a JSON object"),
        (b"\xff", "not valid JSON"),
        (b"x" * 70_000, "over 65536 bytes"),
        (b'{"event":"a","event":"b"}', "there twice"),
        (without("event"), "event: missing"),
        (without("participantId"), "participantId: missing"),
        (without("timestamp"), "timestamp: missing"),
        ({**CONNECT, "event": 5}, "event: expected text"),
        ({**CONNECT, "tag": 5}, "tag: expected text"),
        ({**CONNECT, "participantId": 5}, "participantId: expected text"),
        ({**CONNECT, "participantId": ""}, "participantId: missing"),
        ({**CONNECT, "timestamp": True}, "timestamp: expected a number of milliseconds"),
        ({**CONNECT, "timestamp": -1}, "timestamp: expected a number of milliseconds"),
        ({**CONNECT, "timestamp": "١٢"}, "timestamp: expected a number of milliseconds"),
        ({**CONNECT, "timestamp": 10**300}, "timestamp: expected a number of milliseconds"),
        ({5: "x"}, "text as its keys"),
        (None, "bytes, text or a mapping"),
    ],
)
def test_an_invalid_event_is_refused(body: Any, problem: str) -> None:
    """An invalid body raises an error with one sentence."""
    with pytest.raises(InvalidArgumentError, match=problem):
        read_event(body)


@BRIEFLY
@given(st.binary() | st.text() | JSON | st.fixed_dictionaries(dict.fromkeys(CONNECT, JSON)))
def test_only_our_own_error_is_raised(body: Any) -> None:
    """Every body is an event or raises this package's error."""
    try:
        event = read_event(body)
    except InvalidArgumentError:
        return
    assert event.at.tzinfo is UTC


# The secret


@pytest.mark.parametrize(
    ("path", "headers", "accepted"),
    [
        (f"/webhooks/{VALUE}", {}, True),
        (f"/{VALUE}".replace("-", "%2D"), {}, True),
        ("/webhooks/", {}, False),
        (f"/webhooks/{VALUE}x", {}, False),
        (f"/webhooks/{VALUE}/", {}, False),
        ("/webhooks", {"x-secret": VALUE}, False),
        ("/wébhooks/ü", {}, False),
    ],
)
def test_a_secret_in_the_path(path: str, headers: dict[str, str], accepted: bool) -> None:
    """A request is accepted only if the last segment of its path is the secret."""
    assert SECRET.matches(path, headers) is accepted
    assert VALUE not in repr(SECRET)


def test_a_secret_in_a_header() -> None:
    """With a header name, the secret is read from that header and not from the path."""
    secret = SharedSecret(value=VALUE, header="X-Secret")
    assert secret.matches("/webhooks", {"x-secret": VALUE})
    assert not secret.matches(f"/webhooks/{VALUE}", {})


@pytest.mark.parametrize("value", ["", "short", "x" * 15, "ä" * 20, "a/b" * 10, "a\nb" * 10, None])
def test_an_invalid_secret(value: str) -> None:
    """A short secret, or one that cannot be in a path, is rejected and not shown."""
    with pytest.raises(ConfigurationError) as caught:
        SharedSecret(value=value)
    assert not value or value not in str(caught.value)


# The dispatcher


class ReceivedEvents:
    """Handlers that record their events."""

    def __init__(self) -> None:
        self.dispatcher = EventDispatcher()
        self.events: list[ParticipantEvent] = []
        self.failures = 0
        self.dispatcher.on()(self.hear)

    async def hear(self, event: ParticipantEvent) -> None:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("canary")
        self.events.append(event)


async def test_handlers_get_their_types() -> None:
    """A handler gets the types that it names, or all; the decorator returns the function."""
    received: list[tuple[str, str]] = []
    dispatcher = EventDispatcher()

    @dispatcher.on(ParticipantEventType.LEAVE, ParticipantEventType("onMute"))
    async def some(event: ParticipantEvent) -> None:
        received.append(("some", event.event))

    @dispatcher.on()
    async def every(event: ParticipantEvent) -> None:
        received.append(("every", event.event))

    for number, name in enumerate(["onConnect", "onLeave", "onMute"]):
        await dispatcher.dispatch(read_event({**CONNECT, "event": name, "timestamp": number}))
    assert received == [
        ("every", "onConnect"),
        ("some", "onLeave"),
        ("every", "onLeave"),
        ("some", "onMute"),
        ("every", "onMute"),
    ]
    await some(read_event(CONNECT))


async def test_an_event_is_handled_once() -> None:
    """An event that is posted again, also while it is handled, is not handled again."""
    received, started, go_on = ReceivedEvents(), anyio.Event(), anyio.Event()

    @received.dispatcher.on()
    async def slow(_: ParticipantEvent) -> None:
        started.set()
        await go_on.wait()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(received.dispatcher.dispatch, read_event(CONNECT))
        await started.wait()
        assert await received.dispatcher.dispatch(read_event(CONNECT))
        go_on.set()
    assert await received.dispatcher.dispatch(read_event({**CONNECT, "tag": "other"}))
    assert len(received.events) == 1
    assert await received.dispatcher.dispatch(read_event({**CONNECT, "timestamp": 5}))
    assert len(received.events) == 2


async def test_a_failed_event_may_come_again(caplog: pytest.LogCaptureFixture) -> None:
    """A failing handler is logged, the others are called, and the next post is handled."""
    received, others = ReceivedEvents(), ReceivedEvents()
    received.dispatcher.on()(others.hear)
    received.failures = 1
    with caplog.at_level(logging.ERROR, "webrtc_async.webhooks"):
        assert not await received.dispatcher.dispatch(read_event(CONNECT))
    assert len(others.events) == 1
    assert "a handler of onConnect for participant p-1 failed" in caplog.text
    assert await received.dispatcher.dispatch(read_event(CONNECT))
    assert len(received.events) == 1


async def test_a_cancelled_event_may_come_again() -> None:
    """A cancellation is raised, and the event counts as not handled."""
    received = ReceivedEvents()
    stuck = [True]

    @received.dispatcher.on()
    async def sleep(_: ParticipantEvent) -> None:
        if stuck.pop():
            await anyio.sleep_forever()

    with anyio.move_on_after(0) as scope:
        await received.dispatcher.dispatch(read_event(CONNECT))
    assert scope.cancelled_caught
    stuck.append(False)
    assert await received.dispatcher.dispatch(read_event(CONNECT))
    assert len(received.events) == 2


async def test_the_memory_is_bounded() -> None:
    """Only the last events are remembered."""
    dispatcher = EventDispatcher(max_remembered=2)
    count = 0

    @dispatcher.on()
    async def hear(_: ParticipantEvent) -> None:
        nonlocal count
        count += 1

    for timestamp in (1, 2, 3, 3, 2, 1):
        await dispatcher.dispatch(read_event({**CONNECT, "timestamp": timestamp}))
    assert count == 4


# Under a framework


def fastapi_app(dispatcher: EventDispatcher) -> Any:
    app = FastAPI()

    @app.post("/webhooks/{secret}")
    async def webhook(event: Annotated[ParticipantEvent, Depends(posted_event(SECRET))]) -> None:
        await dispatcher.dispatch(event)

    return app


def mounted_app(dispatcher: EventDispatcher) -> Any:
    return Starlette(routes=[Mount("/webhooks", WebhookApp(dispatcher, secret=SECRET))])


APPS = {"ASGI": mounted_app, "FastAPI": fastapi_app}
each_app = pytest.mark.parametrize("make", APPS.values(), ids=APPS)

BAD_POSTS = [
    ("/webhooks/wrong", json.dumps(CONNECT).encode(), 403),
    (f"/webhooks/{VALUE}", b"{", 400),
    (f"/webhooks/{VALUE}", b"x" * 1_000_000, 400),
    (f"/webhooks/{VALUE}", b"", 400),
]


async def post(app: Any, path: str, content: bytes) -> tuple[int, str]:
    """Return the response of an application, which may leave a body unread."""
    sent: list[Any] = []
    chunks = [content[start : start + 50_000] for start in range(0, len(content), 50_000)] or [b""]

    async def receive() -> Any:
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    return sent[0]["status"], b"".join(each.get("body", b"") for each in sent[1:]).decode()


@each_app
async def test_the_emulators_events_arrive(make: Any) -> None:
    """Events that the emulator posts arrive once, in an ASGI app and in FastAPI."""
    received, webhooks = ReceivedEvents(), Webhooks(clock=lambda: 1_700_000_000.0)
    for event in WebhookEvent:
        webhooks.queue(
            event,
            participant_id="p-1",
            device_id="d-1",
            url=f"http://localhost/webhooks/{VALUE}",
            tag="visit",
        )
    sender = WebhookSender(webhooks, transport=httpx.ASGITransport(make(received.dispatcher)))
    await sender.deliver()
    assert [each.delivered for each in webhooks] == [True] * 3
    assert [each.event for each in received.events] == list(ParticipantEventType)
    assert {each.timestamp for each in received.events} == {1_700_000_000_000}


@each_app
@pytest.mark.parametrize(("path", "content", "status"), BAD_POSTS)
async def test_a_bad_post_gets_one_line(make: Any, path: str, content: bytes, status: int) -> None:
    """A wrong secret or body gets its status, and no handler is called."""
    received = ReceivedEvents()
    answered, text = await post(make(received.dispatcher), path, content)
    assert answered == status
    assert text
    assert VALUE not in text
    assert received.events == []


async def test_an_asgi_app_takes_posts_only_and_reports_failures() -> None:
    """Another method gets a 405, a failed handler a 500; nothing is raised into the server."""
    received = ReceivedEvents()
    received.failures = 1
    transport = httpx.ASGITransport(mounted_app(received.dispatcher))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        url = f"/webhooks/{VALUE}"
        assert (await http.get(url)).status_code == 405
        failed = await http.post(url, json=CONNECT)
        assert (failed.status_code, "canary" in failed.text) == (500, False)
        assert (await http.post(url, json=CONNECT)).status_code == 200


async def test_a_disconnected_client_gets_no_response() -> None:
    """A post whose client disconnects changes nothing."""
    received, sent = ReceivedEvents(), list[Any]()

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": f"/{VALUE}", "headers": []}
    await WebhookApp(received.dispatcher, secret=SECRET)(scope, receive, send)
    assert (sent, received.events) == ([], [])
    with pytest.raises(RuntimeError, match="not websocket"):
        await WebhookApp(received.dispatcher, secret=None)({"type": "websocket"}, receive, send)


@pytest.mark.usefixtures("anyio_backend")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_aiohttp() -> None:
    """The same statuses come from aiohttp's server over a socket."""
    received = ReceivedEvents()
    app = web.Application()
    app.router.add_route(
        "*", "/webhooks/{secret}", webhook_handler(received.dispatcher, secret=SECRET)
    )
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0]
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}", trust_env=False) as http:
            for path, content, status in BAD_POSTS:
                assert (await http.post(path, content=content)).status_code == status
            assert (await http.get(f"/webhooks/{VALUE}")).status_code == 405
            assert (await http.post(f"/webhooks/{VALUE}", json=CONNECT)).status_code == 200
    finally:
        await runner.cleanup()
    assert [each.event for each in received.events] == [ParticipantEventType.CONNECT]
