"""What a client can do with whole conferences.

Every client has these methods and few programs use all of them, so each loads what it needs.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from webrtc_async._config.validation import check_count
from webrtc_async.conferences.background_work import GRACE, BackgroundWork
from webrtc_async.endpoints import Endpoints

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator, Iterable
    from typing import Literal

    from webrtc_async.conferences.bulk_setup import SetupResult
    from webrtc_async.conferences.bulk_teardown import TeardownResult
    from webrtc_async.conferences.conference import Conference
    from webrtc_async.conferences.context import ConferenceContext, OnStep
    from webrtc_async.conferences.journal import Journal
    from webrtc_async.conferences.pipeline import Source
    from webrtc_async.conferences.plan import ConferencePlan, Seat
    from webrtc_async.conferences.progress import OnBulkProgress
    from webrtc_async.conferences.setup import OnError
    from webrtc_async.conferences.subscriptions import Subscribe


class Conferences(Endpoints):
    """The operations on whole conferences, made of those of the API."""

    _background_work: BackgroundWork

    @property
    @abstractmethod
    def account_id(self) -> str:
        """The account whose sessions and participants these are."""

    def conference(
        self,
        participants: ConferencePlan | Iterable[Seat | str],
        *,
        subscribe: Subscribe = "everyone",
        tag: str | None = None,
        deadline: float | None = None,
        grace: float = GRACE,
        on_error: OnError = "cancel",
        on_progress: OnStep | None = None,
    ) -> ConferenceContext:
        """Set a conference up for the length of an `async with` block, and tear it down after it.

        The session and the participants are created at once, and each joins with its subscriptions
        as soon as what it needs is there: 1 + 2 requests per participant, two round trips deep.

        Args:
            participants: Who is in it, or a whole plan; a text is a seat of that name.
            subscribe: Who hears whom: "everyone", "nobody", or each listener with whom they hear.
            tag: The session's label.
            deadline: Seconds that the set-up may take; None leaves it to each request's own.
            grace: Seconds that a cancelled caller waits for what the client goes on to undo.
            on_error: Whether a failure cancels the set-up's other requests, or these finish first.
            on_progress: Called with each step; its own failures are logged and change nothing.

        Raises:
            InvalidArgumentError: The plan cannot be; nothing was sent.
            SetupError: On entering: it could not be set up, and what existed of it was deleted.
            TeardownError: On leaving: something could not be deleted.
        """
        from webrtc_async.conferences.context import ConferenceContext
        from webrtc_async.conferences.plan import as_plan

        return ConferenceContext(
            client=self,
            background_work=self._background_work,
            plan=as_plan(participants, subscribe=subscribe, tag=tag),
            on_error=on_error,
            deadline=deadline,
            grace=grace,
            on_progress=on_progress,
        )

    def set_up(
        self,
        plans: Source[ConferencePlan],
        *,
        concurrency: int = 16,
        on_error: Literal["collect", "stop"] = "collect",
        journal: Journal | str | os.PathLike[str] | None = None,
        deadline: float | None = None,
        grace: float = GRACE,
        total: int | None = None,
        on_progress: OnBulkProgress | None = None,
    ) -> AsyncGenerator[SetupResult]:
        """Set many conferences up, and return what becomes of each as it is known.

        They stay until `tear_down`. Who leaves the loop early does well to put the call into
        `contextlib.aclosing`: then what is under way, and without a journal what was not handed
        over either, is deleted before the loop's task goes on.

        Args:
            plans: Taken one by one as places come free.
            concurrency: Conferences under way at a time.
            on_error: Whether a failure is a result among others, or ends everything.
            journal: A file that makes this resumable: what it knows to be up is returned without
                a request, and what it knows a crash to have left is deleted first.
            deadline: Seconds that each set-up may take.
            grace: Seconds that who leaves early waits for what is under way.
            total: How many plans there are, for the progress, where len() cannot tell.
            on_progress: Called before each result; its own failures are logged and change nothing.

        Raises:
            JournalError: The journal cannot be used; nothing further was created.
            WebRtcError: on_error is "stop", and this ended it.
        """
        from webrtc_async.conferences.bulk_setup import BulkSetup
        from webrtc_async.conferences.journal import Journal

        check_count("concurrency", concurrency)
        return BulkSetup(
            client=self,
            background_work=self._background_work,
            account_id=self.account_id,
            plans=plans,
            concurrency=concurrency,
            on_error=on_error,
            journal=journal
            if journal is None or isinstance(journal, Journal)
            else Journal(journal),
            deadline=deadline,
            grace=grace,
            total=total,
            on_progress=on_progress,
        ).results()

    def tear_down(
        self,
        conferences: Source[Conference] | Journal,
        *,
        concurrency: int = 16,
        grace: float = GRACE,
        total: int | None = None,
        on_progress: OnBulkProgress | None = None,
    ) -> AsyncGenerator[TeardownResult]:
        """Delete many conferences, and return what becomes of each as it is known.

        Args:
            conferences: Conferences, from wherever they were set up; or the journal of a `set_up`,
                for all that it knows to exist.
            concurrency: Conferences under way at a time.
            grace: Seconds that who leaves early waits for what is under way.
            total: How many there are, for the progress, where len() cannot tell.
            on_progress: Called before each result; its own failures are logged and change nothing.

        Raises:
            JournalError: The journal cannot be used.
        """
        from webrtc_async.conferences.bulk_teardown import BulkTeardown

        check_count("concurrency", concurrency)
        return BulkTeardown(
            client=self,
            background_work=self._background_work,
            account_id=self.account_id,
            conferences=conferences,
            concurrency=concurrency,
            grace=grace,
            total=total,
            on_progress=on_progress,
        ).results()
