"""Work in a client's tasks that the caller's cancellation does not end."""

import logging
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

import anyio
from attrs import define, field

from webrtc_async._tasks.background_tasks import BackgroundTasks, Handle
from webrtc_async._tasks.event_loop import current_event_loop
from webrtc_async._tasks.interrupts import interrupts_between_callbacks

_log: Final = logging.getLogger("webrtc_async")

GRACE: Final = 5.0
"""Default seconds that a cancelled caller waits while the client cleans up after it."""

Work = Callable[[], Coroutine[Any, Any, None]]


@define(eq=False)
class _Job:
    work: Work
    name: str
    on_end: Callable[[], object] | None
    handle: Handle[None] | None = field(default=None, init=False)

    async def do(self) -> None:
        try:
            await self.work()
        except Exception:  # noqa: BLE001  # the next job in the queue must run
            _log.exception("%s failed.", self.name)
        finally:
            self.end()

    def end(self) -> None:
        on_end, self.on_end = self.on_end, None
        if on_end is not None:
            on_end()


@define(eq=False)
class BackgroundWork:
    """The queue and the tasks for work that outlives its caller.

    Attributes:
        background_tasks: Runs the tasks; the client waits for them when it closes.
        max_requests: Requests that may run at the same time: the client's number of connections.
            More would wait inside the client, and spend their deadlines there.
        on_close: Called when the client begins to close, to end work that waits for its caller.
    """

    background_tasks: BackgroundTasks
    max_requests: int
    on_close: set[Callable[[], None]] = field(factory=set[Callable[[], None]], init=False)
    _under_way: set[_Job] = field(factory=set[_Job], init=False)
    _waiting: deque[_Job] = field(factory=deque[_Job], init=False)
    _slots: tuple[object, anyio.CapacityLimiter] | None = field(default=None, init=False)

    @property
    def slots(self) -> anyio.CapacityLimiter:
        """The queue in front of the requests, first come, first served."""
        event_loop = current_event_loop()
        if self._slots is None or self._slots[0] is not event_loop:
            self._slots = event_loop, anyio.CapacityLimiter(self.max_requests)
        return self._slots[1]

    def start(self, work: Work, name: str, *, on_end: Callable[[], object] | None = None) -> None:
        """Start work in a task of the client; queue it while too many tasks run.

        Args:
            work: The coroutine function.
            name: Its name, for reports.
            on_end: Called once: when the work has ended, even if it was cancelled before its first
                step, or when closing leaves it because it ignores its cancellation.
        """
        job = _Job(work, name, on_end)
        job.handle = self.background_tasks.start(
            partial(self._carry_out, job), name=name, on_end=partial(self._end, job)
        )
        if job.handle is None:
            self._waiting.append(job)
        else:
            self._under_way.add(job)

    async def aclose(self, grace: float) -> None:
        """Wait for all started work, and for the work that it starts in turn.

        Args:
            grace: Seconds to wait, even if the caller's cancel scope is cancelled.
        """
        self.background_tasks.bind_to_loop()
        if not self.background_tasks.under_way:
            self._under_way.clear()  # after a fork it is the parent's
        for callback in tuple(self.on_close):
            callback()
        with interrupts_between_callbacks(), anyio.move_on_after(grace, shield=True):
            while self._under_way:
                handle = next(iter(self._under_way)).handle
                assert handle is not None  # noqa: S101  # it was started
                await handle.wait(shielded=False)

    async def _carry_out(self, job: _Job) -> None:
        await job.do()
        while self._waiting:
            await self._waiting.popleft().do()

    def _end(self, job: _Job) -> None:
        self._under_way.discard(job)
        job.end()
        while self._waiting and not self._under_way:
            # The last task was cancelled, and no other takes the next job from the queue.
            self._waiting.popleft().end()


async def wait_for(
    done: anyio.Event,
    *,
    wait_when_cancelled: float,
    on_cancelled: Callable[[], anyio.Event | None] | None = None,
) -> None:
    """Wait until work is done; a cancelled caller waits only a little longer.

    Args:
        done: Set when the work is done.
        wait_when_cancelled: Seconds that a cancelled caller waits.
        on_cancelled: Called as soon as the caller is cancelled; may return another event to wait
            for.
    """
    with interrupts_between_callbacks():
        try:
            await done.wait()
        except BaseException:
            undone = None if on_cancelled is None else on_cancelled()
            # On asyncio another cancel ends this wait too, and nothing else.
            with anyio.move_on_after(wait_when_cancelled, shield=True):
                await (undone or done).wait()
            raise
