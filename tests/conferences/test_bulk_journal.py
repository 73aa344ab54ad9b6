"""Bulk set-ups and tear-downs with a journal: resumed after any crash, without orphans."""

import contextlib
import random
from collections.abc import Iterator

import anyio
import pytest
from support.conferences import ACCOUNT, Request, client_over, random_pauses, remaining_in, service
from support.full_disk import full_disk

from webrtc_async import (
    BulkProgress,
    ConferencePlan,
    Journal,
    JournalError,
    ParticipantSpec,
    Resource,
    SetUpDone,
    SetUpFailed,
)

pytestmark = pytest.mark.anyio


def plans(count: int, first: int = 0) -> Iterator[ConferencePlan]:
    """Yield plans with keys."""
    for number in range(first, first + count):
        yield ConferencePlan(["a", ParticipantSpec("b")], key=f"plan-{number}", tag=f"t-{number}")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "set-ups.jsonl"


async def test_a_second_run_repeats_nothing(path):
    """A conference in the journal is yielded without a request, with its subscriptions."""
    emulator, transport = service()
    async with client_over(transport) as client:
        first = {
            each.plan.key: each.get()
            async for each in client.set_up(plans(10), journal=Journal(path, keep_tokens=True))
        }
        sent = client.requests_sent
        second = {each.plan.key: each async for each in client.set_up(plans(12), journal=path)}
        assert all(isinstance(each, SetUpDone) for each in second.values())
        assert client.requests_sent - sent == 2 * 5
    assert len(emulator.session_ids(ACCOUNT)) == 12
    for key, known in first.items():
        assert second[key].is_resumed
        again = second[key].get()
        assert again.session.id == known.session.id
        assert again["a"].token == known["a"].token != ""
        assert again.subscriptions == known.subscriptions
    assert not second["plan-11"].is_resumed


async def test_the_remains_of_a_crash_are_deleted_first(path):
    """An unfinished plan is undone and set up again, so that it exists exactly once."""
    emulator, transport = service()
    async with client_over(transport) as client:
        async for _ in client.set_up(plans(3), journal=path):
            pass
        lines = path.read_bytes().splitlines(keepends=True)
        # A crash while the line for the last conference was written.
        path.write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
        results = [each async for each in client.set_up(plans(3), journal=path)]
    assert sorted(each.is_resumed for each in results) == [False, True, True]
    assert len(remaining_in(emulator)) == 9
    assert set(emulator.session_ids(ACCOUNT)) == {each.get().session.id for each in results}


@pytest.mark.parametrize("cut", range(14))
async def test_a_crash_anywhere_loses_nothing_and_repeats_nothing(path, cut):
    """After a crash at any line, a second run leaves each plan set up once, and no orphan."""
    emulator, transport = service()
    async with client_over(transport) as client:
        async for _ in client.set_up(plans(2), concurrency=1, journal=path):
            pass
        lines = path.read_bytes().splitlines(keepends=True)
        assert len(lines) == 11
        kept = lines[: max(cut, 1)]
        path.write_bytes(b"".join(kept))
        # The events of the lines that were cut had not happened yet.
        known = b"".join(kept).decode()
        for each in emulator.session_ids(ACCOUNT):
            if each not in known:
                await client.delete_session(each)
        for each in emulator.participant_ids(ACCOUNT):
            if each not in known:
                await client.delete_participant(each)
        results = [each async for each in client.set_up(plans(2), journal=path)]
    assert all(isinstance(each, SetUpDone) for each in results)
    assert len(remaining_in(emulator)) == 6
    assert set(emulator.session_ids(ACCOUNT)) == {each.get().session.id for each in results}


async def test_tear_down_deletes_everything_in_the_journal(path):
    """Finished and unfinished conferences are deleted; a second tear-down has nothing to do."""
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


async def test_a_failed_tear_down_is_a_result_and_can_be_repeated(path):
    """Remaining resources are listed, stay in the journal, and are deleted the next time."""
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


async def test_plans_with_a_journal_need_unique_keys(path):
    """A plan without a key or with a repeated one is refused; the others are set up."""
    emulator, transport = service()
    twice = [ConferencePlan(["a"], key="k"), ConferencePlan(["a"], key="k"), ConferencePlan(["a"])]
    async with client_over(transport) as client:
        results = [each async for each in client.set_up(twice, journal=path)]
    errors = sorted(str(each.error) for each in results if isinstance(each, SetUpFailed))
    assert errors == [
        "A plan has no key. With a journal, each plan needs its own key.",
        "Two plans have the key 'k'. With a journal, each plan needs its own key.",
    ]
    assert len(emulator.session_ids(ACCOUNT)) == 1


async def test_a_journal_that_cannot_be_used_stops_before_the_first_request(path):
    """Another account's journal is refused before anything is sent."""
    _, transport = service()
    path.write_text('{"journal":1,"account":"another"}\n')
    async with client_over(transport) as client:
        for call in (client.set_up(plans(1), journal=path), client.tear_down(Journal(path))):
            with pytest.raises(JournalError, match="belongs to account 'another'"):
                async for _ in call:
                    pytest.fail("it continued")
    assert transport.requests == []


@pytest.mark.parametrize("breaks_at", [38, 40])
async def test_a_broken_journal_stops_before_the_next_create(path, breaks_at):
    """Once a line cannot be written, nothing more is created, and nothing is lost."""
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
    # The creates of the running conference were already sent when the first line failed.
    assert creates_after <= 2
    assert set(emulator.session_ids(ACCOUNT)) == {each.session.id for each in taken}
    assert len(remaining_in(emulator)) == 3 * len(taken)


async def test_a_broken_journal_stops_plans_whose_remains_were_being_deleted(path):
    """A plan that was only tidied up so far creates nothing once the journal is broken."""
    emulator, transport = service()
    is_broken = anyio.Event()
    async with client_over(transport) as client:
        remains = await client.create_session()
        with contextlib.closing(Journal(path).open(ACCOUNT)) as earlier:
            await earlier.begin("visit-1")
            await earlier.record("visit-1", Resource("session", remains.id))
        transport.requests.clear()

        async def hold(request: Request) -> None:
            if request.path == f"/sessions/{remains.id}":
                await is_broken.wait()
            elif request.method == "DELETE":  # the roll-back of the other plan
                is_broken.set()

        transport.hold = hold
        both = [ConferencePlan(["a"], key=f"visit-{n}") for n in range(2)]
        with full_disk(path, room=60), pytest.raises(JournalError, match="cannot be written"):
            async for _ in client.set_up(both, concurrency=2, journal=path):
                pytest.fail("it continued")
    assert remaining_in(emulator) == ()
    assert sum(each.startswith("POST") for each in transport.requests) == 2


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_a_tear_down_with_a_full_disk_can_be_continued(path, concurrency):
    """A full disk stops new deletions; with free space the same call finishes."""
    emulator, transport = service()
    async with client_over(transport) as client:
        async for _ in client.set_up(plans(10), journal=path):
            pass
        with full_disk(path), pytest.raises(JournalError, match="repeat the call to continue"):
            async for _ in client.tear_down(Journal(path), concurrency=concurrency):
                pytest.fail("it yielded a result")
        assert 10 - concurrency <= len(emulator.session_ids(ACCOUNT)) < 10
        gone = [each async for each in client.tear_down(Journal(path))]
    assert [each.error for each in gone] == [None] * 10
    assert remaining_in(emulator) == ()


async def test_remains_that_cannot_be_deleted_fail_their_plan(path):
    """A plan is not set up again while its remains cannot be deleted."""
    emulator, transport = service()
    async with client_over(transport) as client:
        async for _ in client.set_up(plans(1), journal=path):
            pass
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[:-1]))
        transport.refuse = lambda request: 403 if request.method == "DELETE" else None
        [result] = [each async for each in client.set_up(plans(1), journal=path)]
        assert isinstance(result, SetUpFailed)
        assert "the remains of an earlier run could not be deleted" in str(result.error)
        assert {each.id for each in result.in_doubt} == set(remaining_in(emulator))
        assert sorted(map(str, result.in_doubt)) == sorted(map(str, result.error.not_deleted))
        assert len(emulator.session_ids(ACCOUNT)) == 1
        transport.refuse = lambda _: None
        [result] = [each async for each in client.set_up(plans(1), journal=path)]
        assert emulator.session_ids(ACCOUNT) == (result.get().session.id,)


async def test_leaving_early_keeps_exactly_the_journal_s_conferences(path):
    """After a break, exactly the conferences that the journal lists as finished exist."""
    emulator, transport = service()
    transport.pauses = random_pauses(random.Random(3))
    async with client_over(transport) as client:
        for taken in range(1, 6):
            kept = Journal(path, fsync=True)
            number = 0
            async with client.set_up(plans(100), concurrency=4, journal=kept) as results:
                async for result in results:
                    number += not result.is_resumed
                    if number == taken:
                        break
            with contextlib.closing(Journal(path).open(ACCOUNT)) as known:
                up = [each for key in known.keys if (each := known.finished(key))]
            assert {each.session.id for each in up} == set(emulator.session_ids(ACCOUNT))
            assert len(remaining_in(emulator)) == 3 * len(up)
