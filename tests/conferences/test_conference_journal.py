"""The journal of single conferences: every change is in it, and a crash leaves no orphan."""

import contextlib
from collections.abc import Iterator

import anyio
import pytest
from support.conferences import ACCOUNT, Request, client_over, remaining_in, service
from support.full_disk import full_disk

from webrtc_async import (
    AsyncWebRtcClient,
    ConferenceOverError,
    ConferencePlan,
    InvalidArgumentError,
    Journal,
    JournalError,
    SetUpDone,
    SetupError,
    TeardownError,
)

pytestmark = pytest.mark.anyio

PLAN = ConferencePlan(["a", "b"], subscriptions={"a": ["b"]}, key="visit", tag="t")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "visits.jsonl"


@contextlib.contextmanager
def opened(path) -> Iterator[Journal]:
    """Open a journal for a block."""
    with contextlib.closing(Journal(path).open(ACCOUNT)) as journal:
        yield journal


async def tear_down(client: AsyncWebRtcClient, path) -> list[int]:
    """Tear down everything in a journal, and return the numbers of deleted resources."""
    return [len(each.deleted) async for each in client.tear_down(Journal(path))]


async def test_every_change_is_in_the_journal(path):
    """Members that joined late are deleted by `tear_down`; those that left are forgotten."""
    emulator, transport = service()
    async with client_over(transport) as client:
        with opened(path) as journal:
            conference = await client.open_conference(PLAN, journal=journal)
            await conference.join("c")
            await conference.join("d")
            await conference.leave("a")
            known = journal.finished("visit")
            assert known is not None
            assert known.ids == conference.now.ids
        assert await tear_down(client, path) == [4]
    assert remaining_in(emulator) == ()


async def test_an_ended_conference_is_forgotten(path):
    """After `end`, and after a block, the journal lists nothing."""
    emulator, transport = service()
    async with client_over(transport) as client:
        with opened(path) as journal:
            async with client.conference(PLAN, journal=journal):
                assert journal.keys == ("visit",)
            assert journal.keys == ()
        assert await tear_down(client, path) == []
    assert remaining_in(emulator) == ()


async def test_a_known_conference_is_opened_again(path):
    """A second run gets the conference without a request, with its late members."""
    emulator, transport = service()
    async with client_over(transport) as client:
        with opened(path) as journal:
            first = await client.open_conference(PLAN, journal=journal)
            await first.join("late")
        sent = client.requests_sent
        with opened(path) as journal:
            again = await client.open_conference(PLAN, journal=journal)
            assert client.requests_sent == sent
            assert again.now.ids == first.now.ids
            assert again.now.subscriptions[0] == PLAN.subscriptions_of("a")
            await again.end()
    assert remaining_in(emulator) == ()


@pytest.mark.parametrize("cut", range(1, 9))
async def test_a_crash_at_any_line_leaves_no_orphan(path, cut):
    """After a crash at any line of a late join, the next opening has exactly its members."""
    emulator, transport = service()
    async with client_over(transport) as client:
        with opened(path) as journal:
            conference = await client.open_conference(PLAN, journal=journal)
            await conference.join("late")
        lines = path.read_bytes().splitlines(keepends=True)
        assert len(lines) == 8
        kept = b"".join(lines[:cut])
        path.write_bytes(kept)
        for each in emulator.session_ids(ACCOUNT):
            if each not in kept.decode():
                await client.delete_session(each)
        for each in emulator.participant_ids(ACCOUNT):
            if each not in kept.decode():
                await client.delete_participant(each)
        with opened(path) as journal:
            again = await client.open_conference(PLAN, journal=journal)
            assert set(remaining_in(emulator)) == {each.id for each in again.now.resources}
        with opened(path) as journal:
            assert journal.unfinished("visit") == ()


@pytest.mark.parametrize("again", ["set_up", "tear_down"])
async def test_bulk_calls_know_of_a_join_that_a_crash_cut_off(path, again):
    """A participant that was joining late is deleted by `set_up` and by `tear_down`."""
    emulator, transport = service()
    async with client_over(transport) as client:
        with opened(path) as journal:
            conference = await client.open_conference(PLAN, journal=journal)
            await conference.join("late")
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[:-1]))
        if again == "set_up":
            [result] = [each async for each in client.set_up([PLAN], journal=path)]
            assert isinstance(result, SetUpDone)
            assert result.is_resumed
            assert len(remaining_in(emulator)) == 3
            assert await tear_down(client, path) == [3]
        else:
            assert await tear_down(client, path) == [4]
    assert remaining_in(emulator) == ()


async def test_a_conference_of_a_bulk_set_up_is_resumed_with_its_journal(path):
    """A person who joins after `set_up` is known to `tear_down`."""
    emulator, transport = service()
    async with client_over(transport) as client:
        [result] = [each async for each in client.set_up([PLAN], journal=path)]
        with opened(path) as journal:
            await client.resume_conference(result.get(), journal=journal).join("late")
        assert await tear_down(client, path) == [4]
    assert remaining_in(emulator) == ()


async def test_a_failed_set_up_is_forgotten(path):
    """If the set-up is undone, the journal lists nothing; if not, it lists what remains."""
    emulator, transport = service()
    transport.refuse = lambda request: 409 if request.method == "PUT" else None
    async with client_over(transport) as client:
        with opened(path) as journal:
            with pytest.raises(SetupError):
                await client.open_conference(PLAN, journal=journal)
            assert journal.keys == ()
            transport.refuse = lambda request: 409 if request.method in ("PUT", "DELETE") else None
            with pytest.raises(SetupError) as got:
                await client.open_conference(PLAN, journal=journal)
            left = {each.id for each in journal.unfinished("visit")}
            assert left == {each.id for each in got.value.in_doubt} == set(remaining_in(emulator))
            transport.refuse = lambda _: None
            await client.open_conference(PLAN, journal=journal)
    assert len(remaining_in(emulator)) == 3


async def test_a_failed_join_is_forgotten(path):
    """A late participant that was rolled back is not in the journal; its conference is."""
    _, transport = service()
    async with client_over(transport) as client:
        with opened(path) as journal:
            conference = await client.open_conference(PLAN, journal=journal)
            transport.refuse = lambda request: 409 if request.method == "PUT" else None
            with pytest.raises(Exception, match="409"):
                await conference.join("late")
            assert journal.unfinished("visit") == ()
            assert journal.keys == ("visit",)


async def test_a_join_under_way_stays_in_the_journal(path):
    """The entry of one change does not make the journal forget another join."""
    emulator, transport = service()
    async with client_over(transport) as client:
        with opened(path) as journal:
            conference = await client.open_conference(PLAN, journal=journal)
            transport.refuse = lambda request: 403 if request.method in ("PUT", "DELETE") else None
            with pytest.raises(Exception, match="403"):
                await conference.join("late")  # neither joined nor deleted
            transport.refuse = lambda _: None
            await conference.leave("a")
            [left] = journal.unfinished("visit")
            assert left.name == "late"
        assert await tear_down(client, path) == [3]
    assert remaining_in(emulator) == ()


async def test_a_change_under_way_does_not_outlive_its_conference_in_the_journal(path):
    """A leave or a join that is done after `end` has begun writes nothing more."""
    emulator, transport = service()
    reached, may_go_on = anyio.Event(), anyio.Event()

    async def hold(request: Request) -> None:
        if request.method in ("PUT", "DELETE") and not may_go_on.is_set():
            reached.set()
            await may_go_on.wait()

    async with client_over(transport) as client:
        with opened(path) as journal:
            conference = await client.open_conference(PLAN, journal=journal)
            transport.hold = hold

            async def join() -> None:
                with pytest.raises(ConferenceOverError):
                    await conference.join("late")

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(join)
                tasks.start_soon(conference.leave, "a")
                await reached.wait()
                await anyio.wait_all_tasks_blocked()
                tasks.start_soon(conference.end)
                await anyio.wait_all_tasks_blocked()
                may_go_on.set()
            assert journal.keys == ()
        assert await tear_down(client, path) == []
    assert remaining_in(emulator) == ()


@pytest.mark.parametrize("room", [0, 130])
async def test_a_join_on_a_full_disk_is_rolled_back(path, room):
    """Whichever line cannot be written, nobody joins, and the conference goes on."""
    emulator, transport = service()
    async with client_over(transport) as client:
        with opened(path) as journal:
            conference = await client.open_conference(PLAN, journal=journal)
            before = set(remaining_in(emulator))
            with full_disk(path, room), pytest.raises(JournalError, match="cannot be written"):
                await conference.join("late")
            assert set(remaining_in(emulator)) == before
            assert "late" not in conference
            await conference.join("late")
            with full_disk(path), pytest.raises(JournalError, match="cannot be written"):
                await conference.leave("late")
            assert "late" not in conference
            with full_disk(path), pytest.raises(TeardownError) as got:
                await conference.end()
            assert isinstance(got.value.exceptions[0], JournalError)
            assert remaining_in(emulator) == ()
            await conference.end()
            assert journal.keys == ()


@pytest.mark.parametrize("room", [0, 60, 130, 220, 310, 420])
async def test_a_set_up_on_a_full_disk_is_undone(path, room):
    """Whichever line cannot be written, the set-up fails and nothing is left."""
    emulator, transport = service()
    async with client_over(transport) as client:
        with opened(path) as journal:
            with full_disk(path, room), pytest.raises(SetupError) as got:
                await client.open_conference(PLAN, journal=journal)
            assert any(isinstance(each, JournalError) for each in got.value.exceptions)
            assert remaining_in(emulator) == ()
            await client.open_conference(PLAN, journal=journal)
    assert len(remaining_in(emulator)) == 3


async def test_a_closed_journal_is_refused(path):
    """A journal that is not open fails the set-up before the first request."""
    _, transport = service()
    async with client_over(transport) as client:
        with pytest.raises(SetupError, match="failed") as got:
            await client.open_conference(PLAN, journal=Journal(path))
    assert "is closed" in str(got.value)
    assert transport.requests == []


async def test_a_path_is_no_open_journal(path):
    """A path is refused with the call that opens it, because conferences share a journal."""
    _, transport = service()
    async with client_over(transport) as client:
        for journal in (path, str(path)):
            with pytest.raises(InvalidArgumentError, match=r"Journal\(path\)\.open"):
                client.conference(PLAN, journal=journal)
    assert not path.exists()
    assert transport.requests == []


async def test_a_journal_needs_a_key():
    """A plan without a key is refused before anything is sent."""
    _, transport = service()
    async with client_over(transport) as client:
        with pytest.raises(InvalidArgumentError, match="each plan needs its own key"):
            client.conference(["a"], journal=Journal("unused"))
    assert transport.requests == []
