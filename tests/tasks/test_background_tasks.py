"""Tasks of a client: they outlive their callers, and `aclose` waits for them."""

import asyncio
import gc

import anyio
import pytest
from support.backends import jumping_backends

from webrtc_async._tasks.background_tasks import BackgroundTasks, Handle

pytestmark = pytest.mark.anyio


class Work:
    """Work of a given duration, which records its progress."""

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


def started(background_tasks: BackgroundTasks, work: Work) -> Handle[object]:
    """Start work that is within the limit."""
    handle = background_tasks.start(work, name="work")
    assert handle is not None
    return handle


async def closed(background_tasks: BackgroundTasks, grace: float) -> tuple[str, ...]:
    """Close background work after a grace, with a second more for cancelled work."""
    now = anyio.current_time()
    return await background_tasks.aclose(until=now + grace, over=now + grace + 1)


@jumping_backends()
async def test_a_handle_gives_the_result() -> None:
    """The caller can wait for the work and get its result."""
    handle = started(BackgroundTasks(), Work(result=5))
    assert not handle.is_done
    with pytest.raises(RuntimeError, match="work was given up or is not done"):
        handle.result()
    assert await handle.wait()
    assert handle.is_done
    assert handle.result() == 5


@jumping_backends()
async def test_a_handle_gives_the_failure() -> None:
    """`result` raises the failure of the work, and nothing else does."""
    background_tasks = BackgroundTasks()
    handle = started(background_tasks, Work(result=KeyError("x")))
    assert await closed(background_tasks, 9) == ()
    with pytest.raises(KeyError):
        handle.result()


@jumping_backends()
async def test_a_grace_ends_the_wait_and_not_the_work() -> None:
    """A caller waits at most its grace; the work continues."""
    background_tasks, work = BackgroundTasks(), Work(10)
    began = anyio.current_time()
    assert not await started(background_tasks, work).wait(grace=3)
    assert anyio.current_time() - began == pytest.approx(3, abs=0.5)
    assert background_tasks.under_way == ("work",)
    assert await closed(background_tasks, 60) == ()
    assert work.ended == "done"


@jumping_backends()
async def test_a_cancelled_scope_does_not_end_a_shielded_wait() -> None:
    """In a cancelled scope a shielded wait continues, and an unshielded one ends at once."""
    background_tasks = BackgroundTasks()
    with anyio.CancelScope() as scope:
        scope.cancel()
        shielded = started(background_tasks, Work(5))
        assert await shielded.wait()
        unshielded = started(background_tasks, Work(5))
        await unshielded.wait(shielded=False)
    assert scope.cancelled_caught
    assert not unshielded.is_done
    assert await unshielded.wait()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("times", [1, 2, 3])
async def test_native_cancellations_do_not_reach_the_work(times: int) -> None:
    """Work finishes although asyncio cancels its caller repeatedly; `aclose` waits for it."""
    background_tasks, work, is_shielded = BackgroundTasks(), Work(0.01), anyio.Event()

    async def call() -> None:
        handle = started(background_tasks, work)
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
    gc.collect()  # nothing but the background_tasks keeps the task
    assert await closed(background_tasks, 9) == ()
    assert work.ended == "done"
    await asyncio.wait([caller])


@jumping_backends()
async def test_a_failing_group_does_not_reach_the_work() -> None:
    """Work started in a task group finishes although the group fails."""
    background_tasks, work = BackgroundTasks(), Work(5)

    async def begin() -> None:
        started(background_tasks, work)
        await anyio.sleep_forever()

    async def fail() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(begin)
            await anyio.wait_all_tasks_blocked()
            raise KeyError

    with pytest.raises(ExceptionGroup):
        await fail()
    assert await closed(background_tasks, 9) == ()
    assert work.ended == "done"


@jumping_backends()
async def test_aclose_cancels_work_after_the_grace() -> None:
    """After the grace, remaining work is cancelled, waited for and named."""
    background_tasks, short, long = BackgroundTasks(), Work(1), Work(100)
    started(background_tasks, short)
    handle = started(background_tasks, long)
    began = anyio.current_time()
    assert await closed(background_tasks, 5) == ("work",)
    assert anyio.current_time() - began == pytest.approx(5, abs=0.5)
    assert (short.ended, long.ended) == ("done", "cut off")
    assert handle.is_done
    assert handle.is_given_up
    assert background_tasks.under_way == ()


@jumping_backends()
async def test_aclose_waits_inside_a_cancelled_scope() -> None:
    """A client that is closed in a cancelled scope still waits."""
    background_tasks, work = BackgroundTasks(), Work(3)
    started(background_tasks, work)
    with anyio.CancelScope() as scope:
        scope.cancel()
        assert await closed(background_tasks, 5) == ()
    assert work.ended == "done"


@jumping_backends()
async def test_aclose_waits_for_work_that_work_started() -> None:
    """`aclose` also waits for work that other work started."""
    background_tasks, second = BackgroundTasks(), Work(2)

    async def first() -> None:
        await anyio.sleep(1)
        started(background_tasks, second)

    assert background_tasks.start(first, name="first") is not None
    assert await closed(background_tasks, 5) == ()
    assert second.ended == "done"


@jumping_backends()
async def test_running_work_can_get_a_timeout() -> None:
    """A timeout set while the work runs ends it, unless it has already finished."""
    background_tasks, late, early = BackgroundTasks(), Work(10), Work(1)
    handles = [started(background_tasks, late), started(background_tasks, early)]
    for handle in handles:
        handle.give_up_after(2)
        handle.give_up_after(5)
    assert [await handle.wait() for handle in handles] == [True, True]
    assert (late.ended, early.ended) == ("cut off", "done")


@jumping_backends()
async def test_the_number_of_tasks_is_limited() -> None:
    """At its limit it refuses new work; a finished task makes room again."""
    background_tasks = BackgroundTasks(limit=2)
    first, _ = started(background_tasks, Work(1)), started(background_tasks, Work(1))
    assert background_tasks.start(Work(), name="third") is None
    await first.wait()
    started(background_tasks, Work(1))
    assert await closed(background_tasks, 9) == ()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_new_event_loop_forgets_unfinished_work(backend: str) -> None:
    """Work cut off by the end of an event loop is not waited for in the next one."""
    background_tasks, work = BackgroundTasks(), Work(100)

    async def leave() -> None:
        started(background_tasks, work)
        await anyio.wait_all_tasks_blocked()

    async def close() -> tuple[str, ...]:
        return await closed(background_tasks, 5)

    anyio.run(leave, backend=backend)
    assert work.ended == "cut off"
    assert anyio.run(close, backend=backend) == ()


@jumping_backends()
async def test_aclose_leaves_work_that_ignores_its_cancellation() -> None:
    """Work that ignores cancellation delays closing only until the last timeout."""
    background_tasks, ends = BackgroundTasks(), anyio.Event()

    async def ignore_everything() -> None:
        with anyio.CancelScope(shield=True):
            await ends.wait()

    assert background_tasks.start(ignore_everything, name="deaf") is not None
    await anyio.wait_all_tasks_blocked()
    began = anyio.current_time()
    assert await closed(background_tasks, 5) == ("deaf",)
    assert anyio.current_time() - began == pytest.approx(6, abs=0.5)
    ends.set()
    await anyio.wait_all_tasks_blocked()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_work_that_was_cancelled_before_its_first_step_has_ended() -> None:
    """asyncio never starts a task that is cancelled at once; its waiters still return."""
    background_tasks, work, before = BackgroundTasks(), Work(100), asyncio.all_tasks()
    handle = started(background_tasks, work)
    for task in asyncio.all_tasks() - before:
        task.cancel()
    assert await handle.wait()
    assert background_tasks.under_way == ()
    assert await closed(background_tasks, 5) == ()
    assert work.ended == ""
    with pytest.raises(RuntimeError, match="was given up or is not done"):
        handle.result()
