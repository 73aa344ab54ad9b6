"""Receivers under each framework, in process: documented statuses, nothing raised."""

import asyncio
import json
from typing import Any

import anyio
import httpx
import pytest
from aiohttp import StreamReader
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request
from support.backends import JumpingLoop, jumping_backends
from support.webhook_receivers import (
    CONNECT,
    SECRET,
    VALUE,
    ReceivedEvents,
    asgi_app,
    fastapi_app,
)

from webrtc_async.emulator.webhooks.delivery import WebhookSender
from webrtc_async.emulator.webhooks.queue import WebhookEvent, Webhooks
from webrtc_async.webhooks import EventDispatcher, ParticipantEventType
from webrtc_async.webhooks.aiohttp import webhook_handler
from webrtc_async.webhooks.asgi import WebhookApp

pytestmark = pytest.mark.anyio

APPS = {"ASGI": asgi_app, "FastAPI": fastapi_app}
each_app = pytest.mark.parametrize("make", APPS.values(), ids=APPS)

BAD_POSTS = [
    ("/webhooks/wrong", json.dumps(CONNECT).encode(), 403),
    (f"/webhooks/{VALUE}", b"{", 400),
    (f"/webhooks/{VALUE}", b"x" * 1_000_000, 400),
    (f"/webhooks/{VALUE}", b"", 400),
]


def scope(path: str) -> dict[str, Any]:
    """Return the ASGI scope of a post."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"[")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }


async def post(app: Any, path: str, receive: Any) -> tuple[int, str]:
    """Return the response of an application, which may leave a body unread."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope(path), receive, send)
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
    sender = WebhookSender(
        webhooks, transport=httpx.ASGITransport(make(received.dispatcher, SECRET))
    )
    await sender.deliver()
    assert [each.delivered for each in webhooks] == [True] * 3
    assert [each.event for each in received.events] == list(ParticipantEventType)
    assert {each.timestamp for each in received.events} == {1_700_000_000_000}


@each_app
@pytest.mark.parametrize(("path", "content", "status"), BAD_POSTS)
async def test_a_bad_post_gets_one_line(make: Any, path: str, content: bytes, status: int) -> None:
    """A wrong secret or body gets its status, and no handler is called."""
    received = ReceivedEvents()
    chunks = [content[start : start + 50_000] for start in range(0, len(content), 50_000)] or [b""]

    async def receive() -> Any:
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    answered, text = await post(make(received.dispatcher, SECRET), path, receive)
    assert answered == status
    assert text
    assert VALUE not in text
    assert received.events == []


async def test_a_failed_handler_gets_a_500() -> None:
    """A failed handler gets a 500 without its text; nothing is raised into the server."""
    received = ReceivedEvents()
    received.failures = 1
    transport = httpx.ASGITransport(asgi_app(received.dispatcher, SECRET))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        failed = await http.post(f"/webhooks/{VALUE}", json=CONNECT)
        assert (failed.status_code, "canary" in failed.text) == (500, False)
        assert (await http.post(f"/webhooks/{VALUE}", json=CONNECT)).status_code == 200


async def test_what_is_no_request() -> None:
    """A websocket is rejected; for a lifespan, servers understand the error."""
    app, sent = WebhookApp(EventDispatcher(), secret=None), list[Any]()

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "websocket"}, receive, send)
    assert sent == [{"type": "websocket.close"}]
    with pytest.raises(RuntimeError, match="not lifespan"):
        await app({"type": "lifespan"}, receive, send)


@each_app
async def test_a_disconnected_client(make: Any) -> None:
    """A post whose client disconnects calls no handler and raises nothing."""
    received = ReceivedEvents()

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(_: Any) -> None:
        raise OSError("as a server raises if the client has disconnected")

    app = WebhookApp(received.dispatcher, secret=SECRET)
    await app(scope(f"/webhooks/{VALUE}"), receive, send)
    answered, _ = await post(make(received.dispatcher, SECRET), f"/webhooks/{VALUE}", receive)
    assert (answered, received.events) == (400, [])


@jumping_backends()
@each_app
async def test_a_slow_body(make: Any) -> None:
    """A body that does not arrive within 10 seconds gets a 408."""
    received = ReceivedEvents()

    async def receive() -> Any:
        await anyio.sleep(4)
        return {"type": "http.request", "body": b" ", "more_body": True}

    started = anyio.current_time()
    answered, text = await post(make(received.dispatcher, SECRET), f"/webhooks/{VALUE}", receive)
    assert (answered, "within 10 seconds" in text, received.events) == (408, True, [])
    assert anyio.current_time() - started == pytest.approx(10, abs=0.5)


@pytest.mark.parametrize("anyio_backend", [("asyncio", {"loop_factory": JumpingLoop})])
@pytest.mark.parametrize(("connected", "status"), [(True, 408), (False, 400)])
async def test_a_slow_body_under_aiohttp(connected: bool, status: int) -> None:
    """A body that does not arrive within 10 seconds gets a 408; one whose poster left, a 400."""
    received, loop = ReceivedEvents(), asyncio.get_running_loop()
    protocol = BaseProtocol(loop)
    if connected:
        protocol.connection_made(asyncio.Transport())
    body = StreamReader(protocol, limit=1000, loop=loop)
    request = make_mocked_request("POST", f"/webhooks/{VALUE}", payload=body)
    response = await webhook_handler(received.dispatcher, secret=SECRET)(request)
    assert (response.status, received.events) == (status, [])
