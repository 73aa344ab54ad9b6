"""Webhooks: what is posted about a participant's device, to whom, and what came of it; no I/O."""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from enum import StrEnum
from typing import Final

from attrs import define, field

from webrtc_async._codec.model_codec import write_json
from webrtc_async.emulator.webhooks.callback_url import LONGEST_URL, public_url, url_problem

LONGEST_LOG: Final = 200
"""Webhooks that the log keeps; older ones fall out."""

MOST_WAITING: Final = 1000
"""Webhooks that may wait for delivery; further ones are logged and not sent."""


class WebhookEvent(StrEnum):
    """What happened to a device's signalling connection."""

    CONNECT = "onConnect"
    """It was made."""
    DISCONNECT = "onDisconnect"
    """It was lost."""
    LEAVE = "onLeave"
    """It was ended on purpose, by the device or by the service."""


@define(eq=False, kw_only=True)
class Webhook:
    """One event that is posted to a participant's callback URL.

    Attributes:
        number: 1 for the first since the last reset.
        at: When the event happened, in seconds since 1970.
        event: What happened.
        participant_id: Whose device it happened to.
        url: The callback URL; `public_url` is it without what may be secret.
        payload: What is posted, before it is written as JSON.
        attempts: How often it was posted.
        status: The last answer's status; None if there was none.
        error: Why it is not delivered, so far; None if nothing went wrong.
        delivered: Whether the receiver answered with a 2xx.
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
        """The payload as it is posted."""
        return write_json(self.payload)

    def picture(self) -> dict[str, object]:
        """Return what programs and people are shown of it, as JSON's values."""
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
    """The webhooks of an emulator: those that wait to be posted, and a log of the last ones.

    Iterating gives the log, oldest first. Threads may share it. Nothing is posted here: a
    `WebhookSender` takes what waits.

    Args:
        clock: Tells the seconds since 1970.
        allow_any_host: Post to other hosts than this machine as well.
        longest_log: Webhooks that the log keeps.
        most_waiting: Webhooks that may wait.
        on_change: Called after every change, in the thread that made it and with no lock of
            this object held.

    Attributes:
        allow_any_host: As above; it may be set at any time, for the webhooks that follow.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        allow_any_host: bool = False,
        longest_log: int = LONGEST_LOG,
        most_waiting: int = MOST_WAITING,
        on_change: Callable[[], object] = lambda: None,
    ) -> None:
        self.allow_any_host = allow_any_host
        self._clock = clock
        self._on_change = on_change
        self._most_waiting = most_waiting
        self._lock = threading.Lock()
        self._log: deque[Webhook] = deque(maxlen=longest_log)
        self._waiting: deque[Webhook] = deque()
        self._under_way: dict[str, Webhook] = {}
        self._bells: list[Callable[[], object]] = []
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
        """Log an event, and have it posted if its URL may be posted to.

        Args:
            event: What happened.
            participant_id: To whom.
            device_id: The id that the device gave itself.
            url: The participant's callback URL; without one, nothing is posted or logged.
            tag: The participant's.

        Returns:
            The webhook, whose `error` says why it will not be posted; None without a URL.
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
                url=url[: LONGEST_URL + 1],
                payload=_payload(event, now, participant_id, device_id, tag),
                error=self._refusal(url),
            )
            self._log.append(webhook)
            if webhook.error is None:
                self._waiting.append(webhook)
                for ring in self._bells:
                    ring()
        self._on_change()
        return webhook

    def take(self) -> Webhook | None:
        """Return the oldest that waits and may go now, which is then under way; None without one.

        Of one participant only one is under way, so that its events arrive in order.
        """
        with self._lock:
            for webhook in self._waiting:
                if webhook.participant_id not in self._under_way:
                    self._waiting.remove(webhook)
                    self._under_way[webhook.participant_id] = webhook
                    return webhook
        return None

    def note_attempt(
        self, webhook: Webhook, *, status: int | None = None, error: str | None = None
    ) -> None:
        """Write down how a post went; it is delivered if there is no error."""
        with self._lock:
            webhook.attempts += 1
            webhook.status, webhook.error, webhook.delivered = status, error, error is None
        self._on_change()

    def finish(self, webhook: Webhook) -> None:
        """Let the participant's next webhook go, as this one is not posted again."""
        with self._lock:
            self._end(webhook)

    def give_back(self, webhook: Webhook) -> None:
        """Let one that was taken wait again, before all others."""
        with self._lock:
            if self._end(webhook):
                self._waiting.appendleft(webhook)

    def clear(self) -> None:
        """Forget all, those that wait included, and start numbers over."""
        with self._lock:
            self._log.clear()
            self._waiting.clear()
            self._under_way.clear()
            self._count = 0
        self._on_change()

    @contextlib.contextmanager
    def ringing(self, ring: Callable[[], object]) -> Generator[None]:
        """Have a function called whenever a webhook begins to wait.

        It is called in any thread and under the lock, so it must neither block nor come back.
        """
        with self._lock:
            self._bells.append(ring)
        try:
            yield
        finally:
            with self._lock:
                self._bells.remove(ring)

    @property
    def count(self) -> int:
        """How many there were since the last reset, those that fell out of the log included."""
        return self._count

    @property
    def waiting(self) -> int:
        """How many are not posted yet, or being posted."""
        with self._lock:
            return len(self._waiting) + len(self._under_way)

    def __iter__(self) -> Iterator[Webhook]:
        with self._lock:
            return iter(tuple(self._log))

    def __len__(self) -> int:
        return len(self._log)

    def __repr__(self) -> str:
        return f"<Webhooks: {self._count} in all, {self.waiting} waiting>"

    def _refusal(self, url: str) -> str | None:
        if len(self._waiting) >= self._most_waiting:
            return f"not sent: {self._most_waiting} others wait already"
        return url_problem(url, allow_any_host=self.allow_any_host)

    def _end(self, webhook: Webhook) -> bool:
        # One from before `clear` is not under way any more.
        if self._under_way.get(webhook.participant_id) is not webhook:
            return False
        del self._under_way[webhook.participant_id]
        return True


def _payload(
    event: WebhookEvent, now: float, participant_id: str, device_id: str, tag: str | None
) -> dict[str, str]:
    return {
        "event": event.value,
        # inferred: text, because the documented example is; milliseconds, in digits.
        "timestamp": str(int(now * 1000)),
        "participantId": participant_id,
        "deviceId": device_id,
        **({} if tag is None else {"tag": tag}),
    }
