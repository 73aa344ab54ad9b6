"""Cancellation at any await, any number of times, leaves nothing behind."""

import asyncio
import contextlib
import os
import random
from collections.abc import Awaitable, Callable

import anyio
import pytest
from anyio.lowlevel import checkpoint
from support.conferences import Request, client_over, random_pauses, remaining_in, service

from webrtc_async import AsyncWebRtcClient, Conference, ConferencePlan, LiveConference

CONFERENCES = int(os.environ.get("CONFERENCES", "300"))
"""Conferences that each storm cancels; the conferences session of nox sets it to 10,000."""

AT_A_TIME = 20

NAMES = ["a", "b", "c", "d"]

Block = Callable[[], Awaitable[None]]


async def cancelled_natively(work: Block, cancels: int, steps: Callable[[], int]) -> None:
    """Run work in an asyncio task, and cancel the task several times, some steps apart."""
    task = asyncio.ensure_future(work())
    for _ in range(cancels):
        for _ in range(steps()):
            await checkpoint()
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def cancelled_by_scopes(work: Block, cancels: int, steps: Callable[[], int]) -> None:
    """Run work in nested cancel scopes, and cancel them one by one, some steps apart."""
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


async def change(conference: LiveConference, source: random.Random) -> None:
    """Hold a conference for a while; one participant joins late and one leaves."""
    for _ in range(source.randrange(20)):
        await checkpoint()
    await conference.join("late")
    await conference.leave("a")


async def in_a_block(client: AsyncWebRtcClient, source: random.Random, grace: float) -> None:
    """Change a conference in its block."""
    async with client.conference(NAMES, grace=grace) as conference:
        await change(conference, source)


async def by_calls(client: AsyncWebRtcClient, source: random.Random, grace: float) -> None:
    """Open, change and end a conference by separate calls."""
    conference = await client.open_conference(NAMES, grace=grace)
    try:
        await change(conference, source)
    finally:
        await conference.end()


async def resumed(client: AsyncWebRtcClient, source: random.Random, grace: float) -> None:
    """Open a conference, and change and end it as another process would."""
    opened = await client.open_conference(NAMES, grace=grace)
    conference = client.resume_conference(opened.to_json(), grace=grace)
    try:
        await client.join(opened.session.id, "not stored", grace=grace)
        await change(conference, source)
    finally:
        await conference.end()


async def in_bulk(client: AsyncWebRtcClient, source: random.Random, grace: float) -> None:
    """Set up in bulk, take the first result, and leave the other to the client."""
    plans = [ConferencePlan(NAMES), ConferencePlan(NAMES)]
    up: list[Conference] = []
    try:
        if source.randrange(2):
            async with client.set_up(plans, grace=grace) as results:
                up.append((await anext(results)).get())
        else:
            async for result in client.set_up(plans, grace=grace):
                up.append(result.get())
                break
    finally:
        for each in up:
            await client.resume_conference(each, grace=grace).end()


WAYS = (in_a_block, by_calls, resumed, in_bulk)


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
    """Conferences that are cancelled one to three times at random awaits leave nothing."""
    source = random.Random(f"{cancelled.__name__} {anyio_backend}")
    emulator, transport = service()
    transport.pauses = random_pauses(source)
    completed = 0

    async def one(client: AsyncWebRtcClient) -> None:
        async def work() -> None:
            nonlocal completed
            await source.choice(WAYS)(client, source, source.choice([0, 0.001, 1]))
            completed += 1

        await cancelled(work, source.randint(1, 3), lambda: source.randrange(120))

    async with client_over(transport) as client:
        for _ in range(CONFERENCES // AT_A_TIME):
            async with anyio.create_task_group() as tasks:
                for _ in range(AT_A_TIME):
                    tasks.start_soon(one, client)
    assert remaining_in(emulator) == ()
    # The storm is real: it cuts off most conferences, many of them after their set-up.
    assert completed < CONFERENCES / 2
    assert len([each for each in transport.requests if each.startswith("DELETE")]) > CONFERENCES


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
@pytest.mark.parametrize("phase", ["POST", "PUT", "DELETE"])
async def test_three_native_cancels_do_not_end_it(phase):
    """Everything is deleted after three cancels during the requests of one phase."""
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
async def test_a_caller_s_timeout_does_not_end_it(limit, phase):
    """A caller's own timeout ends its wait, but not the clean-up."""
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
    """A cancelled caller waits up to its grace, and everything is deleted after that."""
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
    """A bot can set up a conference in one task and tear it down in another."""
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
    """If one of many tasks fails, the conferences of all tasks are deleted."""
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


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
@pytest.mark.parametrize("joins_late", [False, True])
async def test_a_cancel_at_the_last_moment_is_not_too_late(joins_late):
    """A caller cancelled between the end of the set-up and its own next step leaves nothing."""
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
