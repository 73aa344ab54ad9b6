"""Events under aiohttp's server."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from webrtc_async.webhooks.dispatcher import EventDispatcher
from webrtc_async.webhooks.event import LONGEST_EVENT
from webrtc_async.webhooks.receiver import EventReceiver
from webrtc_async.webhooks.secret import SharedSecret


def webhook_handler(
    dispatcher: EventDispatcher, *, secret: SharedSecret | None
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return a handler for a route of an aiohttp application.

        app.router.add_post("/webhooks/{secret}", webhook_handler(events, secret=secret))

    Args:
        dispatcher: Who hears of the events.
        secret: What whoever posts must know; None lets anyone post.
    """
    receiver = EventReceiver(dispatcher=dispatcher, secret=secret)

    async def handle(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = receiver.refusal(request.method, request.path, headers)
        if answer is None:
            content = b""
            async for chunk in request.content.iter_any():
                content += chunk
                if len(content) > LONGEST_EVENT:
                    break
            answer = await receiver.receive(content)
        return web.Response(status=answer.status, text=answer.text)

    return handle
