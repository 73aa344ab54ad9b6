"""The set-up of many conferences from plans, with a result for each plan."""

import os
from collections.abc import Iterable, Sized
from typing import NoReturn

import anyio.to_thread
from attrs import define, field, frozen

from webrtc_async._tasks.background_work import BackgroundWork
from webrtc_async.conferences.bulk_results import BulkResults
from webrtc_async.conferences.call_options import OnError, check_on_error, check_times
from webrtc_async.conferences.conference import Conference
from webrtc_async.conferences.deletion import Deletion, log_not_deleted
from webrtc_async.conferences.errors import JournalError, SetupError
from webrtc_async.conferences.in_doubt import InDoubt
from webrtc_async.conferences.journal import Journal
from webrtc_async.conferences.ledger import Ledger
from webrtc_async.conferences.pipeline import Pipeline, Source
from webrtc_async.conferences.plan import ConferencePlan
from webrtc_async.conferences.progress import OnBulkProgress, Tally
from webrtc_async.conferences.setup import Setup
from webrtc_async.endpoints import Endpoints
from webrtc_async.errors import InvalidArgumentError, WebRtcError
from webrtc_async.models import Session


@frozen(kw_only=True)
class SetUpDone:
    """The result of a plan whose conference is set up.

    Attributes:
        plan: The plan.
        conference: The conference.
        is_resumed: True if the conference was known from a journal, and nothing was sent.
    """

    plan: ConferencePlan
    conference: Conference
    is_resumed: bool = False

    @property
    def in_doubt(self) -> tuple[InDoubt, ...]:
        """Nothing: everything that was created is in the conference."""
        return ()

    def get(self) -> Conference:
        """Return the conference."""
        return self.conference


@frozen(kw_only=True)
class SetUpFailed:
    """The result of a plan whose set-up failed, and was undone as far as possible.

    Attributes:
        plan: The plan.
        error: The failure.
    """

    plan: ConferencePlan
    error: WebRtcError

    @property
    def in_doubt(self) -> tuple[InDoubt, ...]:
        """The sessions and participants that may exist, with their tags and times."""
        return self.error.in_doubt if isinstance(self.error, SetupError) else ()

    def get(self) -> NoReturn:
        """Raise the failure.

        Raises:
            WebRtcError: The set-up failed.
        """
        raise self.error


SetUpResult = SetUpDone | SetUpFailed


def _as_journal(value: Journal | str | os.PathLike[str] | None) -> Journal | None:
    return value if value is None or isinstance(value, Journal) else Journal(value)


@define(eq=False, kw_only=True)
class BulkSetup:
    """The set-up of many conferences; see `AsyncWebRtcClient.set_up`."""

    client: Endpoints
    background_work: BackgroundWork
    account_id: str
    plans: Source[ConferencePlan]
    concurrency: int
    on_error: OnError
    journal: Journal | None = field(converter=_as_journal)
    deadline: float | None
    grace: float
    total: int | None
    on_progress: OnBulkProgress | None
    _under_way: set[Setup] = field(factory=set[Setup], init=False)
    _keys: set[str] = field(factory=set[str], init=False)
    _is_stopping: bool = field(default=False, init=False)
    _tally: Tally | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        check_on_error(self.on_error)
        check_times(grace=self.grace, deadline=self.deadline)

    def results(self) -> BulkResults[SetUpResult]:
        """Return the results, each as soon as it is known."""
        return BulkResults(
            Pipeline[ConferencePlan, SetUpResult](
                background_work=self.background_work,
                items=self.plans,
                work=self._set_up,
                on_result=self._count,
                stop=self._stop,
                undo=self._undo,
                on_start=self._open,
                on_end=self._close,
                concurrency=self.concurrency,
                grace=self.grace,
            )
        )

    async def _open(self) -> None:
        total = len(self.plans) if isinstance(self.plans, Sized) else self.total
        self._tally = Tally(total=total, on_progress=self.on_progress)
        if self.journal is not None:
            await anyio.to_thread.run_sync(self.journal.open, self.account_id)

    async def _count(self, result: SetUpResult) -> None:
        assert self._tally is not None  # noqa: S101  # _open made it
        if isinstance(result, SetUpDone):
            await self._tally.count(has_failed=False, is_resumed=result.is_resumed)
            return
        await self._tally.count(has_failed=True)
        if self.on_error == "stop":
            raise result.error

    async def _set_up(self, plan: ConferencePlan) -> SetUpResult | None:
        if not isinstance(plan, ConferencePlan):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidArgumentError(
                f"set_up() takes ConferencePlans, not {type(plan).__name__}."
            )
        if self.journal is None:
            return await self._set_up_anew(plan, Ledger(key=plan.key))
        if not plan.key or plan.key in self._keys:
            problem = f"Two plans have the key {plan.key!r}." if plan.key else "A plan has no key."
            error = InvalidArgumentError(f"{problem} With a journal, each plan needs its own key.")
            return SetUpFailed(plan=plan, error=error)
        ledger = Ledger(self.journal, plan.key, on_broken=self._stop)
        self._keys.add(plan.key)
        try:
            known = await ledger.resume(plan, self.client, self.background_work.slots)
            if known is not None:
                return SetUpDone(plan=plan, conference=known, is_resumed=True)
            return await self._set_up_anew(plan, ledger)
        except SetupError as error:
            return SetUpFailed(plan=plan, error=error)
        finally:
            self._keys.remove(plan.key)

    async def _set_up_anew(self, plan: ConferencePlan, ledger: Ledger) -> SetUpResult | None:
        if self._is_stopping:
            return None
        setup = Setup(
            client=self.client,
            slots=self.background_work.slots,
            participants=plan.participants,
            subscriptions_of=plan.subscriptions_of,
            session_plan=Session(tag=plan.tag),
            deadline=self.deadline,
            ledger=ledger,
        )
        self._under_way.add(setup)
        try:
            await setup.run()
        finally:
            self._under_way.remove(setup)
        if setup.unexpected_error is not None:
            raise setup.unexpected_error
        for error in setup.errors:
            if isinstance(error, JournalError):
                raise error
        if setup.is_up:
            return SetUpDone(plan=plan, conference=setup.conference())
        return None if self._is_stopping else SetUpFailed(plan=plan, error=setup.failure())

    def _stop(self) -> None:
        self._is_stopping = True
        for setup in self._under_way:
            setup.abandon()

    async def _undo(self, result: SetUpResult) -> None:
        # A conference that is in the journal is kept for a later run.
        if self.journal is None and isinstance(result, SetUpDone):
            resources = list(result.conference.resources)
            deletion = Deletion(self.client, self.background_work.slots, resources)
            deletion.report_to_log()
            await deletion.run()

    def _close(self, not_undone: Iterable[SetUpResult]) -> None:
        for setup in self._under_way:
            setup.end()
        if self.journal is not None:
            self.journal.close()
            return
        for result in not_undone:
            if isinstance(result, SetUpDone):
                log_not_deleted(result.conference.resources)
