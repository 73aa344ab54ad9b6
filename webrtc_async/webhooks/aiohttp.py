"""The receiver of events for aiohttp's server."""

from collections.abc import AsyncGenerator, Awaitable, Callable

from aiohttp import web

from webrtc_async.webhooks.dispatcher import EventDispatcher
from webrtc_async.webhooks.receiver import UNREADABLE, EventReceiver, Post, RejectedPostError
from webrtc_async.webhooks.secret import SharedSecret


def webhook_handler(
    dispatcher: EventDispatcher, *, secret: SharedSecret | None
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return a request handler for a route of an aiohttp application.

        app.router.add_post("/webhooks/{secret:.*}", webhook_handler(events, secret=secret))

    Args:
        dispatcher: Calls the handlers of the events.
        secret: The secret that a request must have; None accepts every request.
    """
    receiver = EventReceiver(dispatcher=dispatcher, secret=secret)

    async def handle(request: web.Request) -> web.Response:
        def keep(content: bytes) -> None:
            # There is no public way to keep what was read with a limit.
            request._read_bytes = content  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

        headers = {name.lower(): value for name, value in request.headers.items()}
        post = Post(
            method=request.method,
            path=request.path,
            headers=headers,
            parts=_parts(request),
            keep=keep,
        )
        received = await receiver.receive(post)
        response = web.Response(
            status=received.status, text=received.text, headers=received.headers
        )
        if request.content.exception() is not None:
            # The server would read the rest of a body that cannot be read, and log a traceback.
            request.content.feed_eof()
            response.force_close()
        return response

    return handle


async def _parts(request: web.Request) -> AsyncGenerator[bytes, None]:
    try:
        if request.content.at_eof():
            yield await request.read()  # what a middleware has read, if one has
            return
        async for part in request.content.iter_any():
            yield part
    except (OSError, RuntimeError, web.RequestPayloadError):
        # aiohttp raises RuntimeError if the connection was closed before the first read.
        raise RejectedPostError(UNREADABLE) from None
