"""A conference that is going on: late joins, early leaves, changed subscriptions, and its end."""

from collections.abc import Iterator

import anyio
from attrs import define, field

from webrtc_async._tasks.background_work import BackgroundWork, wait_for
from webrtc_async.conferences.conference import Conference, Member
from webrtc_async.conferences.conference_json import write_conference
from webrtc_async.conferences.deletion import Deletion
from webrtc_async.conferences.errors import OPERATION, ConferenceOverError, JournalError
from webrtc_async.conferences.plan import MAX_PARTICIPANTS, ParticipantSpec, as_spec
from webrtc_async.conferences.roster import JoinLedger, Roster
from webrtc_async.conferences.setup import Setup
from webrtc_async.conferences.setup_task import SetupTask
from webrtc_async.conferences.subscriptions import (
    SubscribeTo,
    check_subscriptions,
    read_subscriptions,
)
from webrtc_async.conferences.teardown import Teardown
from webrtc_async.endpoints import Endpoints
from webrtc_async.errors import InvalidArgumentError
from webrtc_async.models import Session


@define(eq=False, kw_only=True, repr=False)
class LiveConference:
    """A conference that is going on; `conference["agent"]` is the member of that name."""

    _roster: Roster = field(alias="roster")
    _client: Endpoints = field(alias="client")
    _background_work: BackgroundWork = field(alias="background_work")
    _account_id: str = field(alias="account_id")
    _grace: float = field(alias="grace")
    _is_resumed: bool = field(alias="is_resumed")
    _names: set[str] = field(init=False)
    _locks: dict[str, anyio.Lock] = field(factory=dict[str, anyio.Lock], init=False)
    _teardown: Teardown | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._names = {member.name for member in self.now.members}

    @property
    def now(self) -> Conference:
        """The conference as it is now, as a value."""
        return self._roster.now

    @property
    def session(self) -> Session:
        """The session."""
        return self.now.session

    @property
    def members(self) -> tuple[Member, ...]:
        """The members, in the order of the plan, late ones last."""
        return self.now.members

    @property
    def is_over(self) -> bool:
        """True once `end` was called."""
        return self._roster.is_over

    def __getitem__(self, name: str) -> Member:
        return self.now[name]

    def __contains__(self, name: object) -> bool:
        return name in self.now

    def __iter__(self) -> Iterator[Member]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.now)

    def __repr__(self) -> str:
        names = ", ".join(member.name for member in self.members) or "nobody"
        state = ", over" if self.is_over else ""
        return f"<LiveConference in session {self.session.id} of {names}{state}>"

    def mermaid(self) -> str:
        """Return the subscriptions as a Mermaid flowchart; an arrow points to the subscriber."""
        return self.now.mermaid()

    def dot(self) -> str:
        """Return the subscriptions as a Graphviz DOT graph; an arrow points to the subscriber."""
        return self.now.dot()

    def to_json(self, *, keep_tokens: bool = False) -> str:
        """Return the conference as a line of JSON, for `AsyncWebRtcClient.resume_conference`.

        It has the ids, the names and the subscriptions, without tags and permissions.

        Args:
            keep_tokens: True to include the device tokens, which the service gives only once. Keep
                the text as secret as a password then.
        """
        return write_conference(self.now, self._account_id, keep_tokens=keep_tokens)

    async def join(
        self, participant: ParticipantSpec | str, *, subscribe_to: SubscribeTo = "everyone"
    ) -> Member:
        """Create a participant and let it join.

        Members that are subscribed to everyone receive it too; for others, call `subscribe`.

        Args:
            participant: The participant. A string is the name of one with default settings.
            subscribe_to: The members that it receives.

        Raises:
            InvalidArgumentError: The name is taken, or the session is full.
            ConferenceOverError: The tear-down has begun.
            WebRtcError: A request failed, and the participant was deleted.
        """
        self._check_not_over()
        spec = as_spec(participant)
        if spec.name in self._names:
            raise InvalidArgumentError(
                f"A participant is already named {spec.name!r}; names must be unique."
            )
        if len(self._names) >= MAX_PARTICIPANTS:
            raise InvalidArgumentError(
                f"The session is full: it holds at most {MAX_PARTICIPANTS} participants."
            )
        subscriptions = read_subscriptions(spec.name, subscribe_to)
        check_subscriptions(subscriptions, (*self.now.ids, spec.name))
        roster = self._roster
        ledger = JoinLedger(roster.ledger.journal, roster.ledger.key, roster=roster)
        setup = Setup(
            client=self._client,
            slots=self._background_work.slots,
            participants=(spec,),
            subscriptions_of=lambda _: subscriptions,
            session_plan=self.session,
            present=self.now.ids,
            ledger=ledger,
        )
        task = SetupTask(
            setup=setup,
            background_work=self._background_work,
            name=f"{spec.name} joining",
            grace=self._grace,
        )
        self._names.add(spec.name)
        roster.start_join(setup)
        has_joined = False
        try:
            has_joined = await task.run() and not roster.is_over
        finally:
            if not has_joined:
                self._names.discard(spec.name)
                ledger.drop()
        if has_joined:
            roster.joining.discard(setup)
            return self.now[spec.name]
        if roster.is_over and not setup.errors and setup.unexpected_error is None:
            raise ConferenceOverError(
                "it ended before the participant had joined.", operation=OPERATION
            )
        raise setup.first_failure()

    async def leave(self, name: str) -> None:
        """Delete a member, even if the caller is cancelled; the others stay.

        Raises:
            KeyError: There is no such member.
            ConferenceOverError: The tear-down has begun.
            WebRtcError: The deletion failed; the participant is still a member.
        """
        self._check_not_over()
        async with self._lock(name):
            member = self.now[name]
            deletion = Deletion(self._client, self._background_work.slots, [member.resource])
            done = anyio.Event()

            async def work() -> None:
                await deletion.run()
                if not deletion.errors:
                    self._names.discard(name)
                    self._roster.drop(member)
                    try:
                        await self._roster.save()
                    except JournalError as error:
                        deletion.errors.append(error)

            def end() -> None:
                deletion.end()
                done.set()

            self._background_work.start(work, f"{name} leaving", on_end=end)
            await wait_for(
                done, wait_when_cancelled=self._grace, on_cancelled=deletion.report_to_log
            )
            if deletion.errors:
                raise deletion.errors[0]

    async def subscribe(self, name: str, subscribe_to: SubscribeTo) -> None:
        """Replace all subscriptions of a member.

        Args:
            name: The member.
            subscribe_to: The members that it receives from now on.

        Raises:
            InvalidArgumentError: A name is not a member's.
            ConferenceOverError: The tear-down has begun.
            WebRtcError: The request failed.
        """
        self._check_not_over()
        subscriptions = read_subscriptions(name, subscribe_to)
        async with self._lock(name):
            ids = self.now.ids
            check_subscriptions(subscriptions, ids)
            async with self._background_work.slots:
                await self._client.update_participant_subscriptions(
                    session_id=self.session.id,
                    participant_id=ids[name],
                    subscriptions=subscriptions.by_id(self.session.id, ids),
                )
            self._roster.now = self.now.with_subscriptions(subscriptions)

    async def end(self) -> None:
        """Delete the members and the session, even if the caller is cancelled.

        A second call waits for the first, or tries again what the first could not delete. The end
        of a resumed conference asks the service for members that joined in other processes.

        Raises:
            TeardownError: Something could not be deleted; the error lists it.
        """
        last = self._teardown
        if last is None or (last.done.is_set() and last.failure is not None):
            self._roster.is_over = True
            self._teardown = Teardown(
                client=self._client,
                slots=self._background_work.slots,
                session_id=self.session.id,
                not_deleted=list(self.now.resources) if last is None else last.not_deleted,
                joining=self._roster.joining,
                has_others=self._is_resumed,
                ledger=self._roster.ledger,
            )
            name = f"tear-down of {self.session.id}"
            self._background_work.start(self._teardown.run, name, on_end=self._teardown.end)
        teardown = self._teardown
        assert teardown is not None  # noqa: S101  # it was started
        await wait_for(
            teardown.done,
            wait_when_cancelled=self._grace,
            on_cancelled=teardown.deletion.report_to_log,
        )
        if teardown.failure is not None:
            raise teardown.failure

    def _lock(self, name: str) -> anyio.Lock:
        # Changes of one member run one after the other; those of different members run together.
        return self._locks.setdefault(name, anyio.Lock())

    def _check_not_over(self) -> None:
        if self._roster.is_over:
            raise ConferenceOverError("it is over: its tear-down has begun.", operation=OPERATION)
