"""What all conferences of one client share: their place in the queue, and who finishes the work."""

import logging
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

import anyio
from attrs import define, field

from webrtc_async._tasks.background_tasks import BackgroundTasks, Handle
from webrtc_async._tasks.event_loop import current_event_loop
from webrtc_async.conferences.resource import Resource

_log: Final = logging.getLogger("webrtc_async")

GRACE: Final = 5.0
"""Seconds that a cancelled caller waits by default while the client cleans up after it."""


Work = Callable[[], Coroutine[Any, Any, None]]


@define(eq=False)
class BackgroundWork:
    """Carries work on that its caller's cancellation must not end.

    Attributes:
        background_tasks: Runs the tasks; the client waits for them when it is closed.
        most_requests: Requests at a time, the client's number of connections: more would wait
            inside the client, and spend their deadlines there.
    """

    background_tasks: BackgroundTasks
    most_requests: int
    _under_way: set[Handle[None]] = field(factory=set[Handle[None]], init=False)
    _waiting: deque[tuple[Work, str]] = field(factory=deque[tuple[Work, str]], init=False)
    _places: tuple[object, anyio.CapacityLimiter] | None = field(default=None, init=False)

    @property
    def places(self) -> anyio.CapacityLimiter:
        """Where requests wait for their turn, first come, first served."""
        event_loop = current_event_loop()
        if self._places is None or self._places[0] is not event_loop:
            self._places = event_loop, anyio.CapacityLimiter(self.most_requests)
        return self._places[1]

    def start(self, work: Work, name: str) -> None:
        """Have work done in a task of the client's; it waits while too much is under way."""

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
        """Wait for all that is under way, also for what it starts meanwhile.

        Args:
            grace: Seconds to wait; a cancelled scope around the caller lets it wait on.
        """
        with anyio.move_on_after(grace, shield=True):
            while self._under_way:
                await next(iter(self._under_way)).wait(shielded=False)

    async def _do(self, work: Work, name: str) -> None:
        try:
            await work()
        except Exception:
            # Whoever waits sees in the work itself that it is not done.
            _log.exception("%s failed.", name)


def report_left(left: Sequence[Resource]) -> None:
    """Say what is left behind by work that was given up with the client."""
    if left:
        _log.warning("Not deleted before the client was closed: %s.", ", ".join(map(str, left)))


async def wait_for(
    done: anyio.Event, *, grace: float, on_leaving: Callable[[], anyio.Event | None] | None = None
) -> None:
    """Wait until work is done; who is cancelled meanwhile waits for a grace and no longer.

    Args:
        done: Set when the work is done.
        grace: Seconds.
        on_leaving: Called at once when the caller is cancelled; may return what to wait for then.
    """
    try:
        await done.wait()
    except BaseException:
        undone = None if on_leaving is None else on_leaving()
        # On asyncio another cancel ends this wait too, and that is all that it ends.
        with anyio.move_on_after(grace, shield=True):
            await (undone or done).wait()
        raise
