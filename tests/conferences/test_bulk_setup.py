"""Many conferences: handed over as they are done, resumable, and never more under way than told."""

import contextlib
import pickle
import random
import resource
from collections.abc import AsyncIterator, Iterator

import anyio
import pytest
from support.conferences import ACCOUNT, Request, client_over, random_pauses, remaining_in, service
from support.scripted import policy

from webrtc_async import (
    BulkProgress,
    ConferencePlan,
    ConfigurationError,
    InvalidArgumentError,
    Journal,
    JournalError,
    RateLimitedError,
    ParticipantSpec,
    SetupError,
    SetupResult,
)

pytestmark = pytest.mark.anyio


def plans(count: int, first: int = 0) -> Iterator[ConferencePlan]:
    """Make plans with keys."""
    for number in range(first, first + count):
        yield ConferencePlan(["a", ParticipantSpec("b")], key=f"plan-{number}", tag=f"t-{number}")


async def slowly(count: int) -> AsyncIterator[ConferencePlan]:
    """Make plans asynchronously."""
    for plan in plans(count):
        await anyio.lowlevel.checkpoint()
        yield plan


@pytest.fixture
def path(tmp_path):
    return tmp_path / "set-ups.jsonl"


@pytest.mark.parametrize("source", [plans, slowly, lambda count: list(plans(count))])
async def test_every_plan_becomes_a_result(source):
    """From a generator, an async iterator or a list, each plan's conference is handed over."""
    emulator, transport = service()
    async with client_over(transport) as client:
        results = [result async for result in client.set_up(source(40), concurrency=7)]
        assert {result.plan.key for result in results} == {plan.key for plan in plans(40)}
        assert len(emulator.session_ids(ACCOUNT)) == 40
        for result in results:
            assert emulator.hears(ACCOUNT, result.get().session.id).keys() == {
                member.participant.id for member in result.get().members
            }
        torn = [each async for each in client.tear_down([each.get() for each in results])]
    assert {each.key for each in torn} == {plan.key for plan in plans(40)}
    assert all(each.error is None and len(each.deleted) == 3 for each in torn)
    assert remaining_in(emulator) == ()


async def test_results_come_before_all_are_done():
    """The first result is there while later plans have not been asked for yet."""
    _, transport = service()
    asked = 0

    def counted() -> Iterator[ConferencePlan]:
        nonlocal asked
        for plan in plans(1000):
            asked += 1
            yield plan

    async with (
        client_over(transport) as client,
        contextlib.aclosing(client.set_up(counted(), concurrency=4)) as results,
    ):
        async for _ in results:
            break
        # Nobody takes results now, and so nobody makes more than may wait.
        for _ in range(200):
            await anyio.lowlevel.checkpoint()
        assert asked <= 4 * 3


async def test_concurrency_bounds_what_is_under_way():
    """Never are more requests under way than the conferences at a time could make."""
    _, transport = service()
    async with client_over(transport) as client:
        async for _ in client.set_up(plans(20), concurrency=2):
            pass
    assert transport.max_under_way <= 2 * 3


async def test_a_failure_is_a_result_among_others():
    """A plan that fails leaves nothing and stops nobody."""
    emulator, transport = service()
    counted = iter(range(1000))
    transport.refuse = lambda request: (
        409 if request.method == "PUT" and next(counted) % 10 == 3 else None
    )
    async with client_over(transport) as client:
        results = [result async for result in client.set_up(plans(30))]
    failed = [result for result in results if result.error is not None]
    assert len(results) == 30
    assert 0 < len(failed) < 30
    for result in failed:
        assert isinstance(result.error, SetupError)
        assert result.conference is None
        with pytest.raises(SetupError):
            result.get()
        again = pickle.loads(pickle.dumps(result))
        assert (again.plan, str(again.error)) == (result.plan, str(result.error))
    assert len(emulator.session_ids(ACCOUNT)) == 30 - len(failed)
    assert len(emulator.participant_ids(ACCOUNT)) == 2 * (30 - len(failed))


async def test_a_failure_may_stop_everything():
    """With on_error="stop" the failure is raised; what was handed over stays, the rest goes."""
    emulator, transport = service()
    counted = iter(range(1000))
    transport.refuse = lambda request: (
        429 if request.method == "PUT" and 20 <= next(counted) <= 40 else None
    )
    transport.pauses = random_pauses(random.Random(1))
    taken: list[SetupResult] = []
    async with client_over(transport) as client:
        with pytest.raises(SetupError) as caught:
            async for result in client.set_up(plans(1000), on_error="stop", concurrency=4):
                taken.append(result)
        assert isinstance(caught.value.exceptions[0], RateLimitedError)
    assert set(emulator.session_ids(ACCOUNT)) == {each.get().session.id for each in taken}
    assert len(remaining_in(emulator)) == 3 * len(taken)


@pytest.mark.parametrize("is_cancelled", [True, False])
async def test_who_leaves_early_leaves_only_what_was_handed_over(is_cancelled):
    """After a break or a cancellation, only the conferences that were handed over exist."""
    emulator, transport = service()
    transport.pauses = random_pauses(random.Random(2))
    taken: list[SetupResult] = []
    async with client_over(transport) as client:
        with anyio.CancelScope() as scope:
            async with contextlib.aclosing(client.set_up(plans(500), concurrency=8)) as results:
                async for result in results:
                    taken.append(result)
                    if len(taken) == 20 and is_cancelled:
                        scope.cancel()
                    elif len(taken) == 20:
                        break
    assert len(taken) == 20
    assert set(emulator.session_ids(ACCOUNT)) == {each.get().session.id for each in taken}
    assert len(remaining_in(emulator)) == 60


async def test_a_generator_that_fails_ends_it_in_order():
    """What is under way is finished and handed over, and then the generator's error is raised."""
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
    """Each result is told of, with how many there are where that is known."""
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
    """The rate leaves out what a journal knew, and the rest is total over rate."""
    progress = BulkProgress(done=30, failed=10, resumed=20, total=100, elapsed=4.0)
    assert progress.rate == 5.0
    assert progress.remaining == 12.0
    assert BulkProgress(done=0, failed=0, resumed=0, total=5, elapsed=0.0).remaining is None


async def test_settings_that_cannot_work_are_refused():
    """Wrong numbers are refused before anything is asked for."""
    async with client_over(service()[1]) as client:
        with pytest.raises(ConfigurationError, match="concurrency"):
            client.set_up(plans(1), concurrency=0)
        with pytest.raises(ConfigurationError, match="concurrency"):
            client.tear_down([], concurrency=0)


# Journals


async def test_a_second_run_repeats_nothing(path):
    """What the journal knows to be up is handed over without a request, with its hearings."""
    emulator, transport = service()
    async with client_over(transport) as client:
        first = {
            each.plan.key: each.get()
            async for each in client.set_up(plans(10), journal=Journal(path, keep_tokens=True))
        }
        sent = client.requests_sent
        second = {each.plan.key: each async for each in client.set_up(plans(12), journal=path)}
        assert client.requests_sent - sent == 2 * 5
    assert len(emulator.session_ids(ACCOUNT)) == 12
    for key, known in first.items():
        assert second[key].is_resumed
        again = second[key].get()
        assert again.session.id == known.session.id
        assert again["a"].token == known["a"].token != ""
        assert again.subscriptions == known.subscriptions
    assert not second["plan-11"].is_resumed


async def test_what_a_crash_left_is_deleted_before_the_plan_is_set_up_anew(path):
    """A plan that was cut short is undone and set up, so that it exists exactly once."""
    emulator, transport = service()
    async with client_over(transport) as client:
        async for _ in client.set_up(plans(3), journal=path):
            pass
        lines = path.read_bytes().splitlines(keepends=True)
        # A crash before the last conference was known to be up, and in the middle of a line.
        path.write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
        results = [each async for each in client.set_up(plans(3), journal=path)]
    assert sorted(each.is_resumed for each in results) == [False, True, True]
    assert len(remaining_in(emulator)) == 9
    assert set(emulator.session_ids(ACCOUNT)) == {each.get().session.id for each in results}


@pytest.mark.parametrize("cut", range(14))
async def test_a_crash_anywhere_loses_nothing_and_repeats_nothing(path, cut):
    """Wherever the journal ends, a second run leaves each plan there once, and no orphan."""
    emulator, transport = service()
    async with client_over(transport) as client:
        async for _ in client.set_up(plans(2), concurrency=1, journal=path):
            pass
        lines = path.read_bytes().splitlines(keepends=True)
        assert len(lines) == 11
        kept = lines[: max(cut, 1)]
        path.write_bytes(b"".join(kept))
        # What the cut lines were about had not happened yet.
        known = b"".join(kept).decode()
        for each in emulator.session_ids(ACCOUNT):
            if each not in known:
                await client.delete_session(each)
        for each in emulator.participant_ids(ACCOUNT):
            if each not in known:
                await client.delete_participant(each)
        results = [each async for each in client.set_up(plans(2), journal=path)]
    assert all(each.error is None for each in results)
    assert len(remaining_in(emulator)) == 6
    assert set(emulator.session_ids(ACCOUNT)) == {each.get().session.id for each in results}


async def test_tear_down_deletes_what_the_journal_knows(path):
    """What is up and what was cut short is deleted; a second tear-down has nothing to do."""
    emulator, transport = service()
    async with client_over(transport) as client:
        async for _ in client.set_up(plans(5), journal=path):
            pass
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[:-1]))
        seen: list[BulkProgress] = []
        torn = [each async for each in client.tear_down(Journal(path), on_progress=seen.append)]
        assert len(torn) == 5
        assert seen[-1].total == 5
        assert remaining_in(emulator) == ()
        assert [each async for each in client.tear_down(Journal(path))] == []
        again = [each async for each in client.set_up(plans(5), journal=path)]
        assert not any(each.is_resumed for each in again)


async def test_a_tear_down_that_fails_is_a_result_and_may_be_repeated(path):
    """What could not be deleted is listed, stays in the journal, and is deleted the next time."""
    emulator, transport = service()
    async with client_over(transport) as client:
        async for _ in client.set_up(plans(2), journal=path):
            pass
        transport.refuse = lambda request: 403 if request.path.startswith("/sessions/") else None
        torn = [each async for each in client.tear_down(Journal(path))]
        assert [len(each.error.not_deleted) for each in torn if each.error] == [1, 1]
        assert [len(each.deleted) for each in torn] == [2, 2]
        transport.refuse = lambda _: None
        assert all([each.error is None async for each in client.tear_down(Journal(path))])
    assert remaining_in(emulator) == ()


async def test_plans_of_a_journal_need_keys_of_their_own(path):
    """Without a key, or with one that is under way, a plan is refused, and the others go on."""
    emulator, transport = service()
    twice = [ConferencePlan(["a"], key="k"), ConferencePlan(["a"], key="k"), ConferencePlan(["a"])]
    async with client_over(transport) as client:
        results = [each async for each in client.set_up(twice, journal=path)]
    errors = sorted(str(each.error) for each in results if each.error is not None)
    assert errors == [
        "A plan has no key. A journal tells plans apart by their keys.",
        "Two plans have the key 'k'. A journal tells plans apart by their keys.",
    ]
    assert len(emulator.session_ids(ACCOUNT)) == 1


async def test_a_journal_that_cannot_be_used_stops_before_the_first_request(path):
    """Another account's journal is refused before anything is sent or asked for."""
    _, transport = service()
    path.write_text('{"journal":1,"account":"another"}\n')
    async with client_over(transport) as client:
        for call in (client.set_up(plans(1), journal=path), client.tear_down(Journal(path))):
            with pytest.raises(JournalError, match="of account 'another'"):
                async for _ in call:
                    pytest.fail("it went on")
    assert transport.requests == []


@pytest.mark.parametrize("breaks_at", [38, 40])
async def test_a_journal_that_breaks_stops_before_the_next_create(path, breaks_at):
    """From the moment that a line cannot be written, nothing is created, and nothing is lost."""
    emulator, transport = service()
    journal = Journal(path)
    creates_after = -1

    async def hold(request: Request) -> None:
        nonlocal creates_after
        if creates_after >= 0 and request.method == "POST":
            creates_after += 1
        if len(transport.requests) == breaks_at:
            journal.close()
            creates_after = 0

    transport.hold = hold
    taken = []
    async with client_over(transport) as client:
        with pytest.raises(JournalError, match="is closed"):
            async for result in client.set_up(plans(100), concurrency=1, journal=journal):
                taken.append(result.get())
    assert 0 < len(taken) < 15
    # Those of the one conference that was under way had been sent when the first line failed.
    assert creates_after <= 2
    assert set(emulator.session_ids(ACCOUNT)) == {each.session.id for each in taken}
    assert len(remaining_in(emulator)) == 3 * len(taken)


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_a_tear_down_whose_journal_is_full_is_gone_on_with(path, concurrency):
    """It deletes no more than it had begun, and once there is room the same call ends it."""
    emulator, transport = service()
    async with client_over(transport) as client:
        async for _ in client.set_up(plans(10), journal=path):
            pass
        _, hard = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, hard))
        try:
            with pytest.raises(JournalError, match="begun; when it can be written, the same call"):
                async for _ in client.tear_down(Journal(path), concurrency=concurrency):
                    pytest.fail("nothing can be known to be gone")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert 10 - concurrency <= len(emulator.session_ids(ACCOUNT)) < 10
        gone = [each async for each in client.tear_down(Journal(path))]
    assert [each.error for each in gone] == [None] * 10
    assert remaining_in(emulator) == ()


async def test_what_cannot_be_cleared_away_is_a_failure_of_its_plan(path):
    """A plan whose earlier remains cannot be deleted is not set up a second time."""
    emulator, transport = service()
    async with client_over(transport) as client:
        async for _ in client.set_up(plans(1), journal=path):
            pass
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[:-1]))
        transport.refuse = lambda request: 403 if request.method == "DELETE" else None
        [result] = [each async for each in client.set_up(plans(1), journal=path)]
        assert "what an earlier run had created of it could not be deleted" in str(result.error)
        assert len(emulator.session_ids(ACCOUNT)) == 1
        transport.refuse = lambda _: None
        [result] = [each async for each in client.set_up(plans(1), journal=path)]
        assert emulator.session_ids(ACCOUNT) == (result.get().session.id,)


async def test_a_foreign_error_ends_it_in_order():
    """What is no error of ours is raised as it is, and nothing is left behind."""
    emulator, transport = service()
    transport.refuse = lambda request: 503 if request.method == "PUT" else None

    async def broken(_: float) -> None:
        raise RuntimeError("theirs")

    async with client_over(transport, retry=policy(sleep=broken)) as client:
        with pytest.raises(RuntimeError, match="theirs"):
            async for _ in client.set_up(plans(5)):
                pytest.fail("it was handed over")
    assert remaining_in(emulator) == ()


async def test_a_tear_down_takes_any_iterable():
    """Conferences may come one by one, with their number told."""
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
    """An async iterator that is no generator and has nothing to close."""

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
    """What has no aclose() is as good a source as what has."""
    _, transport = service()
    async with client_over(transport) as client:
        assert len([each async for each in client.set_up(Counting())]) == 3


async def test_who_leaves_early_leaves_what_the_journal_knows(path):
    """After a break, exactly those conferences exist that the journal knows to be up."""
    emulator, transport = service()
    transport.pauses = random_pauses(random.Random(3))
    async with client_over(transport) as client:
        for taken in range(1, 6):
            kept = Journal(path, fsync=True)
            number = 0
            async with contextlib.aclosing(
                client.set_up(plans(100), concurrency=4, journal=kept)
            ) as results:
                async for result in results:
                    number += not result.is_resumed
                    if number == taken:
                        break
            with contextlib.closing(Journal(path).open(ACCOUNT)) as known:
                up = [each for key in known.keys if (each := known.finished(key))]
            assert {each.session.id for each in up} == set(emulator.session_ids(ACCOUNT))
            assert len(remaining_in(emulator)) == 3 * len(up)
