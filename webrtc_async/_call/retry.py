"""When a failed call is repeated, and after which pause; the only module that imports tenacity.

tenacity is entered only after a first attempt has failed, and with an object of the call's own: one
object keeps the decisions of one call, so sharing it would mix up concurrent calls.
"""

import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, cast

import anyio
from attrs import field, frozen

from webrtc_async._call.retry_quota import RetryQuota
from webrtc_async._config.validation import check_count, check_seconds
from webrtc_async._protocol.route import Idempotency, Route
from webrtc_async.errors import (
    ApiError,
    ConfigurationError,
    DeadlineExceededError,
    RateLimitedError,
    TlsError,
    TransportError,
    WebRtcError,
)
from webrtc_async.errors.outcome import Outcome

if TYPE_CHECKING:
    from tenacity import RetryCallState

ResultT = TypeVar("ResultT")

TRANSIENT: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers after which a request that may arrive twice is sent again."""

CREATE_TRANSIENT: Final = frozenset({429, 502, 503, 504})
"""Answers after which a create is sent again: a gateway's, for a service it did not reach."""


def _random() -> float:
    return random.random()  # noqa: S311  # spreads callers out; nothing is kept secret by it


@frozen(kw_only=True)
class RetryPolicy:
    """What is repeated, how often, and after which pause.

    The pause before the nth repetition is random between 0 and
    `min(longest_wait, first_wait * 2 ** (n - 1))` seconds. Where the service says Retry-After, the
    pause is that long plus a random part of first_wait. A pause that would outlast the call's
    deadline is not begun: the failure is raised at once.

    Attributes:
        attempts: Most attempts of one call, the first included; 1 turns repeating off.
        first_wait: Seconds, see above.
        throttled_wait: Takes the place of first_wait after a 429 that does not say Retry-After.
        longest_wait: Seconds; bounds the random pause, not what the service asks for.
        attempt_timeout: Seconds that an attempt may take once it has a connection's place, where
            another attempt could follow: a longer one counts as lost and is repeated. The last
            attempt, and one whose lost answer is not repeated, as a create's, has the whole
            deadline; but connecting may never take longer. None leaves it to the deadline alone.
        creates: When a create is repeated, which could create a second thing: "never"; "answered",
            after a received 429, 502, 503 or 504 and when no byte of it was sent; "always", also
            after a lost answer or a 500, like any other operation.
        sleep: Pauses for seconds; for tests.
        random: Returns a number from 0 to 1; for tests.

    Raises:
        ConfigurationError: A number is out of its range, or creates is none of the three.
    """

    attempts: int = 3
    first_wait: float = 0.1
    throttled_wait: float = 1.0
    longest_wait: float = 8.0
    attempt_timeout: float | None = 10.0
    creates: Literal["never", "answered", "always"] = "answered"
    sleep: Callable[[float], Awaitable[None]] = field(default=anyio.sleep, repr=False)
    random: Callable[[], float] = field(default=_random, repr=False)

    def __attrs_post_init__(self) -> None:
        check_count("RetryPolicy.attempts", self.attempts)
        for name in ("first_wait", "throttled_wait", "longest_wait"):
            check_seconds(f"RetryPolicy.{name}", getattr(self, name), from_zero=True)
        if self.attempt_timeout is not None:
            check_seconds("RetryPolicy.attempt_timeout", self.attempt_timeout)
        if self.creates not in ("never", "answered", "always"):
            raise ConfigurationError('RetryPolicy.creates is "never", "answered" or "always".')
        for name in ("sleep", "random"):
            if not callable(getattr(self, name)):
                raise ConfigurationError(f"RetryPolicy.{name} must be callable.")

    def may_repeat(self, idempotency: Idempotency, error: BaseException) -> bool:
        """Return whether a request that failed so may be sent again, attempts aside."""
        match error:
            case TlsError() | DeadlineExceededError():
                return False
            case TransportError():
                gateway_spoke = False
            case ApiError(status=status) if status in TRANSIENT:
                gateway_spoke = status in CREATE_TRANSIENT
            case _:
                return False
        if idempotency is not Idempotency.CREATE or self.creates == "always":
            return True
        return self.creates == "answered" and (gateway_spoke or error.outcome is Outcome.NOT_SENT)

    def longest_attempt(self, route: Route[Any, Any], attempt: int) -> float | None:
        """Return the seconds that an attempt may take, the first being 1; None for no bound."""
        repeats_lost = not route.creates or self.creates == "always"
        return self.attempt_timeout if repeats_lost and attempt < self.attempts else None

    def pause(self, failures: int, error: BaseException | None) -> float:
        """Return the seconds to wait after this many failures, of which error is the last."""
        if isinstance(error, ApiError) and error.retry_after is not None:
            return error.retry_after + self.random() * self.first_wait
        base = self.throttled_wait if isinstance(error, RateLimitedError) else self.first_wait
        # The exponent is bounded because 2.0 ** 1024 overflows.
        return self.random() * min(self.longest_wait, base * 2.0 ** min(failures - 1, 60))


async def call_with_repeats(
    attempt: Callable[[], Awaitable[ResultT]],
    *,
    policy: RetryPolicy,
    idempotency: Idempotency,
    quota: RetryQuota,
    time_left: Callable[[], float],
) -> ResultT:
    """Return what an attempt returns, repeating it as the policy allows.

    Args:
        attempt: Makes one attempt.
        policy: What may be repeated, and after which pause.
        idempotency: What happens when the request arrives twice.
        quota: What repetitions are paid from.
        time_left: Returns the seconds left of the call's deadline.

    Raises:
        WebRtcError: The last failure, when it may not be repeated.
    """
    try:
        result = await attempt()
    except WebRtcError as error:
        if policy.attempts == 1 or not policy.may_repeat(idempotency, error):
            raise
        failures: list[BaseException] = [error]  # see _repeat
    else:
        quota.give_back()
        return result
    return await _repeat(attempt, failures, policy, idempotency, quota, time_left)


async def _repeat(
    attempt: Callable[[], Awaitable[ResultT]],
    failures: list[BaseException],
    policy: RetryPolicy,
    idempotency: Idempotency,
    quota: RetryQuota,
    time_left: Callable[[], float],
) -> ResultT:
    """Go on after a failure, which stands in a list as long as it is the last.

    tenacity sees no failure. An exception holds the frames that it came through, and from Python
    3.12 on those hold their callers: one that any of them holds is a cycle, which only the garbage
    collector ends. Nor is a cancellation tenacity's to look at.
    """
    # Loaded by the first repetition: most programs never need one.
    from tenacity import AsyncRetrying, retry_if_result

    taken = attempts = 0

    async def attempt_again() -> ResultT | None:
        # The failure already seen is tenacity's first attempt, so that its counts are the call's.
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            return None
        failures.clear()
        try:
            return await attempt()
        except BaseException as error:
            failures.append(error)
            return None

    def may_follow(_: object) -> bool:
        return bool(failures) and policy.may_repeat(idempotency, failures[0])

    def pause(state: "RetryCallState") -> float:
        return policy.pause(state.attempt_number, failures[0])

    def is_over(state: "RetryCallState") -> bool:
        nonlocal taken
        if state.attempt_number >= policy.attempts:
            return True
        left = time_left()
        if state.upcoming_sleep > left:
            failures[0].add_note(
                f"It was not repeated: the pause of {state.upcoming_sleep:.1f} s does not fit into "
                f"the {max(left, 0):.1f} s left of the deadline."
            )
            return True
        # Last, because only what is repeated is paid for.
        taken = quota.take(failures[0])
        if not taken:
            failures[0].add_note(
                "It was not repeated: the client's retry quota is used up, as happens when most of "
                "what it sends fails."
            )
        return not taken

    retrying = AsyncRetrying(
        retry=retry_if_result(may_follow),
        wait=pause,
        stop=is_over,
        sleep=policy.sleep,
        retry_error_callback=lambda _: None,
    )
    try:
        result: ResultT | None = await retrying(attempt_again)
        if failures:
            raise failures[0]
    finally:
        failures.clear()
        retrying.iter_state.reset()  # it holds methods of the object that holds it
    quota.give_back(taken)
    return cast("ResultT", result)
