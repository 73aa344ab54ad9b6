"""Setting one conference up, or undoing what was done of it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final, Literal, TypeVar

import anyio
from attrs import define, field

from webrtc_async._tasks.slot import Slot
from webrtc_async.conferences.background_work import report_left
from webrtc_async.conferences.conference import Conference, Member, subscriptions_for
from webrtc_async.conferences.deletion import Deletion
from webrtc_async.conferences.errors import JournalError, SetupError
from webrtc_async.conferences.plan import ConferencePlan, Seat
from webrtc_async.conferences.progress import SetupProgress
from webrtc_async.conferences.resource import Resource
from webrtc_async.conferences.subscriptions import Hearing
from webrtc_async.endpoints import Endpoints
from webrtc_async.errors import DeadlineExceededError, UnknownOutcomeError, WebRtcError
from webrtc_async.errors.outcome import Outcome
from webrtc_async.models import AccountsParticipantsResponse, Session

CreatedT = TypeVar("CreatedT", Session, AccountsParticipantsResponse)

OnError = Literal["cancel", "finish"]
"""What happens to a set-up's other requests when one has failed."""

NAME: Final = "conference"
"""What the errors of a set-up begin with, where those of an operation have its name."""


async def _record_nothing(_: Resource) -> None:
    """Keep no journal."""


@define(eq=False, kw_only=True)
class Setup:
    """The set-up of a conference, or of a member who joins one late.

    `run` belongs into a task that its caller's cancellation does not reach: a create is never
    cancelled in flight, because its answer is the only place that says what to delete.

    Attributes:
        client: What makes the requests.
        places: Where each request waits for its turn, so that none waits within its deadline.
        seats: Who is to join.
        hearing_of: Tells whom each is to hear.
        session_plan: The session that is to be created, or the one that exists.
        present: The ids, by name, of those who are in the session already.
        on_error: Whether a failure cancels the other requests, or these are finished first.
        deadline: Seconds that it may take, or None for no bound of its own.
        on_step: Called with each step that is done.
        record: Keeps what was created, before anything is made of it.
        done: Set when all is up, or all that can be is undone.
    """

    client: Endpoints
    places: anyio.CapacityLimiter
    seats: tuple[Seat, ...]
    hearing_of: Callable[[str], Hearing]
    session_plan: Session
    present: Mapping[str, str] = field(factory=dict[str, str])
    on_error: OnError = "cancel"
    deadline: float | None = None
    on_step: Callable[[SetupProgress], None] | None = None
    record: Callable[[Resource], Awaitable[None]] = _record_nothing
    done: anyio.Event = field(factory=anyio.Event, init=False)
    errors: list[WebRtcError] = field(factory=list[WebRtcError], init=False)
    foreign: Exception | None = field(default=None, init=False)
    created: list[Resource] = field(factory=list[Resource], init=False)
    left: list[Resource] = field(factory=list[Resource], init=False)
    _session: Session | None = field(default=None, init=False)
    _members: dict[str, Member] = field(factory=dict[str, Member], init=False)
    _known: dict[str, anyio.Event] = field(init=False)
    _in_flight: list[str] = field(factory=list[str], init=False)
    _scope: anyio.CancelScope = field(factory=anyio.CancelScope, init=False)
    _is_cut_short: bool = field(default=False, init=False)
    _steps: int = field(default=0, init=False)
    _removal: Deletion = field(init=False)

    def __attrs_post_init__(self) -> None:
        # "" stands for the session, which no participant can be named.
        self._known = {name: anyio.Event() for name in ("", *(seat.name for seat in self.seats))}
        self._removal = Deletion(self.client, self.places, self.left)

    @property
    def is_up(self) -> bool:
        """Whether it is done and nothing failed."""
        return self.done.is_set() and not self._has_failed

    @property
    def members(self) -> tuple[Member, ...]:
        """Who was created, in the order of the seats."""
        return tuple(self._members[seat.name] for seat in self.seats if seat.name in self._members)

    def conference(self, plan: ConferencePlan) -> Conference:
        """Return what was set up."""
        assert self._session is not None  # noqa: S101  # it is up
        return Conference(
            session=self._session,
            members=self.members,
            hearings=tuple(self.hearing_of(seat.name) for seat in self.seats),
            key=plan.key,
        )

    def abandon(self) -> None:
        """Begin nothing more and undo what was done, unless it is done already."""
        if not self.done.is_set():
            self._is_cut_short = True
            self._scope.cancel()

    async def run(self) -> None:
        """Set everything up, or undo it; what happened is in the attributes."""
        try:
            if self.deadline is not None:
                self._scope.deadline = anyio.current_time() + self.deadline
            try:
                with self._scope:
                    await self._set_up()
            except BaseException:
                report_left(self.left)
                raise
            self._is_cut_short |= self._scope.cancelled_caught
            if self._has_failed:
                await self._removal.run()
        finally:
            self.done.set()

    def failure(self) -> SetupError:
        """Return what has failed so far, as it stands now."""
        errors = list(self.errors)
        if not errors:
            # Nothing else ends a set-up whose caller is still there to be told.
            within = "time" if self.deadline is None else f"{self.deadline:g} s deadline"
            errors.append(
                DeadlineExceededError(
                    f"its {within} passed.", operation=NAME, outcome=Outcome.ANSWERED
                )
            )
        errors += [
            UnknownOutcomeError(
                "its answer has not come yet; the client still waits for it, and deletes what it "
                "brings.",
                operation=operation,
            )
            for operation in self._in_flight
        ]
        return SetupError(
            "it could not be set up.",
            errors,
            operation=NAME,
            created=self.created,
            leaked=self.left,
            rollback=self._removal.errors,
        )

    @property
    def _has_failed(self) -> bool:
        return bool(self.errors or self.foreign or self._is_cut_short)

    @property
    def _total(self) -> int:
        return 2 * len(self.seats) + (not self.session_plan.id)

    async def _set_up(self) -> None:
        async with anyio.create_task_group() as tasks:
            for seat in self.seats:
                tasks.start_soon(self._guarded, self._seat, seat)
            await self._guarded(self._create_session)

    async def _guarded(self, work: Callable[..., Awaitable[None]], *arguments: Seat) -> None:
        try:
            await work(*arguments)
        except WebRtcError as error:
            self.errors.append(error)
            if self.on_error == "cancel" or isinstance(error, JournalError):
                self._scope.cancel()
        except Exception as error:
            # Not ours, as from a user's own transport or credentials; undone all the same.
            self.foreign = error
            self._scope.cancel()
        finally:
            # Whoever waits for what did not come is to see that it did not.
            self._known[arguments[0].name if arguments else ""].set()

    async def _create_session(self) -> None:
        if self.session_plan.id:
            self._session = self.session_plan
            return
        wanted = self.session_plan
        session = await self._create(
            "createSession",
            lambda: self.client.create_session(wanted if wanted.tag is not None else None),
            lambda made: Resource("session", made.id),
        )
        self._session = session
        self._step("session created")

    async def _seat(self, seat: Seat) -> None:
        created = await self._create(
            "createParticipant",
            lambda: self.client.create_participant(seat.participant),
            lambda made: Resource("participant", made.participant.id, seat.name),
        )
        self._members[seat.name] = Member(
            name=seat.name, participant=created.participant, token=created.token
        )
        self._known[seat.name].set()
        self._step("participant created", seat.name)
        await self._join(seat.name, created.participant.id)

    async def _join(self, name: str, participant_id: str) -> None:
        hearing = self.hearing_of(name)
        heard = [] if hearing.heard == "everyone" else [each.name for each in hearing.heard]
        for needed in ("", *heard):
            if needed not in self.present and not self._known[needed].is_set():
                await self._known[needed].wait()
        ids = {**self.present, **{each.name: each.participant.id for each in self.members}}
        if self._session is None or not set(heard) <= ids.keys():
            return  # what it needs has failed, and is among the errors
        async with Slot(self.places, object()):
            await self.client.add_participant_to_session(
                session_id=self._session.id,
                participant_id=participant_id,
                subscriptions=subscriptions_for(hearing, self._session.id, ids),
            )
        self._step("joined", name)

    async def _create(
        self,
        operation: str,
        create: Callable[[], Awaitable[CreatedT]],
        resource_of: Callable[[CreatedT], Resource],
    ) -> CreatedT:
        made = list[CreatedT]()
        async with Slot(self.places, object()):
            # Waiting for a place can be cancelled; what has begun is seen to its end.
            with anyio.CancelScope(shield=True):
                self._in_flight.append(operation)
                try:
                    made.append(await create())
                finally:
                    self._in_flight.remove(operation)
                resource = resource_of(made[0])
                self.created.append(resource)
                self.left.append(resource)
                await self.record(resource)
        return made[0]

    def _step(
        self, stage: Literal["session created", "participant created", "joined"], name: str = ""
    ) -> None:
        self._steps += 1
        if self.on_step is not None:
            self.on_step(SetupProgress(done=self._steps, total=self._total, stage=stage, name=name))


def ids_of(members: Iterable[Member]) -> dict[str, str]:
    """Return the participants' ids by name."""
    return {member.name: member.participant.id for member in members}
