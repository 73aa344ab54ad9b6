"""`async with client.conference(...)`: a conference for as long as its block lasts."""

import contextlib
import math
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Final

import anyio
from attrs import define, field

from webrtc_async.conferences.background_work import BackgroundWork, wait_for
from webrtc_async.conferences.deletion import Deletion
from webrtc_async.conferences.errors import ConferenceOverError
from webrtc_async.conferences.live import LiveConference
from webrtc_async.conferences.plan import ConferencePlan
from webrtc_async.conferences.progress import SetupProgress, tell
from webrtc_async.conferences.setup import NAME, OnError, Setup
from webrtc_async.endpoints import Endpoints
from webrtc_async.models import Session

SET_UP: Final = "set-up of a conference"

OnStep = Callable[[SetupProgress], Awaitable[None] | None]


@define(eq=False, kw_only=True)
class ConferenceContext:
    """Sets a conference up when it is entered, and tears it down when it is left."""

    client: Endpoints
    background_work: BackgroundWork
    plan: ConferencePlan
    on_error: OnError
    deadline: float | None
    grace: float
    on_progress: OnStep | None
    _live: LiveConference | None = field(default=None, init=False)

    async def __aenter__(self) -> LiveConference:
        """Set the conference up.

        Raises:
            SetupError: It could not be set up, and what existed of it was deleted.
        """
        if self._live is not None:
            raise ConferenceOverError("it is entered once; ask for another.", operation=NAME)
        setup = Setup(
            client=self.client,
            places=self.background_work.places,
            seats=self.plan.participants,
            hearing_of=self.plan.hearing_of,
            session_plan=Session(tag=self.plan.tag),
            on_error=self.on_error,
            deadline=self.deadline,
        )
        if not await self._bring_up(setup):
            raise setup.failure() if setup.foreign is None else setup.foreign
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
        """Tear the conference down, whatever happens to the caller.

        Raises:
            TeardownError: Something could not be deleted; noted on the block's own exception if
                there is one.
        """
        assert self._live is not None  # noqa: S101  # it was entered
        teardown = self._live.end()
        await wait_for(teardown.done, grace=self.grace)
        failure = teardown.failure
        if failure is not None and error is None:
            raise failure
        if failure is not None and error is not None:
            error.add_note(str(failure))

    async def _bring_up(self, setup: Setup) -> bool:
        """Return whether it is up; who leaves before that leaves nothing."""
        has_left = False

        def leave() -> anyio.Event:
            nonlocal has_left
            has_left = True
            setup.abandon()
            # It may have been done just when the caller was cancelled.
            return self._undo(setup) if setup.is_up else setup.done

        with anyio.move_on_after(self.deadline):
            if self.on_progress is None:
                self.background_work.start(setup.run, SET_UP)
                await wait_for(setup.done, grace=self.grace, on_leaving=leave)
            else:
                await self._follow(setup, leave)
        return setup.is_up and not has_left

    def _undo(self, setup: Setup) -> anyio.Event:
        undone = anyio.Event()

        async def run() -> None:
            try:
                await Deletion(self.client, self.background_work.places, setup.left).run()
            finally:
                undone.set()

        self.background_work.start(run, SET_UP)
        return undone

    async def _follow(self, setup: Setup, leave: Callable[[], anyio.Event]) -> None:
        send, steps = anyio.create_memory_object_stream[SetupProgress](math.inf)

        def show(step: SetupProgress) -> None:
            with contextlib.suppress(anyio.BrokenResourceError):  # the caller has left
                send.send_nowait(step)

        async def run() -> None:
            with send:
                await setup.run()

        setup.on_step = show
        with steps:
            self.background_work.start(run, SET_UP)
            try:
                # In the caller's task: a slow callback delays its caller and nothing else.
                async for step in steps:
                    await tell(self.on_progress, step)
            except BaseException:
                undone = leave()
                with anyio.move_on_after(self.grace, shield=True):
                    await undone.wait()
                raise
