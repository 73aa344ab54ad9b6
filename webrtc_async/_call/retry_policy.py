"""`RetryPolicy`: which failures are repeated, how often, and the bounds of each pause."""

import random
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal

import anyio
from attrs import field, frozen

from webrtc_async._config.validation import check_count, check_seconds
from webrtc_async._protocol.route import Idempotency, Route
from webrtc_async.errors import (
    ApiError,
    ConfigurationError,
    DeadlineExceededError,
    TlsError,
    TransportError,
)
from webrtc_async.errors.outcome import Outcome

TRANSIENT: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which an idempotent request is repeated."""

CREATE_TRANSIENT: Final = frozenset({429, 502, 503, 504})
"""Statuses after which a create is repeated: a gateway responded, without reaching the service."""


_LONGEST_ATTEMPT: Final = 10.0
"""Most seconds of an attempt, however long the deadline is."""


def _random() -> float:
    return random.random()  # noqa: S311  # spreads callers out; no secret depends on it


@frozen(kw_only=True)
class RetryPolicy:
    """A policy for repeating failed attempts of a call.

    The pause before the nth repetition is random between 0 and
    `min(longest_wait, first_wait * 2 ** (n - 1))` seconds. If the response has Retry-After, the
    pause is that long plus a random part of first_wait. A pause that would outlast the call's
    deadline does not start: the failure is raised at once.

    Attributes:
        attempts: Most attempts of one call, the first included; 1 turns retries off.
        first_wait: Upper bound of the first pause, in seconds.
        throttled_wait: Replaces first_wait after a 429 without Retry-After.
        longest_wait: Upper bound of every random pause, in seconds; Retry-After may exceed it.
        attempt_timeout: Seconds for one attempt once it has a slot, if another attempt could
            follow: a slower attempt counts as lost and is repeated. The last attempt, and an
            attempt that is not repeated when its response is lost, such as a create, may use the
            whole deadline; but connecting never takes longer than this. "auto" is half of the
            deadline, at most 10 s; None sets no such limit.
        creates: When a create is repeated, at the risk of a second resource: "never"; "answered",
            after a received 429, 502, 503 or 504 and when no byte was sent; "always", also after a
            lost response or a 500, like any other operation.
        sleep: Pauses for a number of seconds; for tests.
        random: Returns a number from 0 to 1; for tests.

    Raises:
        ConfigurationError: A number is out of its range, or creates is none of the three.
    """

    attempts: int = 3
    first_wait: float = 0.1
    throttled_wait: float = 1.0
    longest_wait: float = 8.0
    attempt_timeout: float | Literal["auto"] | None = "auto"
    creates: Literal["never", "answered", "always"] = "answered"
    sleep: Callable[[float], Awaitable[None]] = field(default=anyio.sleep, repr=False)
    random: Callable[[], float] = field(default=_random, repr=False)

    def __attrs_post_init__(self) -> None:
        check_count("RetryPolicy.attempts", self.attempts)
        for name in ("first_wait", "throttled_wait", "longest_wait"):
            check_seconds(f"RetryPolicy.{name}", getattr(self, name), from_zero=True)
        if self.attempt_timeout not in ("auto", None):
            check_seconds("RetryPolicy.attempt_timeout", self.attempt_timeout)
        if self.creates not in ("never", "answered", "always"):
            raise ConfigurationError('RetryPolicy.creates must be "never", "answered" or "always".')
        for name in ("sleep", "random"):
            if not callable(getattr(self, name)):
                raise ConfigurationError(f"RetryPolicy.{name} must be callable.")

    def may_repeat(self, idempotency: Idempotency, error: BaseException) -> bool:
        """Return True if a request that failed with this error may be sent again."""
        if self.attempts == 1:
            return False
        match error:
            case TlsError() | DeadlineExceededError():
                return False
            case TransportError():
                is_gateway_response = False
            case ApiError(status=status) if status in TRANSIENT:
                is_gateway_response = status in CREATE_TRANSIENT
            case _:
                return False
        if idempotency is not Idempotency.CREATE or self.creates == "always":
            return True
        not_created = is_gateway_response or error.outcome is Outcome.NOT_SENT
        return self.creates == "answered" and not_created

    def timeout_within(self, deadline: float) -> float | None:
        """Return the `attempt_timeout` of a call with a deadline."""
        if self.attempt_timeout == "auto":
            return min(deadline / 2, _LONGEST_ATTEMPT)
        return self.attempt_timeout

    def timeout_of_attempt(
        self, route: Route[Any, Any], attempt: int, deadline: float
    ) -> float | None:
        """Return the timeout of an attempt, counted from 1; None if only the deadline ends it."""
        repeats_lost = not route.creates or self.creates == "always"
        is_followed = repeats_lost and attempt < self.attempts
        return self.timeout_within(deadline) if is_followed else None
