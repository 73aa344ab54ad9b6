"""The demo's work: sessions set up concurrently, changed, listed and torn down.

Whatever happens in between, what was created is deleted.
"""

import contextlib
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from typing import Any, TypeVar

import anyio
from anyio.abc import TaskStatus
from anyio.lowlevel import checkpoint_if_cancelled
from attrs import define, field

from webrtc_async import (
    ApiError,
    AsyncWebRtcClient,
    NotFoundError,
    Outcome,
    Participant,
    PublishPermission,
    Session,
    Subscriptions,
    WebRtcError,
)
from webrtc_async.cli import INTERRUPTED
from webrtc_async.cli.screen import MOST_SESSIONS, Screen, Seat, SilentScreen, Step

ItemT = TypeVar("ItemT")

MOST_NAMES = 4
"""Names that are shown of those whom somebody hears."""

MOST_CREATES = 32
"""Creates under way at a time, and so the most that Ctrl-C has to wait for."""


@define
class Conference:
    """A session and its participants, by name, as far as they exist."""

    name: str
    seats: tuple[str, ...]
    session: Session | None = None
    participants: dict[str, Participant] = field(factory=dict[str, Participant])
    heard_first: dict[str, str] = field(factory=dict[str, str])
    heard_later: dict[str, str] = field(factory=dict[str, str])

    @property
    def host(self) -> str:
        """Whom the others hear after the change."""
        return self.seats[0]


@define
class Creates:
    """Creates under way, which end by their answers: only those say what to delete.

    Attributes:
        given_up: How many ended without one.
    """

    given_up: int = 0
    _places: anyio.CapacityLimiter = field(factory=lambda: anyio.CapacityLimiter(MOST_CREATES))
    _under_way: set[anyio.CancelScope] = field(factory=set[anyio.CancelScope])

    async def carry_out(self, create: Callable[[], Awaitable[ItemT]]) -> ItemT:
        """Return what a create gives."""
        made = list[ItemT]()
        # Waiting for a place can be cancelled; what has begun is seen to its end.
        async with self._places:
            with anyio.CancelScope(shield=True) as scope:
                self._under_way.add(scope)
                try:
                    made.append(await create())
                finally:
                    self._under_way.remove(scope)
            await checkpoint_if_cancelled()
        return made[0]

    def give_up(self) -> None:
        """Wait for no answer any more, where the callers are cancelled."""
        for scope in self._under_way:
            self.given_up += 1
            scope.cancel()


def plan(sessions: int, participants: int) -> list[Conference]:
    """Return conferences of a host and guests, none of which exists yet."""
    seats = ("host", *(f"guest-{number}" for number in range(1, participants)))
    return [Conference(f"session-{number}", seats) for number in range(1, sessions + 1)]


async def perform(client: AsyncWebRtcClient, conferences: list[Conference], screen: Screen) -> int:
    """Run the demo and return its exit status: 0, 1 after a failure, 130 after Ctrl-C."""
    started = time.monotonic()
    status, sessions, participants, uncertain, creates = 0, 0, 0, 0, Creates()
    async with client, anyio.create_task_group() as tasks:
        work, clean_up = anyio.CancelScope(), anyio.CancelScope()

        async def obey_signals(*, task_status: TaskStatus[None]) -> None:
            with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                task_status.started()
                await anext(signals)
                work.cancel()
                with contextlib.suppress(OSError):  # nobody may be looking any more
                    screen.warn("Interrupted. Deleting what was created; Ctrl-C again to leave it.")
                await anext(signals)
                clean_up.cancel()
                creates.give_up()

        # Before the first create, so that no Ctrl-C finds something made and nobody to delete it.
        await tasks.start(obey_signals)
        with work:
            try:
                await _show(client, conferences, creates, screen)
            except* WebRtcError as failures:
                status = 1
                for failure in _leaves(failures):
                    screen.warn(str(failure))
                    uncertain += _may_have_created(failure)
            except* Exception:
                # Nobody may be looking any more: a closed pipe ends up here.
                with clean_up:
                    await _tear_down(client, conferences, SilentScreen())
                raise
        if work.cancel_called:
            status = INTERRUPTED
        sessions = sum(conference.session is not None for conference in conferences)
        participants = sum(len(conference.participants) for conference in conferences)
        with clean_up:
            await _tear_down(client, conferences, screen)
        tasks.cancel_scope.cancel()
    uncertain += creates.given_up
    left = [f"perhaps what {_counted(uncertain, 'call')} created"] if uncertain else []
    for conference in conferences:
        left += [f"participant {each.id}" for each in conference.participants.values()]
        left += [] if conference.session is None else [f"session {conference.session.id}"]
    seconds = time.monotonic() - started
    screen.say(
        f"{_counted(sessions, 'session')}, {_counted(participants, 'participant')}, "
        f"{_counted(client.requests_sent, 'request')} in {seconds:.2f} s; "
        f"{', '.join(left) or 'nothing was'} left behind."
    )
    return status or int(bool(left))


async def _show(
    client: AsyncWebRtcClient, conferences: list[Conference], creates: Creates, screen: Screen
) -> None:
    seats = sum(len(conference.seats) for conference in conferences)
    with screen.phase("Setting up", len(conferences) + 2 * seats) as step:
        await _each(conferences, lambda conference: _set_up(client, conference, creates, step))
    with screen.phase("Listening", len(conferences)) as step:
        await _each(conferences, lambda each: _listen(client, each, each.heard_first, step))
    with screen.phase("Changing", seats + len(conferences)) as step:
        await _each(conferences, lambda conference: _change(client, conference, step))
        await _each(conferences, lambda each: _listen(client, each, each.heard_later, step))
    screen.seats(_rows(conferences[:MOST_SESSIONS]), len(conferences))


async def _set_up(
    client: AsyncWebRtcClient, conference: Conference, creates: Creates, step: Step
) -> None:
    wanted = Session(tag=conference.name)
    session = await creates.carry_out(lambda: client.create_session(wanted))
    conference.session = session
    step()

    async def seat(name: str) -> None:
        wanted = Participant(tag=name, publish_permissions={PublishPermission.AUDIO})
        created = await creates.carry_out(lambda: client.create_participant(wanted))
        conference.participants[name] = created.participant
        step()
        await client.add_participant_to_session(
            session_id=session.id,
            participant_id=created.participant.id,
            subscriptions=Subscriptions.everyone(session.id),
        )
        step()

    await _each(conference.seats, seat)


async def _listen(
    client: AsyncWebRtcClient, conference: Conference, heard: dict[str, str], step: Step
) -> None:
    assert conference.session is not None  # noqa: S101  # it was set up
    session_id = conference.session.id
    members = await client.list_session_participants(session_id)
    names = {member.id: member.tag or member.id for member in members}
    for member in members:
        subscriptions = await client.get_participant_subscriptions(
            session_id=session_id, participant_id=member.id
        )
        wanted = {each.participant_id for each in subscriptions.participants}
        if subscriptions.is_everyone:
            wanted = names.keys() - {member.id}
        heard[names[member.id]] = _listed(sorted(names[each] for each in wanted & names.keys()))
    step()


async def _change(client: AsyncWebRtcClient, conference: Conference, step: Step) -> None:
    assert conference.session is not None  # noqa: S101  # it was set up
    session_id = conference.session.id
    host = conference.participants[conference.host]

    async def change(participant: Participant) -> None:
        only_host = Subscriptions.only([host.id])
        await client.update_participant_subscriptions(
            session_id=session_id,
            participant_id=participant.id,
            subscriptions=Subscriptions.nothing() if participant is host else only_host,
        )
        step()

    await _each(conference.participants.values(), change)


async def _tear_down(
    client: AsyncWebRtcClient, conferences: list[Conference], screen: Screen
) -> None:
    """Delete what was created and see that it is gone, striking it off the conferences."""
    made = sum(len(each.participants) + (each.session is not None) for each in conferences)

    async def tear_down(conference: Conference) -> None:
        async def leave(seat: tuple[str, Participant]) -> None:
            name, participant = seat
            if await is_gone(client.delete_participant, client.get_participant, participant.id):
                del conference.participants[name]
            step()

        await _each(tuple(conference.participants.items()), leave)
        session = conference.session
        if session is not None:
            if await is_gone(client.delete_session, client.get_session, session.id):
                conference.session = None
            step()

    async def is_gone(
        delete: Callable[[str], Awaitable[None]],
        get: Callable[[str], Awaitable[object]],
        known: str,
    ) -> bool:
        try:
            await delete(known)
            await get(known)
        except NotFoundError:
            return True
        except WebRtcError as error:
            screen.warn(str(error))
        return False

    with screen.phase("Tearing down", made) as step:
        await _each(conferences, tear_down)


async def _each(items: Iterable[ItemT], work: Callable[[ItemT], Coroutine[Any, Any, None]]) -> None:
    async with anyio.create_task_group() as tasks:
        for item in items:
            tasks.start_soon(work, item)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{', '.join(names[:MOST_NAMES])}{more}" if names else "nobody"


def _may_have_created(failure: WebRtcError) -> bool:
    if not failure.operation.startswith("create") or failure.outcome is Outcome.NOT_SENT:
        return False
    return failure.outcome is Outcome.UNKNOWN or not isinstance(failure, ApiError)


def _leaves(group: BaseExceptionGroup[WebRtcError]) -> Iterator[WebRtcError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _rows(conferences: list[Conference]) -> Iterator[Seat]:
    for each in conferences:
        for name in each.seats:
            heard = each.heard_first.get(name, "?"), each.heard_later.get(name, "?")
            yield Seat(each.name, name, *heard)
