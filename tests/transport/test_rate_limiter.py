"""Rate limits: the order of waiting requests, their delay, and their errors."""

import math
import threading
import time
from collections.abc import Callable

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import given
from hypothesis import strategies as st
from support.backends import jumping_backends
from support.http_library import httpx
from support.scripted import SESSION, Recorder, ScriptedTransport, answer, client_of, hang, policy

from webrtc_async import AsyncWebRtcClient, LocalRateLimiter, RateLimiterError
from webrtc_async._auth.oauth2 import OAuth2ClientCredentials
from webrtc_async.errors import (
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    DeadlineExceededError,
)
from webrtc_async.errors.outcome import Outcome, Stage

pytestmark = pytest.mark.anyio


def limiter(amount: int, per: float = 1.0) -> LocalRateLimiter:
    """Return a limiter on the event loop's clock, which may jump."""
    return LocalRateLimiter(amount, per=per, clock=anyio.current_time)


class Counting:
    """A limiter that grants every request and counts them."""

    def __init__(self) -> None:
        self.permits = 0

    async def acquire(self) -> None:
        await checkpoint()
        self.permits += 1


class Failing:
    """A limiter that raises an exception."""

    def __init__(self, failure: Exception) -> None:
        self.failure = failure

    async def acquire(self) -> None:
        raise self.failure


class Gate:
    """A limiter that blocks every request until it is opened."""

    def __init__(self) -> None:
        self.opening = anyio.Event()

    async def acquire(self) -> None:
        await self.opening.wait()


async def run_out_of_time(client: AsyncWebRtcClient, stages: list[Stage]) -> None:
    """Make a call whose deadline passes, and record its stage."""
    with pytest.raises(DeadlineExceededError) as caught:
        await client.get_session("s-1")
    stages.append(caught.value.stage)


async def times_of(take: Callable[[], object], count: int) -> list[float]:
    """Return the time of each task's permit, in the order of the permits."""
    began, times = anyio.current_time(), list[float]()

    async def one() -> None:
        await take()  # type: ignore[misc]
        times.append(round(anyio.current_time() - began, 3))

    async with anyio.create_task_group() as tasks:
        for _ in range(count):
            tasks.start_soon(one)
    return times


# The local limiter


@jumping_backends()
async def test_a_period_has_at_most_its_permits() -> None:
    """Of many requests, three are sent per two seconds."""
    assert await times_of(limiter(3, per=2).acquire, 8) == pytest.approx(
        [0, 0, 0, 2, 2, 2, 4, 4], abs=0.1
    )


@given(
    amount=st.integers(1, 5),
    gaps=st.lists(st.integers(0, 30), min_size=1, max_size=40),
)
def test_no_request_waits_longer_than_needed(amount: int, gaps: list[int]) -> None:
    """Each request waits at most until one period after the nth request before it."""
    now, period = 0, 10

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += round(seconds)

    async def go() -> list[int]:
        nonlocal now
        local = LocalRateLimiter(amount, per=period, clock=lambda: now, sleep=sleep)
        gone = []
        for gap in gaps:
            now += gap
            came = now
            await local.acquire()
            earliest = gone[-amount] + period if len(gone) >= amount else 0
            assert now == max(came, earliest)
            gone.append(now)
        return gone

    gone = anyio.run(go)
    assert all(later - gone[i] >= period for i, later in enumerate(gone[amount:]))


async def test_lateness_does_not_add_up() -> None:
    """A late wake-up delays its own request, and not all later ones."""
    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds + 0.25

    local = LocalRateLimiter(1, per=1, clock=lambda: now, sleep=sleep)
    gone = []
    for _ in range(50):
        await local.acquire()
        gone.append(now)
    assert gone == [0.0, *(number + 0.25 for number in range(1, 50))]


@jumping_backends()
async def test_permits_follow_arrival_and_cancelled_waiters_take_none() -> None:
    """Permits follow the order of arrival; a cancelled waiter uses none."""
    local, order = limiter(1), list[int]()
    scopes = [anyio.CancelScope() for _ in range(6)]

    async def one(number: int) -> None:
        with scopes[number]:
            await local.acquire()
            order.append(number)

    began = anyio.current_time()
    async with anyio.create_task_group() as tasks:
        for number in range(6):
            tasks.start_soon(one, number)
            await anyio.wait_all_tasks_blocked()
        scopes[1].cancel()  # the one who sleeps until its turn
        scopes[3].cancel()
    assert order == [0, 2, 4, 5]
    assert anyio.current_time() - began == pytest.approx(3, abs=0.1)


def test_event_loops_may_share_one() -> None:
    """Event loops in several threads stay within one limit together."""
    local = LocalRateLimiter(3, per=0.05)

    async def several() -> None:
        for _ in range(6):
            await local.acquire()

    began = time.monotonic()
    threads = [
        threading.Thread(target=anyio.run, args=(several,), kwargs={"backend": backend})
        for backend in ("asyncio", "trio")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began >= 3 * 0.05


@pytest.mark.parametrize("amount", [0, -1, 1.5, True, "5"])
def test_an_invalid_amount_is_refused(amount: object) -> None:
    """The error names an amount that is not a whole number of at least 1."""
    with pytest.raises(ConfigurationError, match=r"LocalRateLimiter\.amount"):
        LocalRateLimiter(amount)  # type: ignore[arg-type]


@pytest.mark.parametrize("per", [0, -1, math.nan, "1"])
def test_an_invalid_period_is_refused(per: object) -> None:
    """The error names a period that is not a time above 0."""
    with pytest.raises(ConfigurationError, match=r"LocalRateLimiter\.per"):
        LocalRateLimiter(1, per=per)  # type: ignore[arg-type]


# In a client


async def test_every_attempt_takes_a_permit() -> None:
    """A call of three attempts takes three permits; the client's views share the limit."""
    counting = Counting()
    steps = [answer(503), httpx.ReadError("gone"), answer(200, SESSION)]
    async with client_of(*steps, rate_limiter=counting) as client:
        await client.get_session("s-1")
        assert counting.permits == client.requests_sent == 3
        await client.with_options(deadline=5).create_session()
        assert counting.permits == client.requests_sent == 4


async def test_fetching_a_token_takes_none() -> None:
    """A token request takes no permit, because the limit is the API's."""
    counting = Counting()
    token = answer(200, {"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})
    auth = OAuth2ClientCredentials("id", "secret")
    async with client_of(token, answer(200, SESSION), auth=auth, rate_limiter=counting) as client:
        await client.get_session("s-1")
        assert client.requests_sent == 2
    assert counting.permits == 1


@jumping_backends()
async def test_clients_may_share_a_limit() -> None:
    """Two clients with one limiter stay within it together."""
    shared = limiter(2)
    one, other = (client_of(answer(200, SESSION), rate_limiter=shared) for _ in range(2))
    async with one, other:
        clients = [one, other] * 3

        async def call() -> None:
            await clients.pop().get_session("s-1")

        assert await times_of(call, 6) == pytest.approx([0, 0, 1, 1, 2, 2], abs=0.1)


@jumping_backends()
async def test_the_deadline_covers_the_wait() -> None:
    """A call that waits for a permit until its deadline fails, with nothing sent."""
    transport = ScriptedTransport()
    slow = limiter(1, per=100)
    async with client_of(transport=transport, rate_limiter=slow, max_connections=1) as client:
        await client.get_session("s-1")
        began = anyio.current_time()
        with pytest.raises(DeadlineExceededError, match="its turn under the rate limit") as caught:
            await client.with_options(deadline=7).create_session()
        assert anyio.current_time() - began == pytest.approx(7, abs=0.1)
        assert (caught.value.stage, caught.value.outcome) == (Stage.THROTTLED, Outcome.NOT_SENT)
        assert caught.value.orphan is None
        assert len(transport.requests) == 1
        # Another call gets its turn and its slot in the pool.
        await client.with_options(deadline=math.inf).get_session("s-1")
        assert anyio.current_time() - began == pytest.approx(100, abs=0.1)


@jumping_backends()
@pytest.mark.parametrize("deadlines", [(9, 9, 7, 7), (7, 7, 7, 7)])
async def test_a_call_behind_calls_without_a_permit_waits_for_the_limit(
    deadlines: tuple[float, ...],
) -> None:
    """If all slots are held by calls without a permit, a queued call reports the rate limit.

    Its deadline may pass before theirs or in the same turn of the loop.
    """
    stages = list[Stage]()
    async with (
        client_of(rate_limiter=Gate(), max_connections=2) as client,
        anyio.create_task_group() as tasks,
    ):
        for deadline in deadlines:
            tasks.start_soon(run_out_of_time, client.with_options(deadline=deadline), stages)
    assert stages == [Stage.THROTTLED] * 4


@jumping_backends()
async def test_a_call_behind_calls_in_flight_waits_for_a_connection() -> None:
    """If all slots are held by calls with a permit, a queued call reports a missing connection.

    The same holds if those calls got their permits after it joined the queue.
    """
    gate, stages = Gate(), list[Stage]()
    patient = policy(attempt_timeout=None)
    async with (
        client_of(hang, rate_limiter=gate, max_connections=2, retry=patient) as client,
        anyio.create_task_group() as tasks,
    ):
        for deadline in (9, 9, 7):
            tasks.start_soon(run_out_of_time, client.with_options(deadline=deadline), stages)
            await anyio.wait_all_tasks_blocked()
        gate.opening.set()
    assert stages == [Stage.QUEUED, Stage.CONNECTING, Stage.CONNECTING]


@jumping_backends()
async def test_closing_the_client_ends_the_wait() -> None:
    """A call that waits for a permit when close_grace expires fails, with nothing sent."""
    slow = limiter(1, per=1000)
    client = client_of(answer(200, SESSION), rate_limiter=slow, deadline=math.inf, close_grace=1)
    await client.get_session("s-1")

    async def call() -> None:
        with pytest.raises(ClientClosedError, match="rate limit") as caught:
            await client.create_session()
        assert caught.value.outcome is Outcome.NOT_SENT

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        await client.aclose()


async def test_a_failing_limiter_is_retried_as_not_sent() -> None:
    """A limiter's exception becomes our error with nothing sent, and the call is retried."""
    recorder, broken = Recorder(), ValueError("secret")
    async with client_of(rate_limiter=Failing(broken), retry=policy(recorder)) as client:
        with pytest.raises(RateLimiterError, match=r"rate limiter failed \(ValueError") as caught:
            await client.create_session()
        assert client.requests_sent == 0
    error = caught.value
    assert isinstance(error, ConnectionFailedError)
    assert (error.outcome, error.attempts, len(recorder.pauses)) == (Outcome.NOT_SENT, 3, 2)
    assert error.__cause__ is broken
    assert "secret" not in str(error)


async def test_an_error_of_ours_is_raised_as_it_is() -> None:
    """If a limiter raises one of our errors, that error decides if the call is retried."""
    refused = ConfigurationError("no limit is known for this account.")
    async with client_of(rate_limiter=Failing(refused)) as client:
        with pytest.raises(ConfigurationError, match="no limit is known") as caught:
            await client.create_session()
    assert caught.value is refused
    assert caught.value.attempts == 1


def test_an_object_without_acquire_is_refused() -> None:
    """An object without `acquire` is refused when the client is made."""
    with pytest.raises(ConfigurationError, match=r"rate_limiter must be an instance of .*Limiter"):
        client_of(rate_limiter=5)
