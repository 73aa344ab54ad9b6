"""Checks and responses for posted events, under any framework."""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from http import HTTPStatus
from typing import Final

import anyio
from attrs import field, frozen

from webrtc_async.errors import InvalidArgumentError
from webrtc_async.webhooks.dispatcher import EventDispatcher
from webrtc_async.webhooks.event import MAX_EVENT_BYTES, ParticipantEvent, read_event
from webrtc_async.webhooks.secret import SharedSecret

MAX_BODY_SECONDS: Final = 10.0
"""The longest time in which a body may arrive."""

_logger: Final = logging.getLogger("webrtc_async.webhooks")


@frozen(kw_only=True)
class WebhookResponse:
    """The response to a posted event.

    Attributes:
        status: The HTTP status.
        text: One line about a failure; empty for a success.
        headers: Headers that the status requires.
    """

    status: HTTPStatus
    text: str = ""
    headers: Mapping[str, str] = field(factory=dict[str, str])


FORBIDDEN: Final = WebhookResponse(
    status=HTTPStatus.FORBIDDEN, text="The secret is missing or wrong."
)
NOT_A_POST: Final = WebhookResponse(
    status=HTTPStatus.METHOD_NOT_ALLOWED, text="Use POST.", headers={"Allow": "POST"}
)
UNREADABLE: Final = WebhookResponse(
    status=HTTPStatus.BAD_REQUEST, text="The body is incomplete or cannot be decoded."
)
TOO_SLOW: Final = WebhookResponse(
    status=HTTPStatus.REQUEST_TIMEOUT,
    text=f"The body did not arrive within {MAX_BODY_SECONDS:g} seconds.",
)
CONSUMED: Final = WebhookResponse(
    status=HTTPStatus.INTERNAL_SERVER_ERROR, text="The body was consumed before the receiver ran."
)
FAILED: Final = WebhookResponse(
    status=HTTPStatus.INTERNAL_SERVER_ERROR, text="The event was not handled. Post it again."
)


class RejectedPostError(Exception):
    """A request is rejected; `response` says why. No receiver lets it out."""

    def __init__(self, response: WebhookResponse) -> None:
        super().__init__(response.text)
        self.response = response


@frozen(kw_only=True)
class Post:
    """A request, as its framework has received it.

    Attributes:
        method: The HTTP method.
        path: The path, percent-encoded or not.
        headers: The headers, by lower-case name.
        parts: The parts of the body. One that cannot be read raises `RejectedPostError`.
        keep: Called with the body, so that others can read it from the framework's request.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    parts: AsyncGenerator[bytes, None]
    keep: Callable[[bytes], object] = bytes


async def read_post(post: Post, secret: SharedSecret | None) -> ParticipantEvent:
    """Return the event of a request.

    Raises:
        RejectedPostError: The request has no event, or not the secret.
    """
    if post.method != "POST":
        raise RejectedPostError(NOT_A_POST)
    if secret is not None and not secret.matches(post.path, post.headers):
        raise RejectedPostError(FORBIDDEN)
    content = await _read_content(post)
    post.keep(content)
    try:
        return read_event(content)
    except InvalidArgumentError as error:
        bad = WebhookResponse(status=HTTPStatus.BAD_REQUEST, text=error.message)
        raise RejectedPostError(bad) from None


async def _read_content(post: Post) -> bytes:
    """Return the body, or a too long part of it."""
    content = b""
    try:
        with anyio.fail_after(MAX_BODY_SECONDS):
            async with aclosing(post.parts) as parts:
                async for part in parts:
                    content += part
                    if len(content) > MAX_EVENT_BYTES:
                        break
    except TimeoutError:
        raise RejectedPostError(TOO_SLOW) from None
    is_coded = "content-encoding" in post.headers
    if not content and not is_coded and post.headers.get("content-length", "0") != "0":
        raise consumed()
    return content


def consumed() -> RejectedPostError:
    """Log and return the rejection of a request whose body a part of the application consumed."""
    _logger.error("an event was lost: its body was consumed before the receiver ran")
    return RejectedPostError(CONSUMED)


@frozen(kw_only=True)
class EventReceiver:
    """A receiver that checks a posted event, dispatches it, and returns the response.

    It raises nothing. 200: handled, now or before. 400: no participant event. 403: the secret is
    missing or wrong. 405: not a POST. 408: the body did not arrive in time. 500: a handler failed,
    or the body was consumed before; the log has the failure.

    Attributes:
        dispatcher: Calls the handlers of the event.
        secret: The secret that a request must have; None accepts every request, for example
            behind a gateway of yours that checks them.
    """

    dispatcher: EventDispatcher
    secret: SharedSecret | None

    async def receive(self, post: Post) -> WebhookResponse:
        """Handle the event of a request and return the response."""
        try:
            event = await read_post(post, self.secret)
        except RejectedPostError as rejected:
            return rejected.response
        is_handled = await self.dispatcher.dispatch(event)
        return WebhookResponse(status=HTTPStatus.OK) if is_handled else FAILED
