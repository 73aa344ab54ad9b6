"""Events under any ASGI server or framework."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from webrtc_async.webhooks.dispatcher import EventDispatcher
from webrtc_async.webhooks.event import LONGEST_EVENT
from webrtc_async.webhooks.receiver import Answer, EventReceiver
from webrtc_async.webhooks.secret import SharedSecret

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class WebhookApp:
    """An ASGI application that receives participants' events, to be mounted anywhere.

        app.mount("/webhooks", WebhookApp(events, secret=SharedSecret(value=...)))

    Args:
        dispatcher: Who hears of the events.
        secret: What whoever posts must know; None lets anyone post.
    """

    def __init__(self, dispatcher: EventDispatcher, *, secret: SharedSecret | None) -> None:
        self._receiver = EventReceiver(dispatcher=dispatcher, secret=secret)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            # Lifespan and websockets: a server takes this as "not supported here".
            raise RuntimeError(f"WebhookApp answers HTTP alone, not {scope['type']}.")
        headers = {
            name.decode("latin-1"): each.decode("latin-1") for name, each in scope["headers"]
        }
        answer = self._receiver.refusal(scope["method"], scope["path"], headers)
        if answer is None:
            content = await _read_content(receive)
            if content is None:
                return
            answer = await self._receiver.receive(content)
        await _respond(send, answer)


async def _read_content(receive: Receive) -> bytes | None:
    """Return the content, of a long one just enough to be refused; None if the client left."""
    content = b""
    while len(content) <= LONGEST_EVENT:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        content += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return content


async def _respond(send: Send, answer: Answer) -> None:
    body = answer.text.encode("utf-8", "replace")
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode("ascii")),
    ]
    await send({"type": "http.response.start", "status": answer.status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})
