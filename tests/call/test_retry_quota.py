"""The retry quota: the cost of a retry, and its limit in an outage."""

import math
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.backends import jumping_backends
from support.http_library import httpx
from support.scripted import SESSION, ScriptedTransport, answer, client_of, policy, refusal

from webrtc_async._call.retry_policy import RetryPolicy
from webrtc_async._call.retry_quota import RetryQuota
from webrtc_async.errors import (
    ConfigurationError,
    ConnectionFailedError,
    RateLimitedError,
    ServerError,
    UnknownOutcomeError,
    WebRtcError,
)

LOST = httpx.ReadError("gone")


@pytest.mark.parametrize(
    ("error", "cost"),
    [
        (UnknownOutcomeError("lost"), 14),
        (ConnectionFailedError("refused"), 14),
        (ServerError("503", status=503), 5),
        (RateLimitedError("429", status=429), 5),
    ],
)
def test_the_cost_of_a_retry_depends_on_its_failure(error: WebRtcError, cost: int) -> None:
    """A retry after a lost response costs more than one after an error status."""
    quota = RetryQuota(100)
    assert quota.take(error) == cost
    assert quota.tokens == 100 - cost


@given(
    capacity=st.integers(0, 100) | st.just(math.inf),
    steps=st.lists(st.sampled_from(["lost", "refused", "success"]), max_size=100),
)
def test_the_bucket_stays_within_its_bounds(capacity: float, steps: list[str]) -> None:
    """The tokens always stay between 0 and the capacity."""
    quota = RetryQuota(capacity)
    for step in steps:
        before = quota.tokens
        if step == "success":
            quota.give_back()
        else:
            failed: Any = {"lost": UnknownOutcomeError, "refused": ServerError}[step]
            assert quota.take(failed("failed")) in ({0} if before < 5 else {0, 5, 14})
        assert 0 <= quota.tokens <= capacity


@pytest.mark.parametrize("capacity", [-1, math.nan, "500", None, True])
def test_an_invalid_capacity_is_refused(capacity: Any) -> None:
    """A capacity is a number of at least 0."""
    with pytest.raises(ConfigurationError, match="capacity"):
        RetryQuota(capacity)


@pytest.mark.anyio
async def test_a_success_returns_the_cost_of_its_last_retry() -> None:
    """A success returns the cost of its last retry; a success without a retry returns 1."""
    quota = RetryQuota()
    async with client_of(LOST, refusal(503), answer(200, SESSION), retry_quota=quota) as client:
        await client.get_session("s-1")
        assert quota.tokens == 500 - 14
        await client.get_session("s-1")
        assert quota.tokens == 500 - 13


@pytest.mark.anyio
async def test_a_cancelled_pause_returns_its_cost() -> None:
    """A retry that is cancelled before it is sent costs nothing."""
    quota, seen = RetryQuota(), list[float]()

    async def sleep(_: float) -> None:
        seen.append(quota.tokens)
        scope.cancel()
        await anyio.sleep_forever()

    async with client_of(refusal(503), retry=policy(sleep=sleep), retry_quota=quota) as client:
        with anyio.CancelScope() as scope:
            await client.get_session("s-1")
    assert (seen, quota.tokens) == ([495], 500)


@pytest.mark.anyio
async def test_an_empty_quota_raises_the_failure_itself() -> None:
    """Without tokens a failure is raised at once, with a note that gives the reason."""
    async with client_of(refusal(503), retry_quota=RetryQuota(9)) as client:
        with pytest.raises(ServerError) as caught:
            await client.get_session("s-1")
        assert caught.value.attempts == 2
        assert "retry quota is used up" in caught.value.__notes__[0]
        with pytest.raises(ServerError) as caught:
            await client.with_options(deadline=5).get_session("s-1")
        assert caught.value.attempts == 1


@pytest.mark.anyio
async def test_clients_may_share_a_quota() -> None:
    """Clients of one service may share one limit."""
    quota = RetryQuota(10)
    for _ in range(2):
        async with client_of(refusal(503), retry_quota=quota, retry=policy(attempts=2)) as client:
            with pytest.raises(ServerError):
                await client.get_session("s-1")
    assert quota.tokens == 0


class Storm:
    """A service that responds 503 until its storm is over, and counts the requests in it."""

    def __init__(self, ends: float) -> None:
        self.ends = ends
        self.requests = 0
        self.transport = ScriptedTransport(self.answer)

    async def answer(self, _: object) -> httpx.Response:
        await anyio.sleep(0.05)
        if anyio.current_time() < self.ends:
            self.requests += 1
            return refusal(503)
        return answer(200, SESSION)


@jumping_backends()
@pytest.mark.anyio
@pytest.mark.parametrize("between", [30.0, 50.0])
async def test_a_storm_is_not_sent_three_times(between: float) -> None:
    """In a minute of 503, 500 callers send at most 1.3 requests a call, and recover in 2 s.

    Each caller begins a call every 30 or 50 seconds; with 50 most make one in the minute.
    """
    began = anyio.current_time()
    storm = Storm(ends=began + 60)
    calls, last_failure = 0, began
    chosen = RetryPolicy(attempt_timeout=None)

    async def caller(number: int) -> None:
        nonlocal calls, last_failure
        # Spread over the interval, as callers are.
        await anyio.sleep(between * number / 500)
        while (now := anyio.current_time()) < began + 60 + between:
            calls += now < storm.ends
            try:
                await client.get_session("s-1")
            except ServerError:
                last_failure = max(last_failure, anyio.current_time())
            await anyio.sleep(max(0.0, now + between - anyio.current_time()))

    async with client_of(transport=storm.transport, retry=chosen, max_connections=500) as client:
        async with anyio.create_task_group() as tasks:
            for number in range(500):
                tasks.start_soon(caller, number)
        assert calls >= 500
        assert storm.requests <= 1.3 * calls
        assert last_failure < storm.ends + 2
