"""The results of bulk calls: taken one by one, left early, and cut off without a loss."""

import gc
import pickle
import random
from datetime import UTC, datetime

import anyio
import pytest
from anyio.lowlevel import checkpoint
from support.conferences import ACCOUNT, Request, client_over, random_pauses, remaining_in, service
from support.scripted import policy

from webrtc_async import (
    AsyncWebRtcClient,
    BulkProgress,
    BulkResults,
    ClientClosedError,
    ConferencePlan,
    ParticipantSpec,
    SetUpDone,
    SetupError,
    SetUpFailed,
)

pytestmark = pytest.mark.anyio


def plans(count: int) -> list[ConferencePlan]:
    """Return plans with keys and tags."""
    return [
        ConferencePlan(
            [ParticipantSpec("a", tag=f"a-{number}")], key=f"k-{number}", tag=f"t-{number}"
        )
        for number in range(count)
    ]


def kept_by(client: AsyncWebRtcClient) -> tuple[str, ...]:
    """Return the names of the client's background tasks."""
    return client.background_tasks.under_way


async def test_a_loop_without_a_block_may_be_left_early():
    """After a break, only the conferences that were taken exist, once the work has ended."""
    emulator, transport = service()
    transport.pauses = random_pauses(random.Random(4))
    taken = []
    async with client_over(transport) as client:
        async for result in client.set_up(plans(100), concurrency=4):
            taken.append(result.get())
            if len(taken) == 10:
                break
        gc.collect()
        await anyio.wait_all_tasks_blocked()
        assert kept_by(client) == ()
    assert set(emulator.session_ids(ACCOUNT)) == {each.session.id for each in taken}
    assert len(remaining_in(emulator)) == 2 * len(taken)


async def test_results_that_were_ready_are_deleted_too():
    """Finished work that nobody takes is undone when its results are dropped."""
    emulator, transport = service()
    async with client_over(transport) as client:
        results = client.set_up(plans(5))
        first = (await anext(results)).get()
        await anyio.wait_all_tasks_blocked()
        assert len(emulator.session_ids(ACCOUNT)) == 5
        del results
        gc.collect()
        await anyio.wait_all_tasks_blocked()
        assert emulator.session_ids(ACCOUNT) == (first.session.id,)


async def test_a_closing_client_ends_work_that_waits_for_its_caller():
    """Closing takes no grace for a loop that was left, and deletes what was not taken."""
    emulator, transport = service()
    async with client_over(transport) as client:
        results = client.set_up(plans(100), concurrency=2)
        first = (await anext(results)).get()
        await anyio.wait_all_tasks_blocked()
        began = anyio.current_time()
    assert anyio.current_time() - began < 2
    assert emulator.session_ids(ACCOUNT) == (first.session.id,)
    with pytest.raises(ClientClosedError):
        await anext(results)
    with pytest.raises(StopAsyncIteration):
        await anext(results)


async def test_a_closing_client_deletes_results_that_were_ready():
    """The same holds if all work is done and the results only wait to be taken."""
    emulator, transport = service()
    async with client_over(transport) as client:
        results = client.set_up(plans(5))
        first = (await anext(results)).get()
        await anyio.wait_all_tasks_blocked()
        assert kept_by(client) == ()
    assert emulator.session_ids(ACCOUNT) == (first.session.id,)
    await results.aclose()


@pytest.mark.parametrize("others", [1, 5])
async def test_another_task_may_end_the_work(others):
    """A task that waits for a result learns that there is none any more."""
    emulator, transport = service()
    transport.pauses = random_pauses(random.Random(others))
    taken: list[str] = []
    for steps in range(0, 60, 3):
        async with client_over(transport) as client:
            results = client.set_up(plans(4))

            async def take(results: BulkResults[SetUpDone | SetUpFailed]) -> None:
                async for result in results:
                    taken.append(result.get().session.id)

            async with anyio.create_task_group() as tasks:
                for _ in range(others):
                    tasks.start_soon(take, results)
                for _ in range(steps):
                    await checkpoint()
                await results.aclose()
    assert set(emulator.session_ids(ACCOUNT)) == set(taken)


async def test_results_of_an_event_loop_that_has_ended_are_forgotten(anyio_backend_name):
    """Results that outlive their event loop keep nothing alive in their client."""
    _, transport = service()
    client = client_over(transport)

    async def begin() -> BulkResults[SetUpDone | SetUpFailed]:
        results = client.set_up(plans(5))
        await anext(results)
        await anyio.wait_all_tasks_blocked()
        return results

    def run_elsewhere() -> BulkResults[SetUpDone | SetUpFailed]:
        return anyio.run(begin, backend=anyio_backend_name)

    results = await anyio.to_thread.run_sync(run_elsewhere)
    assert len(client._background_work.on_close) == 1
    await client.aclose()  # it has nothing to end in this event loop
    del results
    gc.collect()
    assert client._background_work.on_close == set()


async def test_a_loop_can_be_continued():
    """A break ends nothing while the results are kept; a second loop takes the others."""
    emulator, transport = service()
    async with client_over(transport) as client, client.set_up(plans(20)) as results:
        keys = []
        async for result in results:
            keys.append(result.plan.key)
            if len(keys) == 3:
                break
        keys += [result.plan.key async for result in results]
        assert sorted(keys) == sorted(each.key for each in plans(20))
        with pytest.raises(StopAsyncIteration):
            await anext(results)
    assert len(emulator.session_ids(ACCOUNT)) == 20


async def test_a_wait_for_a_result_may_time_out_in_its_block():
    """Inside the block a cancelled wait loses no result and ends nothing."""
    emulator, transport = service()
    transport.pauses = random_pauses(random.Random(5))
    taken, cancelled = [], 0
    async with client_over(transport) as client, client.set_up(plans(30), concurrency=3) as results:
        while True:
            async with anyio.create_task_group() as tasks:
                found: list[SetUpDone | SetUpFailed | None] = []

                async def take(found: list[SetUpDone | SetUpFailed | None]) -> None:
                    found.append(await anext(results, None))

                tasks.start_soon(take, found)
                for _ in range(3):
                    await checkpoint()
                tasks.cancel_scope.cancel()
            cancelled += not found
            if found == [None]:
                break
            taken += [each.get() for each in found if each is not None]
    assert cancelled > 3
    assert {each.key for each in taken} == {each.key for each in plans(30)}
    assert len(remaining_in(emulator)) == 60


async def test_progress_counts_a_result_once():
    """A callback that is cancelled is not called again for the same result."""
    _, transport = service()
    seen: list[int] = []

    async def slow(progress: BulkProgress) -> None:
        seen.append(progress.done)
        await anyio.sleep(0.001)

    async with (
        client_over(transport) as client,
        client.set_up(plans(3), on_progress=slow) as results,
    ):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anext, results)
            while not seen:
                await checkpoint()
            tasks.cancel_scope.cancel()
        assert len([each async for each in results]) == 3
    assert seen == [1, 2, 3]


async def test_several_tasks_may_take_results():
    """Each result is given to one task."""
    emulator, transport = service()
    transport.pauses = random_pauses(random.Random(6))
    taken: list[str] = []
    async with client_over(transport) as client, client.set_up(plans(40)) as results:

        async def take() -> None:
            async for result in results:
                taken.append(result.plan.key)

        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(take)
    assert sorted(taken) == sorted(each.key for each in plans(40))
    assert len(emulator.session_ids(ACCOUNT)) == 40


async def test_a_block_that_asks_for_nothing_sends_nothing():
    """The work starts with the first result that is asked for."""
    _, transport = service()
    async with client_over(transport) as client:
        async with client.set_up(plans(3)) as results:
            await results.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(results)
        client.tear_down([])
    assert transport.requests == []


async def test_results_can_be_pickled_and_matched():
    """A result is either of two classes, which a worker can send to another process."""
    _, transport = service()
    transport.refuse = lambda request: 409 if len(transport.requests) == 1 else None
    async with client_over(transport) as client:
        results = [each async for each in client.set_up(plans(2))]
    for result in results:
        again = pickle.loads(pickle.dumps(result))
        match again:
            case SetUpDone(plan=plan, conference=conference):
                assert (plan, conference) == (result.plan, result.get())
                assert result.in_doubt == ()
            case SetUpFailed(plan=plan, error=error):
                assert plan == result.plan
                with pytest.raises(type(error)):
                    again.get()
    assert {type(each) for each in results} == {SetUpDone, SetUpFailed}


async def test_lost_creates_are_in_doubt():
    """A failed set-up lists what may exist, with its kind, name, tag, key and time."""
    emulator, transport = service()
    transport.lose = lambda request: request.method == "POST"
    began = datetime.now(UTC)
    async with client_over(transport, retry=policy(attempts=1)) as client:
        [result] = [each async for each in client.set_up(plans(1))]
    assert isinstance(result, SetUpFailed)
    found = {each.kind: each for each in result.in_doubt}
    assert found.keys() <= {"session", "participant"}
    assert len(found) == len(result.in_doubt) == len(remaining_in(emulator)) > 0
    for each in found.values():
        assert each.id is None
        assert each.key == "k-0"
        assert (each.name, each.tag) == (
            ("a", "a-0") if each.kind == "participant" else ("", "t-0")
        )
        assert began <= each.since <= datetime.now(UTC)
        assert str(each).startswith(f"{each.kind} ")
        assert f"without a known id, tagged {each.tag!r}, from 20" in str(each)
    again = pickle.loads(pickle.dumps(result))
    assert again.in_doubt == result.in_doubt


async def test_a_create_that_is_still_in_flight_is_in_doubt():
    """A set-up whose deadline passes during a create lists it, and what waits to be deleted."""
    emulator, transport = service()

    async def hold(request: Request) -> None:
        if request.path == "/sessions":
            await anyio.sleep_forever()

    transport.hold = hold
    async with client_over(transport, close_grace=0, create_grace=0) as client:
        with pytest.raises(SetupError) as got:
            await client.open_conference(["a"], tag="t", deadline=0.05, grace=0.05)
    session, participant = got.value.in_doubt
    assert (session.kind, session.id, session.tag) == ("session", None, "t")
    assert (participant.kind, participant.id) == ("participant", *remaining_in(emulator))


async def test_what_could_not_be_deleted_is_in_doubt():
    """Resources whose roll-back failed are listed with their ids."""
    emulator, transport = service()
    transport.refuse = lambda request: 409 if request.method in ("PUT", "DELETE") else None
    async with client_over(transport) as client:
        [result] = [each async for each in client.set_up(plans(1))]
    assert {each.id for each in result.in_doubt} == set(remaining_in(emulator))
    assert {each.tag for each in result.in_doubt} == {"a-0", "t-0"}
    assert all(each.id in str(each) for each in result.in_doubt)


async def test_other_failures_leave_nothing_in_doubt(tmp_path):
    """A plan that is refused has nothing in doubt."""
    async with client_over(service()[1]) as client:
        path = tmp_path / "journal"
        [result] = [each async for each in client.set_up([ConferencePlan(["a"])], journal=path)]
    assert result.in_doubt == ()
