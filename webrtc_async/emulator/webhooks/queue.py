"""The queue of webhooks about participants' devices, and a log of them; no I/O."""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from enum import StrEnum
from typing import Final

from attrs import define, field

from webrtc_async._codec.model_codec import write_json
from webrtc_async.emulator.webhooks.callback_url import MAX_URL_LENGTH, public_url, url_problem

LOG_SIZE: Final = 200
"""Number of webhooks in the log; older ones are dropped."""

MAX_WAITING: Final = 1000
"""Maximum number of waiting webhooks; further ones are logged but not sent."""


class WebhookEvent(StrEnum):
    """An event of a device's signalling connection."""

    CONNECT = "onConnect"
    """The device connected."""
    DISCONNECT = "onDisconnect"
    """The connection was lost."""
    LEAVE = "onLeave"
    """The device or the service ended the connection."""


@define(eq=False, kw_only=True)
class Webhook:
    """An event for a participant's callback URL.

    Attributes:
        number: Number of the webhook, from 1 after each reset.
        at: Time of the event, in seconds since 1970.
        event: The event.
        participant_id: The participant whose device caused the event.
        url: The callback URL, which can hold secrets; `public_url` removes them.
        payload: The fields of the JSON body.
        attempts: Number of posts.
        status: Status of the last response; None without a response.
        error: The reason that it is not delivered; None without an error.
        delivered: True once the receiver responded with a 2xx.
    """

    number: int
    at: float
    event: WebhookEvent
    participant_id: str
    url: str = field(repr=lambda url: repr(public_url(url)))
    payload: dict[str, str]
    attempts: int = 0
    status: int | None = None
    error: str | None = None
    delivered: bool = False

    @property
    def content(self) -> bytes:
        """The payload as JSON."""
        return write_json(self.payload)

    def as_json(self) -> dict[str, object]:
        """Return the webhook as JSON values, without payload and secrets."""
        return {
            "number": self.number,
            "at": self.at,
            "event": self.event.value,
            "participantId": self.participant_id,
            "url": public_url(self.url),
            "attempts": self.attempts,
            "status": self.status,
            "error": self.error,
            "delivered": self.delivered,
        }


class Webhooks:
    """The webhooks of an emulator: a queue of waiting ones, and a log of the last ones.

    Iterating yields the log, oldest first. A `WebhookSender` posts the waiting ones. Threads may
    share it.

    Args:
        clock: Returns the seconds since 1970.
        allow_any_host: True to post to other hosts than this machine as well.
        log_size: Number of webhooks in the log.
        max_waiting: Maximum number of waiting webhooks.

    Attributes:
        allow_any_host: As above; it can be set at any time, for later webhooks.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        allow_any_host: bool = False,
        log_size: int = LOG_SIZE,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self.allow_any_host = allow_any_host
        self._clock = clock
        self._max_waiting = max_waiting
        self._lock = threading.Lock()
        self._log: deque[Webhook] = deque(maxlen=log_size)
        self._waiting: deque[Webhook] = deque()
        self._in_progress: dict[str, Webhook] = {}
        self._listeners: list[Callable[[], object]] = []
        self._count = 0

    def queue(
        self,
        event: WebhookEvent,
        *,
        participant_id: str,
        device_id: str,
        url: str | None,
        tag: str | None = None,
    ) -> Webhook | None:
        """Log an event, and queue it if its URL is allowed.

        Args:
            event: The event.
            participant_id: The participant whose device caused the event.
            device_id: The device's id.
            url: The participant's callback URL; without one, nothing is posted or logged.
            tag: The participant's tag.

        Returns:
            The webhook, with an `error` if it will not be posted; None without a URL.
        """
        if url is None:
            return None
        now = self._clock()
        with self._lock:
            self._count += 1
            webhook = Webhook(
                number=self._count,
                at=now,
                event=event,
                participant_id=participant_id,
                url=url[: MAX_URL_LENGTH + 1],
                payload=_payload(event, now, participant_id, device_id, tag),
                error=self._refusal(url),
            )
            self._log.append(webhook)
            if webhook.error is None:
                self._wait(webhook)
        return webhook

    def resend(self, number: int) -> Webhook:
        """Queue a webhook of the log again, with the same payload.

        Args:
            number: The webhook's number.

        Raises:
            LookupError: The log has no such webhook.
            ValueError: It is still waiting, or must not be sent; the text says why.
        """
        with self._lock:
            webhook = next((each for each in self._log if each.number == number), None)
            if webhook is None:
                raise LookupError(f"the log has no webhook {number}")
            if webhook in self._waiting or webhook in self._in_progress.values():
                raise ValueError(f"webhook {number} is still waiting")
            problem = self._refusal(webhook.url)
            if problem is not None:
                raise ValueError(problem)
            webhook.status, webhook.error, webhook.delivered = None, None, False
            self._wait(webhook)
        return webhook

    def take(self) -> Webhook | None:
        """Return the oldest webhook that can be posted now, or None.

        At most one webhook of a participant is in progress, so that its events arrive in order.
        """
        with self._lock:
            for webhook in self._waiting:
                if webhook.participant_id not in self._in_progress:
                    self._waiting.remove(webhook)
                    self._in_progress[webhook.participant_id] = webhook
                    return webhook
        return None

    def note_attempt(
        self, webhook: Webhook, *, status: int | None = None, error: str | None = None
    ) -> None:
        """Record the result of a post; without an error the webhook is delivered."""
        with self._lock:
            webhook.attempts += 1
            webhook.status, webhook.error, webhook.delivered = status, error, error is None

    def finish(self, webhook: Webhook) -> None:
        """Finish a webhook that `take` returned; the participant's next one can follow."""
        with self._lock:
            self._end(webhook)

    def give_back(self, webhook: Webhook) -> None:
        """Put a webhook that `take` returned back to the front of the queue."""
        with self._lock:
            if self._end(webhook):
                self._waiting.appendleft(webhook)

    def clear(self) -> None:
        """Drop the log and all waiting webhooks, and number new ones from 1 again."""
        with self._lock:
            self._log.clear()
            self._waiting.clear()
            self._in_progress.clear()
            self._count = 0

    @contextlib.contextmanager
    def notifying(self, notify: Callable[[], object]) -> Generator[None]:
        """Call a function for each newly queued webhook, until the context exits.

        Any thread calls it with the lock held, so it must neither block nor use this object.
        """
        with self._lock:
            self._listeners.append(notify)
        try:
            yield
        finally:
            with self._lock:
                self._listeners.remove(notify)

    @property
    def count(self) -> int:
        """Number of webhooks since the last reset, including those no longer in the log."""
        return self._count

    @property
    def waiting(self) -> int:
        """Number of webhooks that are waiting or in progress."""
        with self._lock:
            return len(self._waiting) + len(self._in_progress)

    def __iter__(self) -> Iterator[Webhook]:
        with self._lock:
            return iter(tuple(self._log))

    def __len__(self) -> int:
        return len(self._log)

    def __repr__(self) -> str:
        return f"<Webhooks: {self._count} in all, {self.waiting} waiting>"

    def _wait(self, webhook: Webhook) -> None:
        self._waiting.append(webhook)
        for notify in self._listeners:
            notify()

    def _refusal(self, url: str) -> str | None:
        if len(self._waiting) >= self._max_waiting:
            return f"not sent: {self._max_waiting} others are waiting already"
        return url_problem(url, allow_any_host=self.allow_any_host)

    def _end(self, webhook: Webhook) -> bool:
        # `clear` also drops webhooks in progress.
        if self._in_progress.get(webhook.participant_id) is not webhook:
            return False
        del self._in_progress[webhook.participant_id]
        return True


def _payload(
    event: WebhookEvent, now: float, participant_id: str, device_id: str, tag: str | None
) -> dict[str, str]:
    return {
        "event": event.value,
        # inferred: text with milliseconds, like the documented example.
        "timestamp": str(int(now * 1000)),
        "participantId": participant_id,
        "deviceId": device_id,
        **({} if tag is None else {"tag": tag}),
    }
