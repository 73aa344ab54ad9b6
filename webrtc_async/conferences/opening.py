"""`client.open_conference(...)`, and the block of `async with client.conference(...)`."""

from types import TracebackType
from typing import Final

from attrs import define, field

from webrtc_async._tasks.background_work import BackgroundWork
from webrtc_async.conferences.call_options import OnError, check_on_error, check_times
from webrtc_async.conferences.errors import OPERATION, ConferenceOverError, TeardownError
from webrtc_async.conferences.journal import Journal
from webrtc_async.conferences.ledger import Ledger
from webrtc_async.conferences.live import LiveConference
from webrtc_async.conferences.plan import ConferencePlan
from webrtc_async.conferences.roster import Roster
from webrtc_async.conferences.setup import Setup
from webrtc_async.conferences.setup_task import OnStep, SetupTask
from webrtc_async.endpoints import Endpoints
from webrtc_async.models import Session

SET_UP: Final = "set-up of a conference"


@define(eq=False, kw_only=True)
class Opening:
    """The opening of one conference; see `AsyncWebRtcClient.open_conference`."""

    client: Endpoints
    background_work: BackgroundWork
    account_id: str
    plan: ConferencePlan
    on_error: OnError
    deadline: float | None
    grace: float
    on_progress: OnStep | None
    journal: Journal | None
    _ledger: Ledger = field(init=False)

    def __attrs_post_init__(self) -> None:
        check_on_error(self.on_error)
        check_times(grace=self.grace, deadline=self.deadline)
        self._ledger = Ledger(self.journal, self.plan.key)

    async def open(self) -> LiveConference:
        """Set up the conference.

        Raises:
            SetupError: The set-up failed, and everything it created was deleted.
        """
        slots = self.background_work.slots
        known = await self._ledger.resume(self.plan, self.client, slots)
        setup = Setup(
            client=self.client,
            slots=slots,
            participants=self.plan.participants,
            subscriptions_of=self.plan.subscriptions_of,
            session_plan=Session(tag=self.plan.tag),
            on_error=self.on_error,
            deadline=self.deadline,
            ledger=self._ledger,
        )
        task = SetupTask(
            setup=setup,
            background_work=self.background_work,
            name=SET_UP,
            grace=self.grace,
            on_progress=self.on_progress,
        )
        if known is None and not await task.run():
            raise setup.unexpected_error or setup.failure()
        return LiveConference(
            roster=Roster(setup.conference() if known is None else known, self._ledger),
            client=self.client,
            background_work=self.background_work,
            account_id=self.account_id,
            grace=self.grace,
            is_resumed=known is not None,
        )


@define(eq=False)
class ConferenceContext:
    """A context manager: entering it opens the conference, leaving it ends it.

    Attributes:
        opening: Opens the conference.
    """

    opening: Opening
    _live: LiveConference | None = field(default=None, init=False)

    async def __aenter__(self) -> LiveConference:
        """Open the conference.

        Raises:
            SetupError: The set-up failed, and everything it created was deleted.
        """
        if self._live is not None:
            raise ConferenceOverError(
                "it can be entered only once. Call client.conference() again.", operation=OPERATION
            )
        self._live = await self.opening.open()
        return self._live

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the conference, even if the caller is cancelled.

        Raises:
            TeardownError: Something could not be deleted. If the block itself raised, this is a
                note on its exception instead.
        """
        assert self._live is not None  # noqa: S101  # it was entered
        try:
            await self._live.end()
        except TeardownError as failure:
            if error is None:
                raise
            error.add_note(str(failure))
