"""Background work is queued and done in order, and closing waits for it."""

from functools import partial

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
