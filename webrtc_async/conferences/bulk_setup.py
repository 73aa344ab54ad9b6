"""The set-up of many conferences from plans, with a result for each plan."""

import os
from collections.abc import AsyncGenerator, Iterable, Sized
from typing import Literal

import anyio.to_thread
from attrs import define, evolve, field, frozen

from webrtc_async._tasks.background_work import BackgroundWork
from webrtc_async.conferences.conference import Conference
from webrtc_async.conferences.deletion import Deletion, log_not_deleted
from webrtc_async.conferences.errors import JournalError, SetupError
from webrtc_async.conferences.journal import Journal
from webrtc_async.conferences.pipeline import Pipeline, Source
from webrtc_async.conferences.plan import ConferencePlan
from webrtc_async.conferences.progress import OnBulkProgress, Tally
from webrtc_async.conferences.resource import Resource
from webrtc_async.conferences.setup import OPERATION, Setup
from webrtc_async.endpoints import Endpoints
from webrtc_async.errors import InvalidArgumentError, WebRtcError
from webrtc_async.models import Session


@frozen(kw_only=True)
class SetupResult:
    """The result of one plan: a conference or an error.

    Attributes:
        plan: The plan.
        conference: The conference, or None if the set-up failed.
        error: The failure, or None.
        is_resumed: True if the conference was known from a journal, and nothing was sent.
    """

    plan: ConferencePlan
    conference: Conference | None = None
    error: WebRtcError | None = None
    is_resumed: bool = False

    def get(self) -> Conference:
        """Return the conference.

        Raises:
            WebRtcError: The set-up failed.
        """
        if self.conference is None:
            raise self.error or SetupError("there is no conference.", [WebRtcError("unknown")])
        return self.conference


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
    on_error: Literal["collect", "stop"]
    journal: Journal | None = field(converter=_as_journal)
    deadline: float | None
    grace: float
    total: int | None
    on_progress: OnBulkProgress | None
    _under_way: set[Setup] = field(factory=set[Setup], init=False)
    _keys: set[str] = field(factory=set[str], init=False)
    _is_stopping: bool = field(default=False, init=False)

    def results(self) -> AsyncGenerator[SetupResult]:
        """Yield the result of each plan as soon as it is known."""
        tally = Tally(
            total=len(self.plans) if isinstance(self.plans, Sized) else self.total,
            on_progress=self.on_progress,
        )

        async def count(result: SetupResult) -> None:
            await tally.count(has_failed=result.error is not None, is_resumed=result.is_resumed)
            if result.error is not None and self.on_error == "stop":
                raise result.error

        return Pipeline[ConferencePlan, SetupResult](
            background_work=self.background_work,
            items=self.plans,
            work=self._set_up,
            on_result=count,
            stop=self._stop,
            undo=self._undo,
            on_start=self._open,
            on_end=self._close,
            concurrency=self.concurrency,
            grace=self.grace,
        ).results()

    async def _open(self) -> None:
        if self.journal is not None:
            await anyio.to_thread.run_sync(self.journal.open, self.account_id)

    async def _set_up(self, plan: ConferencePlan) -> SetupResult | None:
        if self.journal is None:
            return await self._set_up_anew(plan)
        if not plan.key or plan.key in self._keys:
            problem = f"Two plans have the key {plan.key!r}." if plan.key else "A plan has no key."
            error = InvalidArgumentError(f"{problem} With a journal, each plan needs its own key.")
            return SetupResult(plan=plan, error=error)
        if (known := self.journal.finished(plan.key)) is not None:
            subscriptions = tuple(plan.subscriptions_of(member.name) for member in known.members)
            known = evolve(known, subscriptions=subscriptions)
            return SetupResult(plan=plan, conference=known, is_resumed=True)
        self._keys.add(plan.key)
        try:
            return await self._set_up_journaled(plan, self.journal)
        finally:
            self._keys.remove(plan.key)

    async def _set_up_journaled(self, plan: ConferencePlan, journal: Journal) -> SetupResult | None:
        deletion = self._deletion(journal.unfinished(plan.key))
        await deletion.run()
        if deletion.errors:
            error = SetupError(
                "the remains of an earlier run could not be deleted.",
                deletion.errors,
                operation=OPERATION,
                not_deleted=deletion.not_deleted,
            )
            return SetupResult(plan=plan, error=error)
        await journal.begin(plan.key)
        return await self._set_up_anew(plan)

    async def _set_up_anew(self, plan: ConferencePlan) -> SetupResult | None:
        journal = self.journal
        if self._is_stopping:
            return None

        async def record(resource: Resource) -> None:
            if journal is not None:
                try:
                    await journal.record(plan.key, resource)
                except JournalError:
                    self._stop()
                    raise

        setup = Setup(
            client=self.client,
            slots=self.background_work.slots,
            participants=plan.participants,
            subscriptions_of=plan.subscriptions_of,
            session_plan=Session(tag=plan.tag),
            deadline=self.deadline,
            record=record,
        )
        self._under_way.add(setup)
        try:
            await setup.run()
            return await self._result(setup, plan)
        finally:
            self._under_way.remove(setup)

    async def _result(self, setup: Setup, plan: ConferencePlan) -> SetupResult | None:
        if setup.unexpected_error is not None:
            raise setup.unexpected_error
        if not setup.is_up:
            failure = setup.failure()
            for error in setup.errors:
                if isinstance(error, JournalError):
                    raise error
            if self.journal is not None and not setup.not_deleted:
                await self.journal.forget(plan.key)
            return None if self._is_stopping else SetupResult(plan=plan, error=failure)
        conference = setup.conference(plan)
        if self.journal is not None:
            try:
                await self.journal.finish(conference)
            except JournalError:
                await self._deletion(setup.not_deleted).run()
                raise
        return SetupResult(plan=plan, conference=conference)

    def _stop(self) -> None:
        self._is_stopping = True
        for setup in self._under_way:
            setup.abandon()

    async def _undo(self, result: SetupResult) -> None:
        # A conference that is in the journal is kept for a later run.
        if self.journal is None and result.conference is not None:
            await self._deletion(result.conference.resources).run()

    def _close(self, not_undone: Iterable[SetupResult]) -> None:
        for setup in self._under_way:
            setup.end()
        if self.journal is not None:
            self.journal.close()
            return
        for result in not_undone:
            if result.conference is not None:
                log_not_deleted(result.conference.resources)

    def _deletion(self, resources: Iterable[Resource]) -> Deletion:
        return Deletion(self.client, self.background_work.slots, list(resources))
