"""Deadlines: on asyncio they end a call exactly as an anyio scope does."""

import asyncio
import math
import threading

import anyio
import anyio.lowlevel
import pytest
from support.backends import JumpingLoop, jumping_backends

from webrtc_async._tasks.deadline import AnyClock, AsyncioClock, clock_here

pytestmark = pytest.mark.anyio


@jumping_backends()
async def test_a_deadline_cancels_its_body_only() -> None:
    """A deadline cancels a slow body at its time, and the code after it runs."""
    clock = clock_here()
    for seconds in (5, 50, 0.5):
        began = clock.now()
        ended = False
        with clock.until(began + seconds):
            await anyio.sleep(100)
            ended = True
        assert not ended
        assert clock.now() - began == pytest.approx(seconds, abs=0.1)
        await anyio.sleep(0.1)


@jumping_backends()
async def test_a_body_within_its_deadline_is_not_cancelled() -> None:
    """A deadline in the future does nothing, and infinity never passes."""
    clock = clock_here()
    with clock.until(clock.now() + 5):
        await anyio.sleep(1)
    with clock.until(math.inf):
        await anyio.sleep(3600)
    await anyio.sleep(10)


@jumping_backends()
async def test_each_of_many_ends_at_its_own_time() -> None:
    """Deadlines of any order, in any number of tasks, are independent."""
    clock = clock_here()
    began = clock.now()
    ends: dict[int, float] = {}

    async def last(seconds: int) -> None:
        with clock.until(began + seconds):
            await anyio.sleep_forever()
        ends[seconds] = clock.now() - began

    async with anyio.create_task_group() as tasks:
        for seconds in (7, 3, 9, 1, 5, 3):
            tasks.start_soon(last, seconds)
    assert sorted(ends) == [1, 3, 5, 7, 9]
    assert all(at == pytest.approx(seconds, abs=0.1) for seconds, at in ends.items())


@jumping_backends()
async def test_a_cancellation_from_outside_goes_through() -> None:
    """An outer scope cancels the deadline too, even at the moment it passes."""
    for seconds in (3, 5):
        reached = False
        with anyio.CancelScope(deadline=anyio.current_time() + seconds) as scope:
            with clock_here().until(anyio.current_time() + 5):
                await anyio.sleep_forever()
            await anyio.lowlevel.checkpoint()
            reached = True
        assert scope.cancelled_caught
        assert not reached


def test_two_cancellations_at_once_are_not_one() -> None:
    """A task cancelled by other code at its deadline ends cancelled."""

    async def test() -> None:
        clock = clock_here()

        async def body() -> None:
            with clock.until(clock.now() + 1):
                await asyncio.sleep(100)

        task = asyncio.create_task(body())
        asyncio.get_running_loop().call_at(clock.now() + 1, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(test())


@jumping_backends()
async def test_a_scope_that_is_cancelled_twice_ends_its_body_once() -> None:
    """A second cancellation does not affect the code after the body."""
    clock = clock_here()
    ended = False
    with clock.until(clock.now() + 5) as scope:
        scope.cancel()
        scope.cancel()
        await anyio.sleep(1)
        ended = True
    await anyio.sleep(10)
    assert not ended


@jumping_backends()
async def test_an_error_in_the_moment_of_the_deadline_stays_an_error() -> None:
    """An error that the body raises as its deadline passes is raised."""
    clock = clock_here()

    async def fail() -> None:
        with clock.until(clock.now() + 1):
            try:
                await anyio.sleep(100)
            finally:
                raise LookupError

    with pytest.raises(LookupError):
        await fail()


async def test_a_clock_belongs_to_its_event_loop(anyio_backend_name: str) -> None:
    """A clock belongs to its own event loop, not to another thread's and not to none."""
    clock = clock_here()
    assert isinstance(clock, AsyncioClock if anyio_backend_name == "asyncio" else AnyClock)
    assert clock.is_here()
    elsewhere: list[bool] = []

    async def look() -> None:
        elsewhere.append(clock.is_here())

    thread = threading.Thread(target=lambda: anyio.run(look))
    thread.start()
    thread.join()
    assert elsewhere == [False]
