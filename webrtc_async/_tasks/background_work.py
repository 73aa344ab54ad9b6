"""Work in a client's tasks that the caller's cancellation does not end."""

import logging
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final

import anyio
from attrs import define, field

from webrtc_async._tasks.background_tasks import BackgroundTasks, Handle
from webrtc_async._tasks.event_loop import current_event_loop

_log: Final = logging.getLogger("webrtc_async")

GRACE: Final = 5.0
"""Default seconds that a cancelled caller waits while the client cleans up after it."""

Work = Callable[[], Coroutine[Any, Any, None]]


@define(eq=False)
class BackgroundWork:
    """The queue and the tasks for work that outlives its caller.

    Attributes:
        background_tasks: Runs the tasks; the client waits for them when it closes.
        max_requests: Requests that may run at the same time: the client's number of connections.
            More would wait inside the client, and spend their deadlines there.
    """

    background_tasks: BackgroundTasks
    max_requests: int
    _under_way: set[Handle[None]] = field(factory=set[Handle[None]], init=False)
    _waiting: deque[tuple[Work, str]] = field(factory=deque[tuple[Work, str]], init=False)
    _slots: tuple[object, anyio.CapacityLimiter] | None = field(default=None, init=False)

    @property
    def slots(self) -> anyio.CapacityLimiter:
        """The queue in front of the requests, first come, first served."""
        event_loop = current_event_loop()
        if self._slots is None or self._slots[0] is not event_loop:
            self._slots = event_loop, anyio.CapacityLimiter(self.max_requests)
        return self._slots[1]

    def start(self, work: Work, name: str) -> None:
        """Start work in a task of the client; queue it while too many tasks run."""

        async def carry_out() -> None:
            try:
                await self._do(work, name)
                while self._waiting:
                    await self._do(*self._waiting.popleft())
            finally:
                self._under_way.difference_update(started)

        handle = self.background_tasks.start(carry_out, name=name)
        started = [] if handle is None else [handle]
        self._under_way.update(started)
        if not started:
            self._waiting.append((work, name))

    async def aclose(self, grace: float) -> None:
        """Wait for all started work, and for the work that it starts in turn.

        Args:
            grace: Seconds to wait, even if the caller's cancel scope is cancelled.
        """
        with anyio.move_on_after(grace, shield=True):
            while self._under_way:
                await next(iter(self._under_way)).wait(shielded=False)

    async def _do(self, work: Work, name: str) -> None:
        try:
            await work()
        except Exception:  # noqa: BLE001  # the next work in the queue must run
            _log.exception("%s failed.", name)


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
    try:
        await done.wait()
    except BaseException:
        undone = None if on_cancelled is None else on_cancelled()
        # On asyncio another cancel ends this wait too, and nothing else.
        with anyio.move_on_after(wait_when_cancelled, shield=True):
            await (undone or done).wait()
        raise
