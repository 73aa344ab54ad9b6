"""Retries of a failed call, driven by tenacity.

tenacity is entered when the first attempt has failed. Each call makes an `AsyncRetrying` of its
own, because such an object holds the state of one call.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar, cast

from attrs import define, frozen
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential,
    wait_random_exponential,
)
from tenacity.stop import stop_base
from tenacity.wait import wait_base

from webrtc_async._call.retry_policy import RetryPolicy
from webrtc_async._call.retry_quota import RetryQuota
from webrtc_async._protocol.route import Idempotency
from webrtc_async.errors import ApiError, RateLimitedError, WebRtcError

ResultT = TypeVar("ResultT")


async def retry(
    attempt: Callable[[], Awaitable[ResultT]],
    first_failure: WebRtcError,
    *,
    policy: RetryPolicy,
    idempotency: Idempotency,
    quota: RetryQuota,
    time_left: Callable[[], float],
) -> ResultT:
    """Repeat a call whose first attempt failed.

    Args:
        attempt: Makes one attempt.
        first_failure: The failure of the first attempt.
        policy: Says which failures are repeated, and bounds the pauses.
        idempotency: The effect of a request that arrives twice.
        quota: Pays for each repetition.
        time_left: Returns the seconds until the call's deadline.

    Returns:
        The result of the attempt that succeeded.

    Raises:
        WebRtcError: The failure of the last attempt.
    """
    payment = StopWhenQuotaIsSpent(quota)

    async def pause(seconds: float) -> None:
        try:
            await policy.sleep(seconds)
        except BaseException:
            # Nothing is repeated, and another call may have to pay for the same repetition.
            quota.give_back(payment.tokens)
            raise

    retrying = AsyncRetrying(
        retry=retry_if_exception(partial(policy.may_repeat, idempotency)),
        wait=WaitForRetryAfter.by(policy),
        stop=stop_after_attempt(policy.attempts) | StopPastDeadline(time_left) | payment,
        sleep=pause,
        reraise=True,
    )
    failures = [first_failure]

    async def next_attempt() -> ResultT:
        # tenacity's first attempt is the one that has failed, so that it counts all attempts.
        if failures:
            raise failures.pop()
        return await attempt()

    result: ResultT = await retrying(next_attempt)
    quota.give_back(payment.tokens)
    return result


class WaitRandomly(wait_random_exponential):
    """`wait_random_exponential` that draws from the policy's random numbers."""

    def __init__(self, policy: RetryPolicy, first_wait: float) -> None:
        # Without a first wait there is no longest one: tenacity would return it on an overflow.
        longest_wait = policy.longest_wait if first_wait else 0
        super().__init__(multiplier=first_wait, max=longest_wait, exp_base=2.0)
        self.random = policy.random

    def __call__(self, retry_state: RetryCallState) -> float:
        """Return the seconds to wait."""
        return self.random() * wait_exponential.__call__(self, retry_state)


@frozen
class WaitForRetryAfter(wait_base):
    """Waits as long as the service asks for, or else by an exponential strategy.

    Attributes:
        usual: The strategy for failures without Retry-After.
        throttled: The strategy for a 429 without Retry-After.
        spread: Returns the seconds to add to Retry-After.
    """

    usual: wait_base
    throttled: wait_base
    spread: Callable[[], float]

    @classmethod
    def by(cls, policy: RetryPolicy) -> "WaitForRetryAfter":
        """Return the strategy that a policy describes."""
        return cls(
            usual=WaitRandomly(policy, policy.first_wait),
            throttled=WaitRandomly(policy, policy.throttled_wait),
            spread=lambda: policy.random() * policy.first_wait,
        )

    def __call__(self, retry_state: RetryCallState) -> float:
        """Return the seconds to wait."""
        failure = _failure(retry_state)
        if isinstance(failure, ApiError) and failure.retry_after is not None:
            return failure.retry_after + self.spread()
        is_throttled = isinstance(failure, RateLimitedError)
        return (self.throttled if is_throttled else self.usual)(retry_state)


@frozen
class StopPastDeadline(stop_base):
    """Stops when the pause would outlast the call's deadline.

    Attributes:
        time_left: Returns the seconds until the deadline.
    """

    time_left: Callable[[], float]

    def __call__(self, retry_state: RetryCallState) -> bool:
        """Return True if the pause does not fit, and say so in a note of the failure."""
        pause, left = retry_state.upcoming_sleep, self.time_left()
        if pause <= left:
            return False
        _failure(retry_state).add_note(
            f"It was not repeated: the pause of {pause:.1f} s does not fit into the "
            f"{max(left, 0):.1f} s left of the deadline."
        )
        return True


@define
class StopWhenQuotaIsSpent(stop_base):
    """Stops when the quota cannot pay for a repetition; the last strategy, because it takes tokens.

    Attributes:
        quota: Pays for each repetition.
        tokens: The tokens that the last repetition took.
    """

    quota: RetryQuota
    tokens: int = 0

    def __call__(self, retry_state: RetryCallState) -> bool:
        """Return True if the quota is used up, and say so in a note of the failure."""
        failure = _failure(retry_state)
        self.tokens = self.quota.take(failure)
        if not self.tokens:
            failure.add_note(
                "It was not repeated: the client's retry quota is used up, which happens when most "
                "of its requests fail."
            )
        return not self.tokens


def _failure(retry_state: RetryCallState) -> WebRtcError:
    assert retry_state.outcome is not None  # noqa: S101  # a strategy is asked after a failure
    return cast("WebRtcError", retry_state.outcome.exception())
