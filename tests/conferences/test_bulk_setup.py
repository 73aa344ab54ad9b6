"""Many conferences: yielded as they are done, resumable, and bounded in number."""

import pickle
import random
from collections.abc import AsyncIterator, Iterator

import anyio
import pytest
from support.conferences import ACCOUNT, client_over, random_pauses, remaining_in, service
from support.scripted import policy

from webrtc_async import (
    BulkProgress,
    ConferencePlan,
    ConfigurationError,
    InvalidArgumentError,
    ParticipantSpec,
    RateLimitedError,
    SetUpDone,
    SetupError,
    SetUpFailed,
)

pytestmark = pytest.mark.anyio


def plans(count: int, first: int = 0) -> Iterator[ConferencePlan]:
    """Yield plans with keys."""
    for number in range(first, first + count):
        yield ConferencePlan(["a", ParticipantSpec("b")], key=f"plan-{number}", tag=f"t-{number}")


async def slowly(count: int) -> AsyncIterator[ConferencePlan]:
    """Yield plans asynchronously."""
    for plan in plans(count):
        await anyio.lowlevel.checkpoint()
        yield plan


@pytest.mark.parametrize("source", [plans, slowly, lambda count: list(plans(count))])
async def test_every_plan_becomes_a_result(source):
    """Each plan of a generator, async iterator or list becomes a conference."""
    emulator, transport = service()
    async with client_over(transport) as client:
        results = [result async for result in client.set_up(source(40), concurrency=7)]
        assert {result.plan.key for result in results} == {plan.key for plan in plans(40)}
        assert len(emulator.session_ids(ACCOUNT)) == 40
        for result in results:
            assert emulator.subscribed_to(ACCOUNT, result.get().session.id).keys() == {
                member.participant.id for member in result.get().members
            }
        torn = [each async for each in client.tear_down([each.get() for each in results])]
    assert {each.key for each in torn} == {plan.key for plan in plans(40)}
    assert all(each.error is None and len(each.deleted) == 3 for each in torn)
    assert remaining_in(emulator) == ()


async def test_results_come_before_all_are_done():
    """The first result is yielded before later plans are read."""
    _, transport = service()
    asked = 0

    def counted() -> Iterator[ConferencePlan]:
        nonlocal asked
        for plan in plans(1000):
            asked += 1
            yield plan

    async with (
        client_over(transport) as client,
        client.set_up(counted(), concurrency=4) as results,
    ):
        async for _ in results:
            break
        # Nobody takes results now, so no more are made than may wait.
        for _ in range(200):
            await anyio.lowlevel.checkpoint()
        assert asked <= 4 * 3


async def test_concurrency_bounds_the_requests():
    """There are never more requests at a time than the concurrent conferences can make."""
    _, transport = service()
    async with client_over(transport) as client:
        async for _ in client.set_up(plans(20), concurrency=2):
            pass
    assert transport.max_under_way <= 2 * 3


async def test_a_failure_is_a_result_among_others():
    """A plan that fails leaves nothing and does not stop the others."""
    emulator, transport = service()
    counted = iter(range(1000))
    transport.refuse = lambda request: (
        409 if request.method == "PUT" and next(counted) % 10 == 3 else None
    )
    async with client_over(transport) as client:
        results = [result async for result in client.set_up(plans(30))]
    failed = [result for result in results if isinstance(result, SetUpFailed)]
    assert len(results) == 30
    assert 0 < len(failed) < 30
    for result in failed:
        assert isinstance(result.error, SetupError)
        with pytest.raises(SetupError):
            result.get()
        again = pickle.loads(pickle.dumps(result))
        assert (again.plan, str(again.error)) == (result.plan, str(result.error))
    assert len(emulator.session_ids(ACCOUNT)) == 30 - len(failed)
    assert len(emulator.participant_ids(ACCOUNT)) == 2 * (30 - len(failed))


async def test_a_failure_may_stop_everything():
    """With on_error="stop" a failure is raised; yielded conferences stay, others are deleted."""
    emulator, transport = service()
    counted = iter(range(1000))
    transport.refuse = lambda request: (
        429 if request.method == "PUT" and 20 <= next(counted) <= 40 else None
    )
    transport.pauses = random_pauses(random.Random(1))
    taken: list[SetUpDone | SetUpFailed] = []
    async with client_over(transport) as client:
        with pytest.raises(SetupError) as caught:
            async for result in client.set_up(plans(1000), on_error="stop", concurrency=4):
                taken.append(result)
        assert isinstance(caught.value.exceptions[0], RateLimitedError)
    assert set(emulator.session_ids(ACCOUNT)) == {each.get().session.id for each in taken}
    assert len(remaining_in(emulator)) == 3 * len(taken)


@pytest.mark.parametrize("is_cancelled", [True, False])
async def test_leaving_early_keeps_only_yielded_conferences(is_cancelled):
    """After a break or a cancellation, only the yielded conferences exist."""
    emulator, transport = service()
    transport.pauses = random_pauses(random.Random(2))
    taken: list[SetUpDone | SetUpFailed] = []
    async with client_over(transport) as client:
        with anyio.CancelScope() as scope:
            async with client.set_up(plans(500), concurrency=8) as results:
                async for result in results:
                    taken.append(result)
                    if len(taken) == 20 and is_cancelled:
                        scope.cancel()
                    elif len(taken) == 20:
                        break
    assert len(taken) == 20
    assert set(emulator.session_ids(ACCOUNT)) == {each.get().session.id for each in taken}
    assert len(remaining_in(emulator)) == 60


async def test_an_exception_of_the_generator_is_raised_last():
    """Running set-ups are finished and yielded before the generator's exception is raised."""
    emulator, transport = service()

    def failing() -> Iterator[ConferencePlan]:
        yield from plans(5)
        yield ConferencePlan(["a", "a"])

    taken = []
    async with client_over(transport) as client:
        with pytest.raises(InvalidArgumentError, match="named 'a'"):
            async for result in client.set_up(failing()):
                taken.append(result.get())
    assert len(taken) == len(emulator.session_ids(ACCOUNT)) == 5


async def test_progress_has_a_rate_and_the_time_that_remains():
    """Each result is reported, with the total if it is known."""
    _, transport = service()
    seen: list[BulkProgress] = []
    async with client_over(transport) as client:
        async for _ in client.set_up(list(plans(10)), on_progress=seen.append):
            pass
        async for _ in client.set_up(plans(3, first=10), on_progress=seen.append):
            pass
    assert [each.done for each in seen] == [*range(1, 11), 1, 2, 3]
    assert {each.total for each in seen[:10]} == {10}
    assert seen[-1].total is None
    assert seen[-1].remaining is None
    assert seen[9].remaining == 0
    assert all(each.rate > 0 and each.failed == 0 for each in seen)


def test_progress_is_arithmetic():
    """The rate leaves out resumed conferences; the remaining time follows from it."""
    progress = BulkProgress(done=30, failed=10, resumed=20, total=100, elapsed=4.0)
    assert progress.rate == 5.0
    assert progress.remaining == 12.0
    assert BulkProgress(done=0, failed=0, resumed=0, total=5, elapsed=0.0).remaining is None


async def test_invalid_settings_are_refused():
    """A concurrency below 1 is refused before anything is sent."""
    async with client_over(service()[1]) as client:
        with pytest.raises(ConfigurationError, match="concurrency"):
            client.set_up(plans(1), concurrency=0)
        with pytest.raises(ConfigurationError, match="concurrency"):
            client.tear_down([], concurrency=0)


@pytest.mark.parametrize("wrong", ["visits.jsonl", [["a"]], [None]])
async def test_other_values_are_refused(wrong):
    """Values that are no plans or conferences are refused in a sentence; nothing is sent."""
    _, transport = service()
    async with client_over(transport) as client:
        with pytest.raises(InvalidArgumentError, match=r"set_up\(\) takes ConferencePlans, not "):
            await anext(client.set_up(wrong))
        with pytest.raises(InvalidArgumentError, match=r"takes Conferences or a Journal, not "):
            await anext(client.tear_down(wrong))
    assert transport.requests == []


async def test_an_unexpected_error_leaves_nothing():
    """An exception of a user's own code is raised unchanged, and nothing is left."""
    emulator, transport = service()
    transport.refuse = lambda request: 503 if request.method == "PUT" else None

    async def broken(_: float) -> None:
        raise RuntimeError("theirs")

    async with client_over(transport, retry=policy(sleep=broken)) as client:
        with pytest.raises(RuntimeError, match="theirs"):
            async for _ in client.set_up(plans(5)):
                pytest.fail("it was yielded")
    assert remaining_in(emulator) == ()


async def test_a_tear_down_takes_any_iterable():
    """Conferences can come from a generator, with `total` as their number."""
    emulator, transport = service()
    seen: list[BulkProgress] = []
    async with client_over(transport) as client:
        up = [each.get() async for each in client.set_up(plans(5))]
        conferences = (each for each in up)
        async for _ in client.tear_down(conferences, total=5, on_progress=seen.append):
            pass
    assert remaining_in(emulator) == ()
    assert seen[-1].total == 5


class Counting:
    """An async iterator that is not a generator and has no aclose()."""

    def __init__(self) -> None:
        self.number = 0

    def __aiter__(self) -> "Counting":
        return self

    async def __anext__(self) -> ConferencePlan:
        self.number += 1
        if self.number > 3:
            raise StopAsyncIteration
        return ConferencePlan(["a"])


async def test_plans_may_come_from_any_async_iterator():
    """A source of plans needs no aclose()."""
    _, transport = service()
    async with client_over(transport) as client:
        assert len([each async for each in client.set_up(Counting())]) == 3
