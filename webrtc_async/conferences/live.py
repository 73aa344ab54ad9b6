"""A conference under way: who joins late, who leaves early, who hears whom from now on."""

import anyio
from attrs import define, field

from webrtc_async.conferences.background_work import BackgroundWork, wait_for
from webrtc_async.conferences.conference import Conference, Member, subscriptions_for
from webrtc_async.conferences.deletion import Deletion
from webrtc_async.conferences.errors import ConferenceOverError, TeardownError
from webrtc_async.conferences.plan import MOST_PARTICIPANTS, Seat
from webrtc_async.conferences.resource import Resource
from webrtc_async.conferences.setup import NAME, Setup, ids_of
from webrtc_async.conferences.subscriptions import Hears, as_hearing, check_hearing
from webrtc_async.endpoints import Endpoints
from webrtc_async.errors import InvalidArgumentError, WebRtcError
from webrtc_async.models import Session, Subscriptions


@define(eq=False)
class LiveConference:
    """A conference under way: `conference["agent"]` is the member of that name.

    Attributes:
        now: The conference as it is now, as a value.
    """

    now: Conference
    _client: Endpoints = field(repr=False)
    _background_work: BackgroundWork = field(repr=False)
    _grace: float = field(repr=False)
    _names: set[str] = field(init=False, repr=False)
    _joining: set[Setup] = field(factory=set[Setup], init=False, repr=False)
    _turns: dict[str, anyio.Lock] = field(factory=dict[str, anyio.Lock], init=False, repr=False)
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
        """Draw who hears whom as a Mermaid flowchart; an arrow goes to who hears."""
        return self.now.mermaid()

    def dot(self) -> str:
        """Draw who hears whom as a graph in Graphviz's DOT; an arrow goes to who hears."""
        return self.now.dot()

    async def join(self, seat: Seat | str, *, hears: Hears = "everyone") -> Member:
        """Have a latecomer created and join.

        Who hears everyone hears the latecomer too; for others, `subscribe` anew.

        Args:
            seat: Who joins; a text is a seat of that name.
            hears: Whom they hear.

        Raises:
            InvalidArgumentError: The name is taken, or the session full.
            ConferenceOverError: The tear-down has begun.
            WebRtcError: A request failed, and what was created is deleted.
        """
        self._check_going_on()
        seat = Seat(seat) if isinstance(seat, str) else seat
        if seat.name in self._names:
            raise InvalidArgumentError(f"Somebody is named {seat.name!r}; names are unique.")
        if len(self._names) >= MOST_PARTICIPANTS:
            raise InvalidArgumentError(f"The session is full: it holds {MOST_PARTICIPANTS}.")
        hearing = as_hearing(seat.name, hears)
        check_hearing(hearing, (*(member.name for member in self.now.members), seat.name))
        setup = Setup(
            client=self._client,
            places=self._background_work.places,
            seats=(seat,),
            hearing_of=lambda _: hearing,
            session_plan=self.session,
            present=ids_of(self.now.members),
        )
        self._names.add(seat.name)
        self._joining.add(setup)
        try:
            self._background_work.start(setup.run, f"{seat.name} joining")
            await wait_for(setup.done, grace=self._grace, on_leaving=setup.abandon)
            if not setup.is_up or self._is_over:
                raise self._why_not(setup)
            self._joining.remove(setup)
            self.now = self.now.with_member(setup.members[0], hearing)
        finally:
            if setup in self._joining and not self._is_over:
                self._give_up(setup)
        return self.now[seat.name]

    async def leave(self, name: str) -> None:
        """Delete a member; the others stay.

        Raises:
            KeyError: There is no such member.
            ConferenceOverError: The tear-down has begun.
            WebRtcError: The delete failed; the member stays in the conference's books.
        """
        self._check_going_on()
        async with self._turn(name):
            deletion = Deletion(
                self._client, self._background_work.places, [self.now[name].resource]
            )
            await deletion.run()
            if deletion.errors:
                raise deletion.errors[0]
            self.now = self.now.without(name)
            self._names.discard(name)

    async def subscribe(self, listener: str, hears: Hears) -> None:
        """Change whom a member hears; nothing of what was there is kept.

        Raises:
            InvalidArgumentError: Somebody named is not a member.
            ConferenceOverError: The tear-down has begun.
            WebRtcError: The request failed.
        """
        self._check_going_on()
        hearing = as_hearing(listener, hears)
        async with self._turn(listener):
            check_hearing(hearing, (member.name for member in self.now.members))
            ids = ids_of(self.now.members)
            chosen = subscriptions_for(hearing, self.session.id, ids)
            async with self._background_work.places:
                await self._client.update_participant_subscriptions(
                    session_id=self.session.id,
                    participant_id=ids[listener],
                    subscriptions=Subscriptions.nothing() if chosen is None else chosen,
                )
            self.now = self.now.hearing(hearing)

    def end(self) -> "Teardown":
        """Begin the tear-down, in a task of the client's."""
        self._is_over = True
        teardown = Teardown(
            self._client, self._background_work, list(self.now.resources), self._joining
        )
        self._background_work.start(teardown.run, f"tear-down of {self.session.id}")
        return teardown

    def _turn(self, name: str) -> anyio.Lock:
        # One after the other for a member; different members never wait for each other.
        return self._turns.setdefault(name, anyio.Lock())

    def _check_going_on(self) -> None:
        if self._is_over:
            raise ConferenceOverError("it is over: its tear-down has begun.", operation=NAME)

    def _why_not(self, setup: Setup) -> Exception:
        if setup.foreign is not None:
            return setup.foreign
        if setup.errors:
            for each in setup.left:
                setup.errors[0].add_note(f"{each} is not known to be deleted.")
            return setup.errors[0]
        return ConferenceOverError("it ended before the latecomer was in.", operation=NAME)

    def _give_up(self, setup: Setup) -> None:
        """Forget a latecomer, whose set-up undoes itself, or is undone if it came too late."""
        self._joining.discard(setup)
        self._names.discard(setup.seats[0].name)
        if setup.is_up:
            deletion = Deletion(self._client, self._background_work.places, setup.left)
            self._background_work.start(deletion.run, "deletion of a latecomer")


@define(eq=False)
class Teardown:
    """The end of a conference.

    Attributes:
        left: What is not known to be deleted.
        done: Set when all that can be deleted is.
    """

    _client: Endpoints
    _background_work: BackgroundWork
    left: list[Resource]
    _joining: set[Setup]
    done: anyio.Event = field(factory=anyio.Event, init=False)
    _errors: list[WebRtcError] = field(factory=list[WebRtcError], init=False)

    async def run(self) -> None:
        """Delete the members, latecomers on their way in included, and then the session."""
        try:
            for setup in tuple(self._joining):
                setup.abandon()
                await setup.done.wait()
                self.left.extend(setup.left)
            deletion = Deletion(self._client, self._background_work.places, self.left)
            await deletion.run()
            self._errors = deletion.errors
        finally:
            self.done.set()

    @property
    def failure(self) -> TeardownError | None:
        """What could not be deleted, if anything."""
        if not self._errors:
            return None
        return TeardownError(
            "it could not be torn down whole.", self._errors, operation=NAME, leaked=self.left
        )
