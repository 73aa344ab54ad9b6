"""What a posted event is answered with, whatever framework received it."""

from collections.abc import Mapping
from http import HTTPStatus

from attrs import frozen

from webrtc_async.errors import InvalidArgumentError
from webrtc_async.webhooks.dispatcher import EventDispatcher
from webrtc_async.webhooks.event import read_event
from webrtc_async.webhooks.secret import SharedSecret


@frozen(kw_only=True)
class Answer:
    """What to answer.

    Attributes:
        status: The HTTP status.
        text: One line for whoever posted; empty when all is well.
    """

    status: HTTPStatus
    text: str = ""


@frozen(kw_only=True)
class EventReceiver:
    """Checks a posted event, has it dispatched, and says what to answer. It never raises.

    200: handled, now or before. 400: no participant event. 403: the secret is missing or wrong.
    405: not a POST. 500: a handler failed, which is in the log.

    Attributes:
        dispatcher: Who hears of the event.
        secret: What whoever posts must know; None lets anyone post, as behind a gateway of yours
            that checks.
    """

    dispatcher: EventDispatcher
    secret: SharedSecret | None

    def refusal(self, method: str, path: str, headers: Mapping[str, str]) -> Answer | None:
        """Return what a request is answered with before its body is read; None to go on.

        Args:
            method: The HTTP method.
            path: The path, percent-encoded or not.
            headers: The headers, by lower-case name.
        """
        if self.secret is not None and not self.secret.admits(path, headers):
            return Answer(status=HTTPStatus.FORBIDDEN, text="This is not for you.")
        if method != "POST":
            return Answer(status=HTTPStatus.METHOD_NOT_ALLOWED, text="Events are posted.")
        return None

    async def receive(self, content: bytes) -> Answer:
        """Return what an admitted request is answered with, its event being handled."""
        try:
            event = read_event(content)
        except InvalidArgumentError as misfit:
            return Answer(status=HTTPStatus.BAD_REQUEST, text=misfit.message)
        if await self.dispatcher.dispatch(event):
            return Answer(status=HTTPStatus.OK)
        return Answer(
            status=HTTPStatus.INTERNAL_SERVER_ERROR, text="The event could not be handled."
        )
