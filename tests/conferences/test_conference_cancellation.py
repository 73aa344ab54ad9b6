"""Whoever is cancelled, and however often: nothing is left behind."""

import asyncio
import contextlib
import os
import random
from collections.abc import Awaitable, Callable
from functools import partial

import anyio
import pytest
import trio.testing
from anyio.lowlevel import checkpoint
from conftest import JumpingLoop, jumping_backends
from support.conferences import ACCOUNT, Request, client_over, random_pauses, remaining_in, service

from webrtc_async import AsyncWebRtcClient
from webrtc_async._tasks.background_tasks import BackgroundTasks
from webrtc_async._tasks.background_work import BackgroundWork

CONFERENCES = int(os.environ.get("CONFERENCES", "300"))
"""How many are cancelled in the storm; the conferences session of nox sets it to 10,000."""

AT_A_TIME = 20

Block = Callable[[], Awaitable[None]]


async def cancelled_natively(work: Block, cancels: int, steps: Callable[[], int]) -> None:
    """Run work in an asyncio task, and cancel the task after some steps, several times."""
    task = asyncio.ensure_future(work())
    for _ in range(cancels):
        for _ in range(steps()):
            await checkpoint()
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def cancelled_by_scopes(work: Block, cancels: int, steps: Callable[[], int]) -> None:
    """Run work in nested cancel scopes, and cancel them after some steps, one by one."""
    scopes = [anyio.CancelScope() for _ in range(cancels)]

    async def run() -> None:
        with contextlib.ExitStack() as stack:
            for scope in scopes:
                stack.enter_context(scope)
            await work()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        for scope in scopes:
            for _ in range(steps()):
                await checkpoint()
            scope.cancel()


async def hold(client: AsyncWebRtcClient, source: random.Random) -> None:
    """Have a conference for a while, in which somebody joins and somebody leaves."""
    grace = source.choice([0, 0.001, 1])
    async with client.conference(["a", "b", "c", "d"], grace=grace) as conference:
        for _ in range(source.randrange(20)):
            await checkpoint()
        await conference.join("late")
        await conference.leave("a")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("anyio_backend", "cancelled"),
    [
        ("asyncio", cancelled_by_scopes),
        ("asyncio", cancelled_natively),
        ("trio", cancelled_by_scopes),
    ],
)
async def test_a_storm_of_cancellations_leaves_no_orphan(anyio_backend, cancelled):
    """Conferences that are cancelled at random awaits, once to three times, leave nothing."""
    source = random.Random(f"{cancelled.__name__} {anyio_backend}")
    emulator, transport = service()
    transport.pauses = random_pauses(source)
    completed = 0

    async def one(client: AsyncWebRtcClient) -> None:
        async def work() -> None:
            nonlocal completed
            await hold(client, source)
            completed += 1

        await cancelled(work, source.randint(1, 3), lambda: source.randrange(120))

    async with client_over(transport) as client:
        for _ in range(CONFERENCES // AT_A_TIME):
            async with anyio.create_task_group() as tasks:
                for _ in range(AT_A_TIME):
                    tasks.start_soon(one, client)
    assert remaining_in(emulator) == ()
    # The storm hits: most conferences are cut off, and by no means all before they are up.
    assert completed < CONFERENCES / 2
    assert len([each for each in transport.requests if each.startswith("DELETE")]) > CONFERENCES


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
@pytest.mark.parametrize("phase", ["POST", "PUT", "DELETE"])
async def test_three_native_cancels_do_not_end_it(phase):
    """Three cancels while requests of a phase are under way: all is deleted all the same."""
    emulator, transport = service()
    reached, may_go_on = anyio.Event(), anyio.Event()

    async def wait(request: Request) -> None:
        if request.method == phase:
            reached.set()
            await may_go_on.wait()

    transport.hold = wait
    async with client_over(transport) as client:

        async def work() -> None:
            async with client.conference(["a", "b"]):
                await checkpoint()

        task = asyncio.ensure_future(work())
        await reached.wait()
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0.001)
        assert task.done()
        may_go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert remaining_in(emulator) == ()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
@pytest.mark.parametrize("limit", [asyncio.timeout, anyio.fail_after])
@pytest.mark.parametrize("phase", ["POST", "PUT", "DELETE"])
async def test_deadlines_of_others_do_not_end_it(limit, phase):
    """A caller's own timeout ends its waiting, and nothing of the clean-up."""
    emulator, transport = service()
    may_go_on = anyio.Event()

    async def wait(request: Request) -> None:
        if request.method == phase:
            await may_go_on.wait()

    transport.hold = wait
    async with client_over(transport) as client:
        cut = limit(0.02)
        with pytest.raises(TimeoutError):
            async with contextlib.AsyncExitStack() as stack:
                if isinstance(cut, asyncio.Timeout):
                    await stack.enter_async_context(cut)
                else:
                    stack.enter_context(cut)
                await stack.enter_async_context(client.conference(["a"], grace=0.02))
        may_go_on.set()
    assert remaining_in(emulator) == ()


@pytest.mark.anyio
async def test_a_cancelled_caller_waits_for_the_clean_up():
    """Within its grace, who is cancelled finds everything deleted when it goes on."""
    emulator, transport = service()
    async with client_over(transport) as client:
        with anyio.CancelScope() as scope:
            async with client.conference(["a", "b"]):
                scope.cancel()
                await checkpoint()
        assert scope.cancelled_caught
        assert remaining_in(emulator) == ()


@pytest.mark.anyio
async def test_a_context_may_be_left_in_another_task():
    """A bot may set a conference up in one task and tear it down in another."""
    emulator, transport = service()
    async with client_over(transport) as client:
        context = client.conference(["a"])
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(context.__aenter__)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(context.__aexit__, None, None, None)
        assert remaining_in(emulator) == ()


@pytest.mark.anyio
async def test_a_failing_task_group_leaves_nothing():
    """When one of many tasks fails, the conferences of all the others go with it."""
    emulator, transport = service()
    async with client_over(transport) as client:
        with pytest.raises(ExceptionGroup):
            async with anyio.create_task_group() as tasks:

                async def one(number: int) -> None:
                    async with client.conference(["a", "b"]):
                        if number == 7:
                            raise RuntimeError("one of them")
                        await anyio.sleep_forever()

                for number in range(30):
                    tasks.start_soon(one, number)
        assert remaining_in(emulator) == ()


@jumping_backends()
@pytest.mark.anyio
async def test_closing_gives_up_in_the_end_and_reports_what_is_left(caplog):
    """A client that is closed waits a grace for clean-ups, and then says what it leaves behind."""
    emulator, transport = service()

    async def hang(request: Request) -> None:
        if request.method == "DELETE":
            await anyio.sleep_forever()

    async with client_over(transport) as client:
        with anyio.CancelScope() as scope:
            async with client.conference(["a"], grace=0):
                transport.hold = hang
                scope.cancel()
                await checkpoint()
    for left in remaining_in(emulator):
        assert left in caplog.text
    assert "Not deleted before the client was closed: session " in caplog.text


@pytest.mark.parametrize(
    ("backend", "options"),
    [
        ("asyncio", {"loop_factory": JumpingLoop}),
        ("trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}),
    ],
)
def test_an_event_loop_that_ends_under_a_set_up_is_reported(backend, options, caplog):
    """Where the program ends without closing its client, the log says what that leaves behind."""
    emulator, transport = service()

    async def hang(request: Request) -> None:
        if request.path == "/participants":
            await anyio.sleep_forever()

    async def program() -> None:
        transport.hold = hang
        client = client_over(transport)
        with anyio.move_on_after(1):
            async with client.conference(["a"], grace=0):
                pytest.fail("it was entered")

    anyio.run(program, backend=backend, backend_options=options)
    [left] = remaining_in(emulator)
    assert f"Not deleted before the client was closed: session {left}" in caplog.text


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
@pytest.mark.parametrize("joins_late", [False, True])
async def test_a_cancel_in_the_last_moment_is_not_too_late(joins_late):
    """Who is cancelled when all is up, and before it could go on, leaves nothing either."""
    emulator, transport = service()
    async with client_over(transport) as client:
        for steps in range(60):

            async def work() -> None:
                async with client.conference(["a"]) as conference:
                    if joins_late:
                        await conference.join("late")
                    await anyio.sleep_forever()

            task = asyncio.ensure_future(work())
            for _ in range(steps):
                await checkpoint()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    assert remaining_in(emulator) == ()


@pytest.mark.anyio
async def test_work_that_finds_no_room_is_done_when_there_is_some(caplog):
    """Work beyond what may be under way waits for its turn, also behind work that fails."""
    background_tasks = BackgroundTasks(most=1)
    background_work = BackgroundWork(background_tasks, 1)
    done: list[int] = []

    async def fail() -> None:
        raise RuntimeError("it broke")

    async def work(number: int) -> None:
        await checkpoint()
        done.append(number)

    background_work.start(fail, "the first")
    for number in range(3):
        background_work.start(partial(work, number), f"number {number}")
    await background_work.aclose(5)
    assert done == [0, 1, 2]
    assert background_tasks.under_way == ()
    assert "the first failed." in caplog.text


@jumping_backends()
@pytest.mark.anyio
async def test_a_create_that_outlasts_the_client_is_reported(caplog):
    """When a create hangs until the client is closed, what it belongs to is said to be left."""
    emulator, transport = service()
    may_go_on = anyio.Event()

    async def hang(request: Request) -> None:
        if request.path == "/participants":
            await may_go_on.wait()

    transport.hold = hang
    client = client_over(transport, deadline=1000)
    with anyio.move_on_after(1):
        async with client.conference(["a"], grace=0):
            pytest.fail("it was entered")
    await client.aclose()
    may_go_on.set()
    for _ in range(20):
        await checkpoint()
    assert f"session {emulator.session_ids(ACCOUNT)[0]}" in caplog.text
