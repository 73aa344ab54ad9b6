"""Background work is queued and done in order, and closing waits for it."""

import asyncio
from functools import partial

import anyio
import pytest
from anyio.lowlevel import checkpoint

from webrtc_async._tasks.background_tasks import BackgroundTasks
from webrtc_async._tasks.background_work import BackgroundWork


@pytest.mark.anyio
async def test_work_above_the_limit_runs_later(caplog):
    """Work above the limit waits for its turn, even behind work that fails."""
    background_tasks = BackgroundTasks(1)
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


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_work_in_the_queue_of_a_cancelled_task_has_ended():
    """If the end of an event loop cancels the tasks, nobody waits for work that never began."""
    background_work = BackgroundWork(BackgroundTasks(1), 1)
    before, ended = asyncio.all_tasks(), list[str]()
    for name in ("the first", "the second", "the third"):
        end = partial(ended.append, name)
        background_work.start(anyio.sleep_forever, name, on_end=end)
    for task in asyncio.all_tasks() - before:
        task.cancel()
    await background_work.aclose(5)
    assert ended == ["the first", "the second", "the third"]
