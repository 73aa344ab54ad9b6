"""Many conferences torn down, and told of as each is done."""

from collections.abc import AsyncGenerator, Sized

import anyio.to_thread
from attrs import define, field, frozen

from webrtc_async.conferences.background_work import BackgroundWork
from webrtc_async.conferences.conference import Conference
from webrtc_async.conferences.deletion import Deletion
from webrtc_async.conferences.errors import TeardownError
from webrtc_async.conferences.journal import Journal
from webrtc_async.conferences.pipeline import Pipeline, Source
from webrtc_async.conferences.progress import OnBulkProgress, Tally
from webrtc_async.conferences.resource import Resource
from webrtc_async.conferences.setup import NAME
from webrtc_async.endpoints import Endpoints


@frozen(kw_only=True)
class TeardownResult:
    """What became of a conference that was torn down.

    Attributes:
        key: The key of its plan.
        deleted: What is gone now, whoever deleted it.
        error: Why not all of it is, or None.
    """

    key: str
    deleted: tuple[Resource, ...]
    error: TeardownError | None = None


@define(eq=False, kw_only=True)
class BulkTeardown:
    """Tears conferences down; see `AsyncWebRtcClient.tear_down`."""

    client: Endpoints
    background_work: BackgroundWork
    account_id: str
    conferences: Source[Conference] | Journal
    concurrency: int
    grace: float
    total: int | None
    on_progress: OnBulkProgress | None
    _tally: Tally | None = field(default=None, init=False)

    def results(self) -> AsyncGenerator[TeardownResult]:
        """Return what becomes of each conference as it is known."""
        given = self.conferences
        return Pipeline[Conference | str, TeardownResult](
            background_work=self.background_work,
            items=self._keys(given) if isinstance(given, Journal) else given,
            work=self._tear_down,
            on_result=self._count,
            stop=lambda: None,
            undo=self._leave_deleted,
            on_start=self._open,
            on_end=self._close,
            concurrency=self.concurrency,
            grace=self.grace,
        ).results()

    async def _open(self) -> None:
        given, total = self.conferences, self.total
        if isinstance(given, Journal):
            await anyio.to_thread.run_sync(given.open, self.account_id)
            total = len(given.keys)
        elif isinstance(given, Sized):
            total = len(given)
        self._tally = Tally(total=total, on_progress=self.on_progress)

    async def _keys(self, journal: Journal) -> AsyncGenerator[str]:
        for key in journal.keys:
            yield key

    async def _count(self, result: TeardownResult) -> None:
        assert self._tally is not None  # noqa: S101  # made at the start
        await self._tally.count(has_failed=result.error is not None)

    async def _leave_deleted(self, _: TeardownResult) -> None:
        """Undo nothing: what is deleted stays so."""

    async def _close(self) -> None:
        if isinstance(self.conferences, Journal):
            self.conferences.close()

    async def _tear_down(self, item: Conference | str) -> TeardownResult:
        journal = self.conferences if isinstance(self.conferences, Journal) else None
        if isinstance(item, Conference):
            key, resources = item.key, item.resources
        else:
            assert journal is not None  # noqa: S101  # keys are of a journal
            known = journal.finished(item)
            key, resources = item, journal.unfinished(item) if known is None else known.resources
        deletion = Deletion(self.client, self.background_work.places, list(resources))
        await deletion.run()
        deleted = tuple(each for each in resources if each not in deletion.left)
        if not deletion.errors:
            if journal is not None:
                await journal.forget(key)
            return TeardownResult(key=key, deleted=deleted)
        error = TeardownError(
            f"{key or 'it'} could not be torn down whole.",
            deletion.errors,
            operation=NAME,
            leaked=deletion.left,
        )
        return TeardownResult(key=key, deleted=deleted, error=error)
