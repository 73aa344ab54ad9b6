"""The client's methods for whole conferences; each one imports `conferences` when it is called."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from webrtc_async._tasks.background_work import GRACE, BackgroundWork
from webrtc_async._transport.failure import loading
from webrtc_async.endpoints import Endpoints

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from webrtc_async.conferences.bulk_results import BulkResults
    from webrtc_async.conferences.bulk_setup import SetUpDone, SetUpFailed
    from webrtc_async.conferences.bulk_teardown import TeardownResult
    from webrtc_async.conferences.call_options import OnError
    from webrtc_async.conferences.conference import Conference, Member
    from webrtc_async.conferences.journal import Journal
    from webrtc_async.conferences.live import LiveConference
    from webrtc_async.conferences.opening import ConferenceContext
    from webrtc_async.conferences.pipeline import Source
    from webrtc_async.conferences.plan import ConferencePlan, ParticipantSpec
    from webrtc_async.conferences.progress import OnBulkProgress
    from webrtc_async.conferences.setup_task import OnStep
    from webrtc_async.conferences.subscriptions import PlanSubscriptions, SubscribeTo


class ConferenceMethods(Endpoints):
    """The part of the client that sets up and tears down whole conferences."""

    _background_work: BackgroundWork

    @property
    @abstractmethod
    def account_id(self) -> str:
        """The account that owns the sessions and participants."""

    async def open_conference(
        self,
        participants: ConferencePlan | Iterable[ParticipantSpec | str],
        *,
        subscriptions: PlanSubscriptions = "everyone",
        tag: str | None = None,
        journal: Journal | None = None,
        deadline: float | None = None,
        grace: float = GRACE,
        on_error: OnError = "stop",
        on_progress: OnStep | None = None,
    ) -> LiveConference:
        """Set up a conference, which exists until its `end()`.

        The session and the participants are created at the same time, and each participant joins
        with its subscriptions as soon as it can: 1 + 2N requests, two round trips deep.

        Args:
            participants: The participants, or a complete plan. A string is the name of a
                participant with default settings.
            subscriptions: "everyone", "nobody", or each subscriber's name with the participants
                that it receives.
            tag: The session's label.
            journal: An open journal, which learns of every change. If it knows the plan's key from
                an earlier run, that conference is returned without a request.
            deadline: Seconds that the set-up may take. Without it, only the deadline of each
                request applies.
            grace: Seconds that a cancelled caller waits while the client cleans up.
            on_error: "stop" cancels the set-up's other requests when one fails; "collect" lets them
                finish, for an error that lists all failures.
            on_progress: Called with each step. An exception that it raises is logged.

        Raises:
            InvalidArgumentError: The plan is invalid; nothing was sent.
            SetupError: The set-up failed, and everything it created was deleted.
        """
        context = self.conference(
            participants,
            subscriptions=subscriptions,
            tag=tag,
            journal=journal,
            deadline=deadline,
            grace=grace,
            on_error=on_error,
            on_progress=on_progress,
        )
        return await context.opening.open()

    def conference(
        self,
        participants: ConferencePlan | Iterable[ParticipantSpec | str],
        *,
        subscriptions: PlanSubscriptions = "everyone",
        tag: str | None = None,
        journal: Journal | None = None,
        deadline: float | None = None,
        grace: float = GRACE,
        on_error: OnError = "stop",
        on_progress: OnStep | None = None,
    ) -> ConferenceContext:
        """Open a conference for the length of an `async with` block, then end it.

        The arguments are those of `open_conference`.

        Raises:
            InvalidArgumentError: The plan is invalid; nothing was sent.
            SetupError: On entering: the set-up failed, and everything it created was deleted.
            TeardownError: On leaving: something could not be deleted.
        """
        with loading("conference"):
            from webrtc_async.conferences.opening import ConferenceContext, Opening
            from webrtc_async.conferences.plan import as_plan

        return ConferenceContext(
            Opening(
                client=self,
                background_work=self._background_work,
                account_id=self.account_id,
                plan=as_plan(participants, subscriptions=subscriptions, tag=tag),
                on_error=on_error,
                deadline=deadline,
                grace=grace,
                on_progress=on_progress,
                journal=journal,
            )
        )

    def resume_conference(
        self,
        value: str | bytes | Conference,
        *,
        journal: Journal | None = None,
        grace: float = GRACE,
    ) -> LiveConference:
        """Return a conference that was opened in another request, process or machine.

        It sends nothing. Save `to_json()` again after each change. Its `end()` asks the service for
        members that joined elsewhere.

        Args:
            value: The text of `to_json()`, or a conference of `set_up`.
            journal: An open journal, which learns of every change.
            grace: Seconds that a cancelled caller waits while the client cleans up.

        Raises:
            InvalidArgumentError: The value is no conference, or one of another account.
        """
        with loading("conference"):
            from webrtc_async.conferences.resuming import resume

        return resume(
            value,
            client=self,
            background_work=self._background_work,
            account_id=self.account_id,
            grace=grace,
            journal=journal,
        )

    async def join(
        self,
        session_id: str,
        participant: ParticipantSpec | str,
        *,
        subscribe_to: SubscribeTo = "everyone",
        grace: float = GRACE,
    ) -> Member:
        """Create a participant and let it join an existing session.

        If a step fails, or the caller is cancelled, the participant is deleted again.

        Args:
            session_id: The session.
            participant: The participant. A string is the name of one with default settings.
            subscribe_to: "everyone", "nobody", or the ids of the participants that it receives.
            grace: Seconds that a cancelled caller waits while the client cleans up.

        Raises:
            InvalidArgumentError: An argument is invalid; nothing was sent.
            WebRtcError: A request failed.
        """
        with loading("conference"):
            from webrtc_async.conferences.joining import join_session

        return await join_session(
            self,
            self._background_work,
            session_id,
            participant,
            subscribe_to=subscribe_to,
            grace=grace,
        )

    def set_up(
        self,
        plans: Source[ConferencePlan],
        *,
        concurrency: int = 16,
        on_error: OnError = "collect",
        journal: Journal | str | os.PathLike[str] | None = None,
        deadline: float | None = None,
        grace: float = GRACE,
        total: int | None = None,
        on_progress: OnBulkProgress | None = None,
    ) -> BulkResults[SetUpDone | SetUpFailed]:
        """Set up many conferences, and yield the result of each as soon as it is known.

        The conferences exist until `tear_down`. Leaving the loop early deletes every unfinished
        conference, and without a journal also every finished one that the loop has not received.
        `async with client.set_up(...) as results:` waits for that at the end of its block.

        Args:
            plans: The plans; the next one is read when there is room for it.
            concurrency: Conferences that are set up at the same time.
            on_error: "collect" yields a failure as a result; "stop" raises it and stops.
            journal: A file that lets a later call resume this one: a conference that is set up is
                yielded without a request, and the remains of a crash are deleted first.
            deadline: Seconds that each set-up may take.
            grace: Seconds that a caller that leaves early waits while the client cleans up.
            total: Number of plans, for the progress, if `plans` has no `len()`.
            on_progress: Called before each result. An exception that it raises is logged.

        Raises:
            JournalError: The journal cannot be used; nothing more was created.
            WebRtcError: The first failure, if on_error is "stop".
        """
        with loading("conference"):
            from webrtc_async.conferences.bulk_setup import BulkSetup

        return BulkSetup(
            client=self,
            background_work=self._background_work,
            account_id=self.account_id,
            plans=plans,
            concurrency=concurrency,
            on_error=on_error,
            journal=journal,
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
    ) -> BulkResults[TeardownResult]:
        """Delete many conferences, and yield the result of each as soon as it is known.

        Args:
            conferences: Conferences from any source, or the journal of a `set_up`, for everything
                that it lists.
            concurrency: Conferences that are torn down at the same time.
            grace: Seconds that a caller that leaves early waits while the client cleans up.
            total: Number of conferences, for the progress, if `conferences` has no `len()`.
            on_progress: Called before each result. An exception that it raises is logged.

        Raises:
            JournalError: The journal cannot be used.
        """
        with loading("conference"):
            from webrtc_async.conferences.bulk_teardown import BulkTeardown

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
