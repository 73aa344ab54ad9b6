"""The receiver of events for any ASGI server or framework."""

from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from webrtc_async.webhooks.dispatcher import EventDispatcher
from webrtc_async.webhooks.receiver import (
    UNREADABLE,
    EventReceiver,
    Post,
    RejectedPostError,
    WebhookResponse,
)
from webrtc_async.webhooks.secret import SharedSecret

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class WebhookApp:
    """An ASGI application that receives the events of participants; mount it anywhere.

        app.mount("/webhooks", WebhookApp(events, secret=SharedSecret(value=...)))

    Args:
        dispatcher: Calls the handlers of the events.
        secret: The secret that a request must have; None accepts every request.
    """

    def __init__(self, dispatcher: EventDispatcher, *, secret: SharedSecret | None) -> None:
        self._receiver = EventReceiver(dispatcher=dispatcher, secret=secret)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Respond to one request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})  # servers reject the handshake with a 403
            return
        if scope["type"] != "http":
            # For a lifespan, servers understand this as "not supported".
            raise RuntimeError(f"WebhookApp supports only HTTP, not {scope['type']}.")
        headers = {
            name.decode("latin-1"): each.decode("latin-1") for name, each in scope["headers"]
        }
        post = Post(
            method=scope["method"], path=scope["path"], headers=headers, parts=_parts(receive)
        )
        response = await self._receiver.receive(post)
        # A server may raise OSError once the client has disconnected.
        with suppress(OSError):
            await _respond(send, response, has_body=post.method != "HEAD")


async def _parts(receive: Receive) -> AsyncGenerator[bytes, None]:
    has_more = True
    while has_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RejectedPostError(UNREADABLE)
        yield message.get("body", b"")
        has_more = message.get("more_body", False)


async def _respond(send: Send, response: WebhookResponse, *, has_body: bool) -> None:
    body = response.text.encode("utf-8", "replace")
    headers = {
        "content-type": "text/plain; charset=utf-8",
        "content-length": str(len(body)),
        **{name.lower(): value for name, value in response.headers.items()},
    }
    raw = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status.value, "headers": raw})
    await send({"type": "http.response.body", "body": body if has_body else b""})
