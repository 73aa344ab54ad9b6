"""The receiver of events for aiohttp's server."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from webrtc_async.webhooks.dispatcher import EventDispatcher
from webrtc_async.webhooks.event import MAX_EVENT_BYTES
from webrtc_async.webhooks.receiver import EventReceiver
from webrtc_async.webhooks.secret import SharedSecret


def webhook_handler(
    dispatcher: EventDispatcher, *, secret: SharedSecret | None
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return a request handler for a route of an aiohttp application.

        app.router.add_post("/webhooks/{secret}", webhook_handler(events, secret=secret))

    Args:
        dispatcher: Calls the handlers of the events.
        secret: The secret that a request must have; None accepts every request.
    """
    receiver = EventReceiver(dispatcher=dispatcher, secret=secret)

    async def handle(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        response = receiver.reject(request.method, request.path, headers)
        if response is None:
            content = b""
            async for chunk in request.content.iter_any():
                content += chunk
                if len(content) > MAX_EVENT_BYTES:
                    break
            response = await receiver.receive(content)
        return web.Response(status=response.status, text=response.text)

    return handle
