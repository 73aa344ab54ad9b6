"""`async with client.conference(...)`: a conference for the length of its block."""

import contextlib
import math
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Final

import anyio
from attrs import define, field

from webrtc_async._tasks.background_work import BackgroundWork, wait_for
from webrtc_async._tasks.interrupts import interrupts_between_callbacks
from webrtc_async.conferences.deletion import Deletion
from webrtc_async.conferences.errors import ConferenceOverError
from webrtc_async.conferences.live import LiveConference
from webrtc_async.conferences.plan import ConferencePlan
from webrtc_async.conferences.progress import SetupProgress, notify
from webrtc_async.conferences.setup import OPERATION, OnError, Setup
from webrtc_async.endpoints import Endpoints
from webrtc_async.models import Session

SET_UP: Final = "set-up of a conference"

OnStep = Callable[[SetupProgress], Awaitable[None] | None]


@define(eq=False, kw_only=True)
class ConferenceContext:
    """A context manager: entering it sets the conference up, leaving it tears it down."""

    client: Endpoints
    background_work: BackgroundWork
    plan: ConferencePlan
    on_error: OnError
    deadline: float | None
    grace: float
    on_progress: OnStep | None
    _live: LiveConference | None = field(default=None, init=False)

    async def __aenter__(self) -> LiveConference:
        """Set up the conference.

        Raises:
            SetupError: The set-up failed, and everything it created was deleted.
        """
        if self._live is not None:
            raise ConferenceOverError(
                "it can be entered only once. Call client.conference() again.", operation=OPERATION
            )
        setup = Setup(
            client=self.client,
            slots=self.background_work.slots,
            participants=self.plan.participants,
            subscriptions_of=self.plan.subscriptions_of,
            session_plan=Session(tag=self.plan.tag),
            on_error=self.on_error,
            deadline=self.deadline,
        )
        if not await self._set_up(setup):
            raise setup.unexpected_error or setup.failure()
        self._live = LiveConference(
            setup.conference(self.plan), self.client, self.background_work, self.grace
        )
        return self._live

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Tear down the conference, even if the caller is cancelled.

        Raises:
            TeardownError: Something could not be deleted. If the block itself raised, this is a
                note on its exception instead.
        """
        assert self._live is not None  # noqa: S101  # it was entered
        teardown = self._live.end()
        await wait_for(teardown.done, wait_when_cancelled=self.grace)
        failure = teardown.failure
        if failure is not None and error is None:
            raise failure
        if failure is not None and error is not None:
            error.add_note(str(failure))

    async def _set_up(self, setup: Setup) -> bool:
        """Run the set-up and return whether it succeeded; undo it if the caller is cancelled."""
        is_abandoned = False

        def abandon() -> anyio.Event:
            nonlocal is_abandoned
            is_abandoned = True
            setup.abandon()
            # It may have finished just as the caller was cancelled.
            return self._undo(setup) if setup.is_up else setup.done

        with anyio.move_on_after(self.deadline):
            if self.on_progress is None:
                self.background_work.start(setup.run, SET_UP, on_end=setup.end)
                await wait_for(setup.done, wait_when_cancelled=self.grace, on_cancelled=abandon)
            else:
                await self._report_steps(setup, abandon)
        return setup.is_up and not is_abandoned

    def _undo(self, setup: Setup) -> anyio.Event:
        undone = anyio.Event()
        deletion = Deletion(self.client, self.background_work.slots, setup.not_deleted)

        def end() -> None:
            deletion.end()
            undone.set()

        self.background_work.start(deletion.run, SET_UP, on_end=end)
        return undone

    async def _report_steps(self, setup: Setup, abandon: Callable[[], anyio.Event]) -> None:
        send, steps = anyio.create_memory_object_stream[SetupProgress](math.inf)

        def queue(step: SetupProgress) -> None:
            with contextlib.suppress(anyio.BrokenResourceError):  # the caller was cancelled
                send.send_nowait(step)

        def end() -> None:
            setup.end()
            send.close()

        setup.on_step = queue
        with interrupts_between_callbacks(), steps:
            self.background_work.start(setup.run, SET_UP, on_end=end)
            try:
                # In the caller's task, so that a slow callback delays only its caller.
                async for step in steps:
                    await notify(self.on_progress, step)
            except BaseException:
                undone = abandon()
                with anyio.move_on_after(self.grace, shield=True):
                    await undone.wait()
                raise
