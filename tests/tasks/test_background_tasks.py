"""Tasks that a client owns: they outlive their callers, and `aclose` waits for them."""

import asyncio
import gc

import anyio
import pytest
from conftest import jumping_backends

from webrtc_async._tasks.background_tasks import Handle, Reaper

pytestmark = pytest.mark.anyio


class Work:
    """Work that takes so many seconds, and says how far it came."""

    def __init__(self, seconds: float = 1.0, result: object = "done") -> None:
        self.seconds = seconds
        self.result = result
        self.ended = ""

    async def __call__(self) -> object:
        try:
            await anyio.sleep(self.seconds)
        except BaseException:
            self.ended = "cut off"
            raise
        self.ended = "done"
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result


def started(reaper: Reaper, work: Work) -> Handle[object]:
    """Start work that there is room for."""
    handle = reaper.start(work, name="work")
    assert handle is not None
    return handle


async def closed(reaper: Reaper, grace: float) -> tuple[str, ...]:
    """Close a reaper after a grace, with a second more for what was given up."""
    now = anyio.current_time()
    return await reaper.aclose(until=now + grace, over=now + grace + 1)


@jumping_backends()
async def test_a_handle_gives_the_result() -> None:
    """The caller can wait for the work and have its result."""
    handle = started(Reaper(), Work(result=5))
    assert not handle.is_done
    with pytest.raises(RuntimeError, match="work was given up or is not done"):
        handle.result()
    assert await handle.wait()
    assert handle.is_done
    assert handle.result() == 5


@jumping_backends()
async def test_a_handle_gives_the_failure() -> None:
    """What the work raises is raised to whoever asks for its result, and to nobody else."""
    reaper = Reaper()
    handle = started(reaper, Work(result=KeyError("x")))
    assert await closed(reaper, 9) == ()
    with pytest.raises(KeyError):
        handle.result()


@jumping_backends()
async def test_a_grace_ends_the_wait_and_not_the_work() -> None:
    """A caller waits no longer than its grace; the work goes on."""
    reaper, work = Reaper(), Work(10)
    began = anyio.current_time()
    assert not await started(reaper, work).wait(grace=3)
    assert anyio.current_time() - began == pytest.approx(3, abs=0.5)
    assert reaper.under_way == ("work",)
    assert await closed(reaper, 60) == ()
    assert work.ended == "done"


@jumping_backends()
async def test_a_cancelled_scope_does_not_end_a_shielded_wait() -> None:
    """Inside a cancelled scope a shielded wait goes on, and an unshielded one ends at once."""
    reaper = Reaper()
    with anyio.CancelScope() as scope:
        scope.cancel()
        shielded = started(reaper, Work(5))
        assert await shielded.wait()
        unshielded = started(reaper, Work(5))
        await unshielded.wait(shielded=False)
    assert scope.cancelled_caught
    assert not unshielded.is_done
    assert await unshielded.wait()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("times", [1, 2, 3])
async def test_native_cancellations_do_not_reach_the_work(times: int) -> None:
    """However often asyncio cancels the caller, the work is done, and `aclose` waits for it."""
    reaper, work, is_shielded = Reaper(), Work(0.01), anyio.Event()

    async def call() -> None:
        handle = started(reaper, work)
        try:
            is_shielded.set()
            await anyio.sleep_forever()
        finally:
            for _ in range(times):
                try:
                    await handle.wait()
                except asyncio.CancelledError:
                    continue

    caller = asyncio.ensure_future(call())
    await is_shielded.wait()
    for _ in range(times):
        caller.cancel()
        await asyncio.sleep(0)
    gc.collect()  # nothing but the reaper keeps the task
    assert await closed(reaper, 9) == ()
    assert work.ended == "done"
    await asyncio.wait([caller])


@jumping_backends()
async def test_a_failing_group_does_not_reach_the_work() -> None:
    """Work that was started in a task group is done although the group fails."""
    reaper, work = Reaper(), Work(5)

    async def begin() -> None:
        started(reaper, work)
        await anyio.sleep_forever()

    async def fail() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(begin)
            await anyio.wait_all_tasks_blocked()
            raise KeyError

    with pytest.raises(ExceptionGroup):
        await fail()
    assert await closed(reaper, 9) == ()
    assert work.ended == "done"


@jumping_backends()
async def test_aclose_gives_up_what_does_not_end() -> None:
    """After the grace what is left is cancelled, waited for and named."""
    reaper, short, long = Reaper(), Work(1), Work(100)
    started(reaper, short)
    handle = started(reaper, long)
    began = anyio.current_time()
    assert await closed(reaper, 5) == ("work",)
    assert anyio.current_time() - began == pytest.approx(5, abs=0.5)
    assert (short.ended, long.ended) == ("done", "cut off")
    assert handle.is_done
    assert handle.is_given_up
    assert reaper.under_way == ()


@jumping_backends()
async def test_aclose_waits_inside_a_cancelled_scope() -> None:
    """A client that is closed while everything around it is cancelled still waits."""
    reaper, work = Reaper(), Work(3)
    started(reaper, work)
    with anyio.CancelScope() as scope:
        scope.cancel()
        assert await closed(reaper, 5) == ()
    assert work.ended == "done"


@jumping_backends()
async def test_aclose_waits_for_work_that_work_started() -> None:
    """Work may start further work, which is waited for as well."""
    reaper, second = Reaper(), Work(2)

    async def first() -> None:
        await anyio.sleep(1)
        started(reaper, second)

    assert reaper.start(first, name="first") is not None
    assert await closed(reaper, 5) == ()
    assert second.ended == "done"


@jumping_backends()
async def test_work_can_be_given_up_after_a_time() -> None:
    """A bound that is set while the work runs ends it, unless it was done before."""
    reaper, late, early = Reaper(), Work(10), Work(1)
    handles = [started(reaper, late), started(reaper, early)]
    for handle in handles:
        handle.give_up_after(2)
        handle.give_up_after(5)
    assert [await handle.wait() for handle in handles] == [True, True]
    assert (late.ended, early.ended) == ("cut off", "done")


@jumping_backends()
async def test_no_more_than_most() -> None:
    """Beyond its bound a reaper starts nothing, and says so; there is room again afterwards."""
    reaper = Reaper(most=2)
    first, _ = started(reaper, Work(1)), started(reaper, Work(1))
    assert reaper.start(Work(), name="third") is None
    await first.wait()
    started(reaper, Work(1))
    assert await closed(reaper, 9) == ()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_another_run_forgets_the_work_of_the_last(backend: str) -> None:
    """What the end of an event loop cut off is not waited for in the next."""
    reaper, work = Reaper(), Work(100)

    async def leave() -> None:
        started(reaper, work)
        await anyio.wait_all_tasks_blocked()

    async def close() -> tuple[str, ...]:
        return await closed(reaper, 5)

    anyio.run(leave, backend=backend)
    assert work.ended == "cut off"
    assert anyio.run(close, backend=backend) == ()


@jumping_backends()
async def test_aclose_leaves_work_that_ignores_its_cancellation() -> None:
    """Work that shields itself from everything holds nobody up for longer than the last bound."""
    reaper, ends = Reaper(), anyio.Event()

    async def ignore_everything() -> None:
        with anyio.CancelScope(shield=True):
            await ends.wait()

    assert reaper.start(ignore_everything, name="deaf") is not None
    await anyio.wait_all_tasks_blocked()
    began = anyio.current_time()
    assert await closed(reaper, 5) == ("deaf",)
    assert anyio.current_time() - began == pytest.approx(6, abs=0.5)
    ends.set()
    await anyio.wait_all_tasks_blocked()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_work_that_was_cancelled_before_its_first_step_has_ended() -> None:
    """asyncio never starts a task that is cancelled at once; whoever waits for it is let go."""
    reaper, work, before = Reaper(), Work(100), asyncio.all_tasks()
    handle = started(reaper, work)
    for task in asyncio.all_tasks() - before:
        task.cancel()
    assert await handle.wait()
    assert reaper.under_way == ()
    assert await closed(reaper, 5) == ()
    assert work.ended == ""
    with pytest.raises(RuntimeError, match="was given up or is not done"):
        handle.result()
