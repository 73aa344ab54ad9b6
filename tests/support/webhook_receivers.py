"""Receivers of webhooks on TCP, one for each framework."""

import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from typing import Annotated, Any

import uvicorn
from aiohttp import web
from anyio.from_thread import start_blocking_portal
from attrs import define, field
from fastapi import Depends, FastAPI, HTTPException, Request
from starlette.applications import Starlette
from starlette.routing import Mount

from webrtc_async.emulator.doors.server import bind
from webrtc_async.webhooks import EventDispatcher, ParticipantEvent, SharedSecret
from webrtc_async.webhooks.aiohttp import webhook_handler
from webrtc_async.webhooks.asgi import WebhookApp
from webrtc_async.webhooks.fastapi import posted_event

VALUE = "a-secret-of-some-length"
SECRET = SharedSecret(value=VALUE)
CONNECT = {
    "event": "onConnect",
    "timestamp": "1700000000000",
    "participantId": "p-1",
    "deviceId": "d-1",
    "tag": "visit",
}
PATIENCE = 20
"""Seconds that a test waits for an event."""


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


@define
class Receiver:
    """A receiver on TCP: its URL and the events of its handlers."""

    url: str
    received: "queue.SimpleQueue[ParticipantEvent]"
    failures: list[str] = field(factory=list)
    """Texts of exceptions that the handler raises, one per event, before it records events."""

    @property
    def callback_url(self) -> str:
        return f"{self.url}/webhooks/{VALUE}"

    def all_received(self) -> list[ParticipantEvent]:
        return [self.received.get_nowait() for _ in range(self.received.qsize())]


@contextmanager
def receiving(
    serve: Callable[..., AbstractContextManager[str]], secret: SharedSecret = SECRET
) -> Iterator[Receiver]:
    """Run a receiver with one handler."""
    dispatcher = EventDispatcher()
    with serve(dispatcher, secret) as url:
        receiver = Receiver(url, queue.SimpleQueue())

        @dispatcher.on()
        async def hear(event: ParticipantEvent) -> None:
            if receiver.failures:
                raise RuntimeError(receiver.failures.pop())
            receiver.received.put(event)

        yield receiver


def asgi_app(dispatcher: EventDispatcher, secret: SharedSecret, **options: Any) -> Starlette:
    """Return an application of Starlette with these options."""
    mount = Mount("/webhooks", WebhookApp(dispatcher, secret=secret))
    return Starlette(routes=[mount], **options)


def fastapi_app(
    dispatcher: EventDispatcher,
    secret: SharedSecret,
    before: Sequence[Any] = (),
    after: Sequence[Any] = (),
    **options: Any,
) -> FastAPI:
    """Return an application of FastAPI that calls these with the request, too."""
    app = FastAPI(**options)

    @app.post("/webhooks/{secret:path}", dependencies=[Depends(each) for each in before])
    async def webhook(
        event: Annotated[ParticipantEvent, Depends(posted_event(secret))], request: Request
    ) -> None:
        for each in after:
            await each(request)
        if not await dispatcher.dispatch(event):
            raise HTTPException(500)

    return app


def aiohttp_app(
    dispatcher: EventDispatcher, secret: SharedSecret, **options: Any
) -> web.Application:
    """Return an application of aiohttp with these options."""
    app = web.Application(**options)
    app.router.add_post("/webhooks/{secret:.*}", webhook_handler(dispatcher, secret=secret))
    return app


@contextmanager
def under_uvicorn(app: Any) -> Iterator[str]:
    """Serve an ASGI application in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none", loop="asyncio"))
    listening = bind("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def under_aiohttp(app: web.Application) -> Iterator[str]:
    """Serve an application of aiohttp in a thread."""

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


def served_alone(dispatcher: EventDispatcher, secret: SharedSecret) -> Any:
    """Serve `WebhookApp` under no framework."""
    return under_uvicorn(WebhookApp(dispatcher, secret=secret))


def served_asgi(dispatcher: EventDispatcher, secret: SharedSecret, **options: Any) -> Any:
    return under_uvicorn(asgi_app(dispatcher, secret, **options))


def served_fastapi(dispatcher: EventDispatcher, secret: SharedSecret, **options: Any) -> Any:
    return under_uvicorn(fastapi_app(dispatcher, secret, **options))


def served_aiohttp(dispatcher: EventDispatcher, secret: SharedSecret, **options: Any) -> Any:
    return under_aiohttp(aiohttp_app(dispatcher, secret, **options))


EVERY = [served_alone, served_asgi, served_fastapi, served_aiohttp]
