"""Retries: the repeated failures, the pauses between attempts, and the end."""

import asyncio
import math
import random as stdlib_random
from collections.abc import Callable
from itertools import product
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.backends import jumping_backends
from support.scripted import SESSION, Recorder, answer, client_of, policy
from tenacity import AsyncRetrying, RetryCallState

from webrtc_async._call.retry import WaitForRetryAfter, retry
from webrtc_async._call.retry_policy import RetryPolicy
from webrtc_async._call.retry_quota import RetryQuota
from webrtc_async._protocol.route import Idempotency
from webrtc_async._protocol.wire import error_for_status
from webrtc_async.errors import (
    ApiError,
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    DeadlineExceededError,
    InvalidArgumentError,
    ServerError,
    TlsError,
    UnexpectedResponseError,
    UnknownOutcomeError,
    WebRtcError,
)
from webrtc_async.errors.outcome import Outcome
from webrtc_async.route_table import CREATE_SESSION, GET_SESSION


def refused(status: int, **attributes: Any) -> ApiError:
    """Return the error of a status."""
    return error_for_status(status)("refused", status=status, **attributes)


FAILURES: dict[str, Callable[[], BaseException]] = {
    "not sent": lambda: ConnectionFailedError("no connection"),
    "lost": lambda: UnknownOutcomeError("lost"),
    "lost after the head": lambda: UnknownOutcomeError("lost", outcome=Outcome.ANSWERED),
    "tls": lambda: TlsError("refused"),
    "deadline": lambda: DeadlineExceededError("late", outcome=Outcome.NOT_SENT),
    "unexpected": lambda: UnexpectedResponseError("misfit", status=200),
    "configuration": lambda: ConfigurationError("wrong"),
    "argument": lambda: InvalidArgumentError("wrong"),
    "closed": lambda: ClientClosedError("closed"),
    "cancelled": asyncio.CancelledError,
    "foreign": lambda: ValueError("foreign"),
    "503 for the token": lambda: refused(503, outcome=Outcome.NOT_SENT),
    "500 for the token": lambda: refused(500, outcome=Outcome.NOT_SENT),
    **{
        str(status): lambda status=status: refused(status)
        for status in (302, 400, 401, 403, 404, 408, 409, 418, 425, 429, 500, 501, 502, 503, 504)
    },
}
REPEATED = {
    "not sent", "lost", "lost after the head", "503 for the token", "500 for the token",
    "408", "425", "429", "500", "502", "503", "504",
}  # fmt: skip
REPEATED_CREATES = {
    "never": set[str](),
    "answered": {
        "not sent", "503 for the token", "500 for the token", "429", "502", "503", "504",
    },
    "always": REPEATED,
}  # fmt: skip
TABLE = [
    (
        idempotency,
        creates,
        failure,
        failure in (REPEATED_CREATES[creates] if idempotency is Idempotency.CREATE else REPEATED),
    )
    for idempotency, creates, failure in product(Idempotency, REPEATED_CREATES, FAILURES)
]


@pytest.mark.parametrize(
    ("idempotency", "creates", "failure", "expected"),
    [pytest.param(*row, id=f"{row[0].name}-{row[1]}-{row[2]}") for row in TABLE],
)
def test_the_repeated_failures(
    idempotency: Idempotency, creates: Any, failure: str, expected: bool
) -> None:
    """Each kind of request is repeated after exactly the failures in its row."""
    assert RetryPolicy(creates=creates).may_repeat(idempotency, FAILURES[failure]()) is expected


def pause(chosen: RetryPolicy, failures: int, error: WebRtcError) -> float:
    """Return the seconds of the wait strategy after this number of failures."""
    state = RetryCallState(AsyncRetrying(), None, (), {})
    state.attempt_number = failures
    state.set_exception((type(error), error, None))
    return WaitForRetryAfter.by(chosen)(state)


LOST = UnknownOutcomeError("lost")


@pytest.mark.parametrize("drawn", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    ("failures", "longest"), [(1, 0.1), (2, 0.2), (3, 0.4), (7, 6.4), (8, 8.0), (9, 8.0)]
)
def test_a_pause_is_random_below_a_doubling_bound(
    failures: int, longest: float, drawn: float
) -> None:
    """The pause is a random part of a bound that doubles up to longest_wait."""
    chosen = policy(random=lambda: drawn)
    assert pause(chosen, failures, LOST) == pytest.approx(drawn * longest)


def test_a_429_pauses_longer() -> None:
    """After a 429 without Retry-After, throttled_wait replaces first_wait."""
    chosen = policy(random=lambda: 1.0, throttled_wait=3.0)
    assert pause(chosen, 1, refused(429)) == 3.0
    assert pause(chosen, 2, refused(429)) == 6.0
    assert pause(chosen, 3, refused(429)) == 8.0


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("drawn", "expected"), [(0.0, 40.0), (1.0, 40.1)])
def test_retry_after_is_kept_and_spread(status: int, drawn: float, expected: float) -> None:
    """The pause is Retry-After plus a random part of first_wait, never less."""
    chosen = policy(random=lambda: drawn)
    assert pause(chosen, 1, refused(status, retry_after=40.0)) == pytest.approx(expected)


def test_retry_after_zero_is_kept() -> None:
    """A Retry-After of 0 seconds counts as one."""
    assert pause(policy(random=lambda: 0.0), 5, refused(429, retry_after=0.0)) == 0.0


@pytest.mark.parametrize("failures", [61, 1024, 10**6, 10**30])
def test_a_huge_count_does_not_overflow(failures: int) -> None:
    """After many failures the pause stays at longest_wait, or at 0 if first_wait is 0."""
    assert pause(policy(random=lambda: 1.0), failures, LOST) == 8.0
    assert pause(policy(random=lambda: 1.0, first_wait=0), failures, LOST) == 0.0


@given(
    failures=st.integers(1, 10**6),
    first=st.floats(0, 1e6),
    longest=st.floats(0, 1e6),
    drawn=st.floats(0, 1),
)
def test_no_pause_leaves_its_bounds(
    failures: int, first: float, longest: float, drawn: float
) -> None:
    """For any settings the pause is finite and from 0 to longest_wait."""
    chosen = RetryPolicy(first_wait=first, longest_wait=longest, random=lambda: drawn)
    assert 0 <= pause(chosen, failures, LOST) <= longest


def test_the_usual_random_number_is_from_0_to_1() -> None:
    """Without an injected source, pauses differ and stay below their bound."""
    stdlib_random.seed(1)
    pauses = {pause(RetryPolicy(), 1, LOST) for _ in range(50)}
    assert len(pauses) > 40
    assert all(0 <= each <= 0.1 for each in pauses)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"attempts": 0}, "attempts"),
        ({"attempts": -1}, "attempts"),
        ({"first_wait": -0.1}, "first_wait"),
        ({"throttled_wait": -1}, "throttled_wait"),
        ({"longest_wait": -1}, "longest_wait"),
        ({"first_wait": math.nan}, "first_wait"),
        ({"throttled_wait": math.nan}, "throttled_wait"),
        ({"longest_wait": math.nan}, "longest_wait"),
        ({"attempt_timeout": 0}, "attempt_timeout"),
        ({"attempt_timeout": -1}, "attempt_timeout"),
        ({"attempt_timeout": math.nan}, "attempt_timeout"),
        ({"attempt_timeout": "10"}, "attempt_timeout"),
        ({"creates": "sometimes"}, "creates"),
        ({"creates": True}, "creates"),
        ({"creates": []}, "creates"),
        ({"attempts": 2.5}, "attempts"),
        ({"first_wait": "1"}, "first_wait"),
        ({"attempt_timeout": 1e300}, "attempt_timeout"),
        ({"sleep": 1}, "sleep"),
        ({"random": 0.5}, "random"),
    ],
)
def test_an_invalid_policy_is_refused(settings: Any, said: str) -> None:
    """The error names a number out of its range."""
    with pytest.raises(ConfigurationError, match=said):
        RetryPolicy(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"attempts": 1},
        {"first_wait": 0, "throttled_wait": 0, "longest_wait": 0},
        {"attempt_timeout": None},
        {"attempt_timeout": "auto"},
        {"attempt_timeout": math.inf},
    ],
)
def test_the_edges_of_a_policy_are_allowed(settings: Any) -> None:
    """The smallest and the unbounded values are allowed."""
    RetryPolicy(**settings)


@pytest.mark.parametrize(
    ("settings", "deadline", "seconds"),
    [
        ({}, 5, 2.5),
        ({}, 30, 10),
        ({}, 600, 10),
        ({}, math.inf, 10),
        ({"attempt_timeout": 4}, 5, 4),
        ({"attempt_timeout": None}, 5, None),
    ],
)
def test_an_attempt_leaves_time_for_others(
    settings: Any, deadline: float, seconds: float | None
) -> None:
    """By default an attempt takes half of the deadline, at most 10 s."""
    chosen = RetryPolicy(**settings)
    assert chosen.timeout_within(deadline) == seconds
    assert chosen.timeout_of_attempt(GET_SESSION, 1, deadline) == seconds
    assert chosen.timeout_of_attempt(GET_SESSION, 3, deadline) is None
    assert chosen.timeout_of_attempt(CREATE_SESSION, 1, deadline) is None


def test_a_policy_is_a_value() -> None:
    """Policies with equal settings are equal and hashable, and the repr shows no function."""
    assert RetryPolicy() == RetryPolicy()
    assert len({RetryPolicy(), RetryPolicy(), RetryPolicy(attempts=2)}) == 2
    assert "sleep" not in repr(RetryPolicy())


class Attempts:
    """Scripted attempts; the first has failed before the test begins."""

    def __init__(self, *steps: object) -> None:
        self.steps = list(steps)
        self.count = 1

    async def __call__(self) -> object:
        await anyio.lowlevel.checkpoint()
        self.count += 1
        step = self.steps[self.count - 1]
        if isinstance(step, BaseException):
            raise step
        return step


async def perform(
    attempts: Attempts,
    chosen: RetryPolicy,
    *,
    idempotency: Idempotency = Idempotency.SAFE,
    left: float = math.inf,
) -> object:
    """Retry a call after its first, scripted failure."""
    first_failure: Any = attempts.steps[0]
    return await retry(
        attempts,
        first_failure,
        policy=chosen,
        idempotency=idempotency,
        quota=RetryQuota(),
        time_left=lambda: left,
    )


@pytest.mark.anyio
async def test_a_success_is_returned_at_once() -> None:
    """A first attempt that succeeds uses no random number, no quota and no sleep."""

    def never(*_: object) -> Any:
        raise AssertionError("nothing of the policy is needed")

    quota = RetryQuota()
    chosen = policy(sleep=never, random=never)
    async with client_of(answer(200, SESSION), retry=chosen, retry_quota=quota) as client:
        await client.get_session("s-1")
    assert quota.tokens == quota.capacity


@pytest.mark.anyio
async def test_a_failure_is_repeated_until_it_succeeds() -> None:
    """Attempts follow each other, each after the pause for the number of failures."""
    recorder, attempts = Recorder(), Attempts(refused(500), UnknownOutcomeError("lost"), "done")
    assert await perform(attempts, policy(recorder, random=lambda: 1.0)) == "done"
    assert attempts.count == 3
    assert recorder.pauses == pytest.approx([0.1, 0.2])


@pytest.mark.anyio
@pytest.mark.parametrize("most", [1, 2, 3, 5])
async def test_the_last_failure_is_raised(most: int) -> None:
    """After the last allowed attempt its failure is raised, without a pause."""
    failures = [refused(503) for _ in range(most)]
    recorder, attempts = Recorder(), Attempts(*failures)
    with pytest.raises(ServerError) as caught:
        await perform(attempts, policy(recorder, attempts=most))
    assert caught.value is failures[-1]
    assert attempts.count == most
    assert len(recorder.pauses) == most - 1


@pytest.mark.anyio
async def test_a_failure_that_is_not_repeated_ends_the_call() -> None:
    """A permanent failure is raised at once, first or after repeated ones."""
    for steps in ([refused(404)], [refused(503), refused(404)]):
        recorder, attempts = Recorder(), Attempts(*steps)
        with pytest.raises(WebRtcError) as caught:
            await perform(attempts, policy(recorder))
        assert caught.value is steps[-1]
        assert len(recorder.pauses) == len(steps) - 1


@pytest.mark.anyio
async def test_a_create_is_repeated_as_the_policy_says() -> None:
    """The request's idempotency and the policy decide together."""
    for creates, count in (("never", 1), ("answered", 2), ("always", 3)):
        attempts = Attempts(refused(503), refused(500), "done")
        if creates == "always":
            assert (
                await perform(attempts, policy(creates=creates), idempotency=Idempotency.CREATE)
                == "done"
            )
        else:
            with pytest.raises(ServerError):
                await perform(attempts, policy(creates=creates), idempotency=Idempotency.CREATE)
        assert attempts.count == count


@pytest.mark.anyio
@pytest.mark.parametrize(("left", "shown"), [(29.9, "29.9"), (0.0, "0.0"), (-3.0, "0.0")])
async def test_a_pause_that_does_not_fit_is_not_begun(left: float, shown: str) -> None:
    """A pause longer than the remaining time raises the failure at once, with a note."""
    failure, recorder = refused(503, retry_after=30.0), Recorder()
    attempts = Attempts(failure, "never reached")
    with pytest.raises(ServerError) as caught:
        await perform(attempts, policy(recorder, random=lambda: 0.0), left=left)
    assert caught.value is failure
    assert recorder.pauses == []
    assert attempts.count == 1
    [note] = failure.__notes__
    assert f"the pause of 30.0 s does not fit into the {shown} s left" in note


@pytest.mark.anyio
async def test_a_pause_that_just_fits_is_made() -> None:
    """A pause as long as the remaining time is made."""
    recorder = Recorder()
    attempts = Attempts(refused(503, retry_after=30.0), "done")
    assert await perform(attempts, policy(recorder, random=lambda: 0.0), left=30.0) == "done"
    assert recorder.pauses == [30.0]


@pytest.mark.anyio
async def test_no_note_after_the_last_attempt() -> None:
    """A failure of the last attempt has no note about the deadline."""
    with pytest.raises(ServerError) as caught:
        await perform(Attempts(refused(503), refused(503)), policy(attempts=2), left=1.0)
    assert not hasattr(caught.value, "__notes__")


@pytest.mark.anyio
async def test_a_foreign_exception_passes_through() -> None:
    """An exception of another package is raised unchanged, from any attempt."""
    for steps in ([KeyError("x")], [refused(503), KeyError("x")]):
        attempts = Attempts(*steps)
        with pytest.raises(KeyError):
            await perform(attempts, policy())
        assert attempts.count == len(steps)


@jumping_backends()
@pytest.mark.anyio
@pytest.mark.parametrize("failures", [1, 2])
async def test_a_cancelled_attempt_is_not_repeated(failures: int) -> None:
    """Cancelling any attempt ends the call."""
    count = 1

    async def attempt() -> None:
        nonlocal count
        count += 1
        if count <= failures:
            raise refused(503)
        await anyio.sleep_forever()

    with anyio.move_on_after(5) as scope:
        await retry(
            attempt,
            refused(503),
            policy=policy(attempts=9),
            idempotency=Idempotency.SAFE,
            quota=RetryQuota(),
            time_left=lambda: math.inf,
        )
    assert scope.cancelled_caught
    assert count == failures + 1


@jumping_backends()
@pytest.mark.anyio
async def test_a_cancelled_pause_ends_the_call() -> None:
    """Cancelling a call during a pause makes no further attempt."""
    attempts = Attempts(refused(503, retry_after=60.0), "never reached")
    with anyio.move_on_after(5) as scope:
        await perform(attempts, RetryPolicy())
    assert scope.cancelled_caught
    assert attempts.count == 1


@jumping_backends()
@pytest.mark.anyio
async def test_the_usual_sleep_pauses() -> None:
    """Without an injected sleep the pause takes its real time."""
    began = anyio.current_time()
    attempts = Attempts(refused(503, retry_after=60.0), "done")
    assert await perform(attempts, RetryPolicy(random=lambda: 0.0)) == "done"
    assert anyio.current_time() - began == pytest.approx(60, abs=1)


@pytest.mark.anyio
async def test_concurrent_calls_decide_for_themselves() -> None:
    """Fifty calls that share a policy each have their own attempts, pauses and result."""
    recorder, results = Recorder(), dict[int, object]()
    shared = policy(recorder, attempts=6)

    async def one(number: int) -> None:
        failures = [refused(503, retry_after=float(number)) for _ in range(number % 5 + 1)]
        attempts = Attempts(*failures, number)
        results[number] = await perform(attempts, shared)
        assert attempts.count == number % 5 + 2

    async with anyio.create_task_group() as tasks:
        for number in range(50):
            tasks.start_soon(one, number)
    assert results == {number: number for number in range(50)}
    expected = [number + 0.05 for number in range(50) for _ in range(number % 5 + 1)]
    assert sorted(recorder.pauses) == pytest.approx(expected)
