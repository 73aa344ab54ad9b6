"""Checks and responses for posted events, under any framework."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from attrs import frozen

from webrtc_async.errors import InvalidArgumentError
from webrtc_async.webhooks.dispatcher import EventDispatcher
from webrtc_async.webhooks.event import read_event
from webrtc_async.webhooks.secret import SharedSecret

FORBIDDEN: Final = "The secret is missing or wrong."


@frozen(kw_only=True)
class WebhookResponse:
    """The response to a posted event.

    Attributes:
        status: The HTTP status.
        text: One line about a failure; empty for a success.
    """

    status: HTTPStatus
    text: str = ""


@frozen(kw_only=True)
class EventReceiver:
    """A receiver that checks a posted event, dispatches it, and returns the response.

    It raises nothing. 200: handled, now or before. 400: no participant event. 403: the secret is
    missing or wrong. 405: not a POST. 500: a handler failed; the log has the failure.

    Attributes:
        dispatcher: Calls the handlers of the event.
        secret: The secret that a request must have; None accepts every request, for example
            behind a gateway of yours that checks them.
    """

    dispatcher: EventDispatcher
    secret: SharedSecret | None

    def reject(self, method: str, path: str, headers: Mapping[str, str]) -> WebhookResponse | None:
        """Return the response to a request that is rejected before its body is read, if it is.

        Args:
            method: The HTTP method.
            path: The path, percent-encoded or not.
            headers: The headers, by lower-case name.
        """
        if self.secret is not None and not self.secret.matches(path, headers):
            return WebhookResponse(status=HTTPStatus.FORBIDDEN, text=FORBIDDEN)
        if method != "POST":
            return WebhookResponse(status=HTTPStatus.METHOD_NOT_ALLOWED, text="Use POST.")
        return None

    async def receive(self, content: bytes) -> WebhookResponse:
        """Handle the event of an accepted request and return the response."""
        try:
            event = read_event(content)
        except InvalidArgumentError as error:
            return WebhookResponse(status=HTTPStatus.BAD_REQUEST, text=error.message)
        if await self.dispatcher.dispatch(event):
            return WebhookResponse(status=HTTPStatus.OK)
        return WebhookResponse(
            status=HTTPStatus.INTERNAL_SERVER_ERROR, text="A handler of the event failed."
        )
