"""The tear-down of many conferences, with a result for each."""

from collections.abc import AsyncGenerator, Sized

import anyio.to_thread
from attrs import define, field, frozen

from webrtc_async._tasks.background_work import BackgroundWork
from webrtc_async.conferences.bulk_results import BulkResults
from webrtc_async.conferences.conference import Conference
from webrtc_async.conferences.deletion import Deletion
from webrtc_async.conferences.errors import OPERATION, TeardownError
from webrtc_async.conferences.journal import Journal
from webrtc_async.conferences.pipeline import Pipeline, Source
from webrtc_async.conferences.progress import OnBulkProgress, Tally
from webrtc_async.conferences.resource import Resource
from webrtc_async.endpoints import Endpoints
from webrtc_async.errors import InvalidArgumentError


@frozen(kw_only=True)
class TeardownResult:
    """The result of one tear-down.

    Attributes:
        key: The key of the conference's plan.
        deleted: The resources that no longer exist.
        error: The failure, which lists the other resources, or None.
    """

    key: str
    deleted: tuple[Resource, ...]
    error: TeardownError | None = None


@define(eq=False, kw_only=True)
class BulkTeardown:
    """The tear-down of many conferences; see `AsyncWebRtcClient.tear_down`."""

    client: Endpoints
    background_work: BackgroundWork
    account_id: str
    conferences: Source[Conference] | Journal
    concurrency: int
    grace: float
    total: int | None
    on_progress: OnBulkProgress | None
    _tally: Tally | None = field(default=None, init=False)

    def results(self) -> BulkResults[TeardownResult]:
        """Return the results, each as soon as it is known."""
        given = self.conferences
        return BulkResults(
            Pipeline[Conference | str, TeardownResult](
                background_work=self.background_work,
                items=self._keys(given) if isinstance(given, Journal) else given,
                work=self._tear_down,
                on_result=self._count,
                stop=lambda: None,
                undo=self._undo_nothing,
                on_start=self._open,
                on_end=self._close,
                concurrency=self.concurrency,
                grace=self.grace,
            )
        )

    async def _open(self) -> None:
        given, total = self.conferences, self.total
        if isinstance(given, Journal):
            await anyio.to_thread.run_sync(given.open, self.account_id)
            total = len({*given.keys})
        elif isinstance(given, Sized):
            total = len(given)
        self._tally = Tally(total=total, on_progress=self.on_progress)

    async def _keys(self, journal: Journal) -> AsyncGenerator[str]:
        # A key may be both: finished, with a participant that was joining late.
        for key in dict.fromkeys(journal.keys):
            yield key

    async def _count(self, result: TeardownResult) -> None:
        assert self._tally is not None  # noqa: S101  # _open made it
        await self._tally.count(has_failed=result.error is not None)

    async def _undo_nothing(self, _: TeardownResult) -> None:
        """Undo nothing: a deletion is final."""

    def _close(self, _: object) -> None:
        if isinstance(self.conferences, Journal):
            self.conferences.close()

    async def _tear_down(self, item: Conference | str) -> TeardownResult:
        journal = self.conferences if isinstance(self.conferences, Journal) else None
        if isinstance(item, Conference):
            key, resources = item.key, item.resources
        elif journal is None:
            raise InvalidArgumentError(
                f"tear_down() takes Conferences or a Journal, not {type(item).__name__}."
            )
        else:
            known = journal.finished(item)
            finished = () if known is None else known.resources
            key, resources = item, (*finished, *journal.unfinished(item))
        deletion = Deletion(self.client, self.background_work.slots, list(resources))
        await deletion.run()
        deleted = tuple(each for each in resources if each not in deletion.not_deleted)
        if not deletion.errors:
            if journal is not None:
                await journal.forget(key)
            return TeardownResult(key=key, deleted=deleted)
        error = TeardownError(
            f"the tear-down of {key!r} failed." if key else "the tear-down failed.",
            deletion.errors,
            operation=OPERATION,
            not_deleted=deletion.not_deleted,
        )
        return TeardownResult(key=key, deleted=deleted, error=error)
