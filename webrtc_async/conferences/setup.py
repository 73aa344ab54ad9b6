"""The set-up of one conference, undone if it fails."""

import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping

import anyio
from attrs import define, field

from webrtc_async._tasks.slot import Slot
from webrtc_async.conferences.call_options import OnError
from webrtc_async.conferences.conference import Conference, Member
from webrtc_async.conferences.creates import Creates
from webrtc_async.conferences.deletion import Deletion, log_not_deleted
from webrtc_async.conferences.errors import OPERATION, JournalError, SetupError
from webrtc_async.conferences.in_doubt import InDoubt
from webrtc_async.conferences.ledger import Ledger
from webrtc_async.conferences.plan import ParticipantSpec
from webrtc_async.conferences.progress import SetupProgress, SetupStage
from webrtc_async.conferences.resource import Resource
from webrtc_async.conferences.subscriptions import SubscriptionsByName
from webrtc_async.endpoints import Endpoints
from webrtc_async.errors import (
    ClientClosedError,
    DeadlineExceededError,
    WebRtcError,
)
from webrtc_async.errors.outcome import Outcome
from webrtc_async.models import Session


@define(eq=False, kw_only=True)
class Setup:
    """The set-up of a conference, or of a participant that joins one late.

    `run` belongs in a task that the caller's cancellation does not reach.

    Attributes:
        client: Sends the requests.
        slots: The queue in front of the requests; a request's deadline starts after it.
        participants: The participants to create.
        subscriptions_of: Returns the subscriptions of a participant by its name.
        session_plan: The session to create, or an existing one.
        present: The ids by name of the participants that are already in the session.
        on_error: See `OnError`.
        deadline: Seconds that the set-up may take, or None for no limit.
        on_step: Called with each finished step.
        ledger: Keeps the journal.
        clock: Returns the seconds since 1970.
        done: Set when everything is set up, or everything that can be is undone.
        errors: The failures.
        rollback: The deletion of what a failed set-up created.
        unexpected_error: An exception that is not this package's, such as a user's transport's.
    """

    client: Endpoints
    slots: anyio.CapacityLimiter
    participants: tuple[ParticipantSpec, ...]
    subscriptions_of: Callable[[str], SubscriptionsByName]
    session_plan: Session
    present: Mapping[str, str] = field(factory=dict[str, str])
    on_error: OnError = "stop"
    deadline: float | None = None
    on_step: Callable[[SetupProgress], None] | None = None
    ledger: Ledger = field(factory=Ledger)
    clock: Callable[[], float] = time.time
    done: anyio.Event = field(factory=anyio.Event, init=False)
    errors: list[WebRtcError] = field(factory=list[WebRtcError], init=False)
    unexpected_error: Exception | None = field(default=None, init=False)
    rollback: Deletion = field(init=False)
    _creates: Creates = field(init=False)
    _session: Session | None = field(default=None, init=False)
    _members: dict[str, Member] = field(factory=dict[str, Member], init=False)
    _settled: dict[str, anyio.Event] = field(init=False)
    _scope: anyio.CancelScope = field(factory=anyio.CancelScope, init=False)
    _is_cut_short: bool = field(default=False, init=False)
    _is_closed: bool = field(default=False, init=False)
    _steps: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        # "" stands for the session, because no participant can have that name.
        names = ("", *(spec.name for spec in self.participants))
        self._settled = {name: anyio.Event() for name in names}
        self._creates = Creates(
            slots=self.slots, record=self.ledger.record, key=self.ledger.key, clock=self.clock
        )
        self.rollback = Deletion(self.client, self.slots, self.not_deleted)

    @property
    def is_up(self) -> bool:
        """True once the set-up has succeeded."""
        return self.done.is_set() and not self._has_failed

    @property
    def not_deleted(self) -> list[Resource]:
        """The created resources that were not deleted again."""
        return self._creates.not_deleted

    @property
    def in_doubt(self) -> tuple[InDoubt, ...]:
        """The sessions and participants that may exist, with or without a known id."""
        return self._creates.in_doubt

    @property
    def members(self) -> tuple[Member, ...]:
        """The created members, in the order of the plan."""
        names = (spec.name for spec in self.participants)
        return tuple(self._members[name] for name in names if name in self._members)

    def conference(self) -> Conference:
        """Return the conference of a successful set-up."""
        assert self._session is not None  # noqa: S101  # the set-up has succeeded
        return Conference(
            session=self._session,
            members=self.members,
            subscriptions=tuple(self.subscriptions_of(spec.name) for spec in self.participants),
            key=self.ledger.key,
        )

    def abandon(self) -> None:
        """Start no more requests and undo the finished ones, unless the set-up is done."""
        if not self.done.is_set():
            self._is_cut_short = True
            self._scope.cancel()

    def end(self) -> None:
        """Report the resources of a set-up whose task was ended, unless it is done."""
        if not self.done.is_set():
            self._is_cut_short = self._is_closed = True
            log_not_deleted(self.not_deleted)
            self.done.set()

    async def run(self) -> None:
        """Set everything up or undo it; the attributes hold the result."""
        try:
            if self.deadline is not None:
                self._scope.deadline = anyio.current_time() + self.deadline
            try:
                with self._scope:
                    await self._write(self.ledger.begin())
                    if not self._has_failed:
                        await self._set_up()
            except BaseException:
                self.end()
                raise
            self._is_cut_short |= self._scope.cancelled_caught
            if not self._has_failed:
                await self._write(self.ledger.finish(self.conference()))
            if self._has_failed:
                await self.rollback.run()
                if not self.in_doubt:
                    await self._write(self.ledger.forget())
        finally:
            self.done.set()

    def failure(self) -> SetupError:
        """Return the error for all failures so far."""
        errors = list(self.errors)
        if not errors:
            # Nothing but closing or the deadline ends a set-up whose caller is still there.
            errors.append(self._cut_short())
        errors += self._creates.unanswered
        return SetupError(
            "the set-up failed.",
            errors,
            operation=OPERATION,
            created=self._creates.created,
            not_deleted=self.not_deleted,
            rollback=self.rollback.errors,
            in_doubt=self.in_doubt,
        )

    def first_failure(self) -> Exception:
        """Return the failure that ended the join of one participant."""
        if self.unexpected_error is not None:
            return self.unexpected_error
        error = self.errors[0] if self.errors else self._cut_short()
        for each in self.not_deleted:
            error.add_note(f"{each} may still exist.")
        return error

    def _cut_short(self) -> WebRtcError:
        if self._is_closed:
            return ClientClosedError(
                "the client closed.", operation=OPERATION, outcome=Outcome.UNKNOWN
            )
        limit = "time" if self.deadline is None else f"deadline of {self.deadline:g} s"
        return DeadlineExceededError(
            f"its {limit} passed.", operation=OPERATION, outcome=Outcome.ANSWERED
        )

    @property
    def _has_failed(self) -> bool:
        return bool(self.errors or self.unexpected_error or self._is_cut_short)

    @property
    def _total(self) -> int:
        return 2 * len(self.participants) + (not self.session_plan.id)

    async def _set_up(self) -> None:
        async with anyio.create_task_group() as tasks:
            for spec in self.participants:
                tasks.start_soon(self._guarded, self._create_participant, spec)
            await self._guarded(self._create_session)

    async def _guarded(
        self, work: Callable[..., Awaitable[None]], *arguments: ParticipantSpec
    ) -> None:
        try:
            await work(*arguments)
        except WebRtcError as error:
            self.errors.append(error)
            if self.on_error == "stop" or isinstance(error, JournalError):
                self._scope.cancel()
        except Exception as error:  # noqa: BLE001  # a user's transport may raise anything
            self.unexpected_error = error
            self._scope.cancel()
        finally:
            # Tasks that wait for this resource must learn that it is missing.
            self._settled[arguments[0].name if arguments else ""].set()

    async def _create_session(self) -> None:
        if self.session_plan.id:
            self._session = self.session_plan
            return
        wanted = self.session_plan
        session = await self._creates.run(
            "",
            wanted.tag,
            lambda: self.client.create_session(wanted if wanted.tag is not None else None),
            lambda created: Resource("session", created.id),
        )
        self._session = session
        self._step("session created")

    async def _create_participant(self, spec: ParticipantSpec) -> None:
        created = await self._creates.run(
            spec.name,
            spec.tag,
            lambda: self.client.create_participant(spec.participant),
            lambda created: Resource("participant", created.participant.id, spec.name),
        )
        self._members[spec.name] = Member(
            name=spec.name, participant=created.participant, token=created.token
        )
        self._settled[spec.name].set()
        self._step("participant created", spec.name)
        await self._join(spec.name, created.participant.id)

    async def _join(self, name: str, participant_id: str) -> None:
        subscriptions = self.subscriptions_of(name)
        chosen = subscriptions.subscribed_to
        names = [] if chosen == "everyone" else [each.name for each in chosen]
        for needed in ("", *names):
            if needed not in self.present and not self._settled[needed].is_set():
                await self._settled[needed].wait()
        ids = {**self.present, **{each.name: each.participant.id for each in self.members}}
        if self._session is None or not set(names) <= ids.keys():
            return  # a create that this join needs has failed, and is among the errors
        body = subscriptions.by_id(self._session.id, ids)
        async with Slot(self.slots, object()):
            await self.client.add_participant_to_session(
                session_id=self._session.id,
                participant_id=participant_id,
                subscriptions=None if body.is_nothing else body,
            )
        self._step("joined", name)

    async def _write(self, entry: Coroutine[None, None, None]) -> None:
        try:
            await entry
        except JournalError as error:
            self.errors.append(error)

    def _step(self, stage: SetupStage, name: str = "") -> None:
        self._steps += 1
        if self.on_step is not None:
            self.on_step(SetupProgress(done=self._steps, total=self._total, stage=stage, name=name))
