"""A set-up in a task of the client, for a caller that may be cancelled."""

import contextlib
import math
from collections.abc import Awaitable, Callable

import anyio
from attrs import define, field

from webrtc_async._tasks.background_work import BackgroundWork, wait_for
from webrtc_async._tasks.interrupts import interrupts_between_callbacks
from webrtc_async.conferences.deletion import Deletion
from webrtc_async.conferences.progress import SetupProgress, notify
from webrtc_async.conferences.setup import Setup

OnStep = Callable[[SetupProgress], Awaitable[None] | None]


@define(eq=False, kw_only=True)
class SetupTask:
    """A set-up for its caller: finished, or undone if the caller is cancelled.

    Attributes:
        setup: The set-up.
        background_work: Runs the task.
        name: The name of the work, for reports.
        grace: Seconds that a cancelled caller waits while the client cleans up.
        on_progress: Called in the caller's task with each finished step.
    """

    setup: Setup
    background_work: BackgroundWork
    name: str
    grace: float
    on_progress: OnStep | None = None
    _is_abandoned: bool = field(default=False, init=False)

    async def run(self) -> bool:
        """Run the set-up, and return True if it succeeded."""
        setup = self.setup
        with anyio.move_on_after(setup.deadline):
            if self.on_progress is None:
                self.background_work.start(setup.run, self.name, on_end=setup.end)
                await wait_for(
                    setup.done, wait_when_cancelled=self.grace, on_cancelled=self._abandon
                )
            else:
                await self._report_steps(self.on_progress)
        return setup.is_up and not self._is_abandoned

    def _abandon(self) -> anyio.Event:
        self._is_abandoned = True
        self.setup.abandon()
        self.setup.rollback.report_to_log()
        # It may have finished just as the caller was cancelled.
        return self._undo() if self.setup.is_up else self.setup.done

    def _undo(self) -> anyio.Event:
        undone = anyio.Event()
        deletion = Deletion(self.setup.client, self.setup.slots, self.setup.not_deleted)
        deletion.report_to_log()

        async def delete() -> None:
            await deletion.run()
            if not deletion.not_deleted:
                await self.setup.ledger.forget()

        def end() -> None:
            deletion.end()
            undone.set()

        self.background_work.start(delete, self.name, on_end=end)
        return undone

    async def _report_steps(self, on_progress: OnStep) -> None:
        send, steps = anyio.create_memory_object_stream[SetupProgress](math.inf)

        def queue(step: SetupProgress) -> None:
            with contextlib.suppress(anyio.BrokenResourceError):  # the caller was cancelled
                send.send_nowait(step)

        def end() -> None:
            self.setup.end()
            send.close()

        self.setup.on_step = queue
        with interrupts_between_callbacks(), steps:
            self.background_work.start(self.setup.run, self.name, on_end=end)
            try:
                # In the caller's task, so that a slow callback delays only its caller.
                async for step in steps:
                    await notify(on_progress, step)
            except BaseException:
                undone = self._abandon()
                with anyio.move_on_after(self.grace, shield=True):
                    await undone.wait()
                raise
