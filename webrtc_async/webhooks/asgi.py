"""The receiver of events for any ASGI server or framework."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from webrtc_async.webhooks.dispatcher import EventDispatcher
from webrtc_async.webhooks.event import MAX_EVENT_BYTES
from webrtc_async.webhooks.receiver import EventReceiver, WebhookResponse
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
        if scope["type"] != "http":
            # For a lifespan or a websocket, servers understand this as "not supported".
            raise RuntimeError(f"WebhookApp supports only HTTP, not {scope['type']}.")
        headers = {
            name.decode("latin-1"): each.decode("latin-1") for name, each in scope["headers"]
        }
        response = self._receiver.reject(scope["method"], scope["path"], headers)
        if response is None:
            content = await _read_content(receive)
            if content is None:
                return
            response = await self._receiver.receive(content)
        await _respond(send, response)


async def _read_content(receive: Receive) -> bytes | None:
    """Return the body, or a too long part of it; None if the client disconnected."""
    content = b""
    while len(content) <= MAX_EVENT_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        content += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return content


async def _respond(send: Send, response: WebhookResponse) -> None:
    body = response.text.encode("utf-8", "replace")
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode("ascii")),
    ]
    await send({"type": "http.response.start", "status": response.status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})
