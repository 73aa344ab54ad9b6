"""A conference that is going on: late joins, early leaves and changed subscriptions."""

import anyio
from attrs import define, field

from webrtc_async._tasks.background_work import BackgroundWork, wait_for
from webrtc_async.conferences.conference import Conference, Member
from webrtc_async.conferences.deletion import Deletion
from webrtc_async.conferences.errors import ConferenceOverError, TeardownError
from webrtc_async.conferences.plan import MAX_PARTICIPANTS, ParticipantSpec
from webrtc_async.conferences.resource import Resource
from webrtc_async.conferences.setup import OPERATION, Setup
from webrtc_async.conferences.subscriptions import (
    SubscribeTo,
    check_subscriptions,
    read_subscriptions,
)
from webrtc_async.endpoints import Endpoints
from webrtc_async.errors import ClientClosedError, InvalidArgumentError
from webrtc_async.models import Session


@define(eq=False)
class LiveConference:
    """A conference that is going on; `conference["agent"]` is the member of that name.

    Attributes:
        now: The conference as it is now, as a value.
    """

    now: Conference
    _client: Endpoints = field(repr=False)
    _background_work: BackgroundWork = field(repr=False)
    _grace: float = field(repr=False)
    _names: set[str] = field(init=False, repr=False)
    _joining: set[Setup] = field(factory=set[Setup], init=False, repr=False)
    _locks: dict[str, anyio.Lock] = field(factory=dict[str, anyio.Lock], init=False, repr=False)
    _is_over: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._names = {member.name for member in self.now.members}

    @property
    def session(self) -> Session:
        """The session."""
        return self.now.session

    def __getitem__(self, name: str) -> Member:
        return self.now[name]

    def __contains__(self, name: object) -> bool:
        return name in self.now

    def __len__(self) -> int:
        return len(self.now)

    def mermaid(self) -> str:
        """Return the subscriptions as a Mermaid flowchart; an arrow points to the subscriber."""
        return self.now.mermaid()

    def dot(self) -> str:
        """Return the subscriptions as a Graphviz DOT graph; an arrow points to the subscriber."""
        return self.now.dot()

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
        spec = ParticipantSpec(participant) if isinstance(participant, str) else participant
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
        setup = Setup(
            client=self._client,
            slots=self._background_work.slots,
            participants=(spec,),
            subscriptions_of=lambda _: subscriptions,
            session_plan=self.session,
            present=self.now.ids,
        )
        self._names.add(spec.name)
        self._joining.add(setup)
        try:
            self._background_work.start(setup.run, f"{spec.name} joining", on_end=setup.end)
            await wait_for(setup.done, wait_when_cancelled=self._grace, on_cancelled=setup.abandon)
            if not setup.is_up or self._is_over:
                raise self._join_failure(setup)
            self._joining.remove(setup)
            self.now = self.now.with_member(setup.members[0], subscriptions)
        finally:
            if setup in self._joining and not self._is_over:
                self._give_up_join(setup)
        return self.now[spec.name]

    async def leave(self, name: str) -> None:
        """Delete a member; the others stay.

        Raises:
            KeyError: There is no such member.
            ConferenceOverError: The tear-down has begun.
            WebRtcError: The deletion failed; the participant is still a member.
        """
        self._check_not_over()
        async with self._lock(name):
            deletion = Deletion(
                self._client, self._background_work.slots, [self.now[name].resource]
            )
            await deletion.run()
            if deletion.errors:
                raise deletion.errors[0]
            self.now = self.now.without(name)
            self._names.discard(name)

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
            self.now = self.now.with_subscriptions(subscriptions)

    def end(self) -> "Teardown":
        """Start the tear-down in a task of the client."""
        self._is_over = True
        teardown = Teardown(
            self._client, self._background_work, list(self.now.resources), self._joining
        )
        name = f"tear-down of {self.session.id}"
        self._background_work.start(teardown.run, name, on_end=teardown.end)
        return teardown

    def _lock(self, name: str) -> anyio.Lock:
        # Changes of one member run one after the other; those of different members run together.
        return self._locks.setdefault(name, anyio.Lock())

    def _check_not_over(self) -> None:
        if self._is_over:
            raise ConferenceOverError("it is over: its tear-down has begun.", operation=OPERATION)

    def _join_failure(self, setup: Setup) -> Exception:
        if setup.unexpected_error is not None:
            return setup.unexpected_error
        if setup.errors:
            for each in setup.not_deleted:
                setup.errors[0].add_note(f"{each} may still exist.")
            return setup.errors[0]
        return ConferenceOverError(
            "it ended before the participant had joined.", operation=OPERATION
        )

    def _give_up_join(self, setup: Setup) -> None:
        """Forget a join that undoes itself; undo it if it finished too late."""
        self._joining.discard(setup)
        self._names.discard(setup.participants[0].name)
        if setup.is_up:
            deletion = Deletion(self._client, self._background_work.slots, setup.not_deleted)
            name = "deletion of a late participant"
            self._background_work.start(deletion.run, name, on_end=deletion.end)


@define(eq=False)
class Teardown:
    """The tear-down of a conference.

    Attributes:
        not_deleted: The resources that may still exist.
        done: Set when every resource that can be deleted is.
    """

    _client: Endpoints
    _background_work: BackgroundWork
    not_deleted: list[Resource]
    _joining: set[Setup]
    done: anyio.Event = field(factory=anyio.Event, init=False)
    _deletion: Deletion = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._deletion = Deletion(self._client, self._background_work.slots, self.not_deleted)

    async def run(self) -> None:
        """Delete the members, including those that are still joining, and then the session."""
        for setup in tuple(self._joining):
            setup.abandon()
            await setup.done.wait()
            self.not_deleted.extend(setup.not_deleted)
        await self._deletion.run()

    def end(self) -> None:
        """Report what is left if the task was ended, and release the caller."""
        self._deletion.end()
        self.done.set()

    @property
    def failure(self) -> TeardownError | None:
        """The error for all failures, if any."""
        errors = self._deletion.errors
        if not errors and self.not_deleted:
            errors = [ClientClosedError("the client closed.", operation=OPERATION)]
        if not errors:
            return None
        return TeardownError(
            "the tear-down failed.",
            errors,
            operation=OPERATION,
            not_deleted=self.not_deleted,
        )
