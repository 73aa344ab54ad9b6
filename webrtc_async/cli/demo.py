"""The work of the demo: sessions are set up concurrently, changed, listed and torn down.

Everything that was created is deleted, also after a failure or Ctrl-C.
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
from webrtc_async.cli.failure import explain
from webrtc_async.cli.screen import MAX_SESSIONS_SHOWN, PlainScreen, Row, Screen, Step

ItemT = TypeVar("ItemT")

MAX_NAMES_SHOWN = 4
"""Further participants of a subscription are counted and not shown."""

MAX_CREATES = 32
"""Concurrent creates, and so the number of responses that Ctrl-C has to wait for."""


@define
class DemoSession:
    """A session of the demo and its participants by name, as far as they exist."""

    name: str
    participant_names: tuple[str, ...]
    session: Session | None = None
    participants: dict[str, Participant] = field(factory=dict[str, Participant])
    receives_first: dict[str, str] = field(factory=dict[str, str])
    receives_later: dict[str, str] = field(factory=dict[str, str])

    @property
    def host(self) -> str:
        """The only participant that the others receive after the change."""
        return self.participant_names[0]


@define
class PendingCreates:
    """Creates that are not cancelled, because only their responses say which ids to delete.

    Attributes:
        abandoned: The number of creates that ended without a response.
    """

    abandoned: int = 0
    _limiter: anyio.CapacityLimiter = field(factory=lambda: anyio.CapacityLimiter(MAX_CREATES))
    _scopes: set[anyio.CancelScope] = field(factory=set[anyio.CancelScope])

    async def run(self, create: Callable[[], Awaitable[ItemT]]) -> ItemT:
        """Return the result of a create."""
        created = list[ItemT]()
        # A create that waits for the limiter can be cancelled; one that was sent cannot.
        async with self._limiter:
            with anyio.CancelScope(shield=True) as scope:
                self._scopes.add(scope)
                try:
                    created.append(await create())
                finally:
                    self._scopes.remove(scope)
            await checkpoint_if_cancelled()
        return created[0]

    def abandon(self) -> None:
        """Stop waiting for the responses of creates whose callers are cancelled."""
        for scope in self._scopes:
            self.abandoned += 1
            scope.cancel()


def plan(sessions: int, participants: int) -> list[DemoSession]:
    """Return sessions with a host and guests; none of them exists yet."""
    names = ("host", *(f"guest-{number}" for number in range(1, participants)))
    return [DemoSession(f"session-{number}", names) for number in range(1, sessions + 1)]


async def perform(client: AsyncWebRtcClient, planned: list[DemoSession], screen: Screen) -> int:
    """Run the demo and return its exit status: 0, 1 after a failure, 130 after Ctrl-C."""
    started = time.monotonic()
    status, uncertain, creates, created = 0, 0, PendingCreates(), list[str]()
    async with client, anyio.create_task_group() as tasks:
        work, clean_up = anyio.CancelScope(), anyio.CancelScope()

        async def obey_signals(*, task_status: TaskStatus[None]) -> None:
            with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                task_status.started()
                await anext(signals)
                work.cancel()
                with contextlib.suppress(OSError):  # the output may be closed
                    screen.warn("Interrupted. Deleting everything; Ctrl-C again stops that.")
                await anext(signals)
                clean_up.cancel()
                creates.abandon()

        # Before the first create, so that Ctrl-C always deletes what exists.
        await tasks.start(obey_signals)
        with work:
            try:
                await _show(client, planned, creates, screen)
            except* WebRtcError as failures:
                status = 1
                for failure in _leaves(failures):
                    screen.warn(explain(failure))
                    uncertain += _may_have_created(failure)
            except* Exception:
                # The output may be closed: a broken pipe ends up here.
                with clean_up:
                    await _tear_down(client, planned, PlainScreen(is_silent=True))
                raise
        if work.cancel_called:
            status = INTERRUPTED
        created += [
            _counted(sum(each.session is not None for each in planned), "session"),
            _counted(sum(len(each.participants) for each in planned), "participant"),
        ]
        with clean_up:
            await _tear_down(client, planned, screen)
        tasks.cancel_scope.cancel()
    remaining = [*_remaining(planned, uncertain + creates.abandoned)]
    sent, seconds = _counted(client.requests_sent, "request"), time.monotonic() - started
    screen.say(f"{', '.join((*created, sent))} in {seconds:.2f} s.")
    screen.say(" ".join(remaining) or "Everything was deleted.")
    return status or int(bool(remaining))


async def _show(
    client: AsyncWebRtcClient, planned: list[DemoSession], creates: PendingCreates, screen: Screen
) -> None:
    participants = sum(len(each.participant_names) for each in planned)
    with screen.phase("Setting up", len(planned) + 2 * participants) as step:
        await _for_each(planned, lambda each: _set_up(client, each, creates, step))
    with screen.phase("Reading", len(planned)) as step:
        await _for_each(planned, lambda each: _read(client, each, each.receives_first, step))
    with screen.phase("Changing", participants + len(planned)) as step:
        await _for_each(planned, lambda each: _change(client, each, step))
        await _for_each(planned, lambda each: _read(client, each, each.receives_later, step))
    screen.show_subscriptions(_rows(planned[:MAX_SESSIONS_SHOWN]), len(planned))


async def _set_up(
    client: AsyncWebRtcClient, planned: DemoSession, creates: PendingCreates, step: Step
) -> None:
    new_session = Session(tag=planned.name)
    session = await creates.run(lambda: client.create_session(new_session))
    planned.session = session
    step()

    async def join(name: str) -> None:
        new_participant = Participant(tag=name, publish_permissions={PublishPermission.AUDIO})
        created = await creates.run(lambda: client.create_participant(new_participant))
        planned.participants[name] = created.participant
        step()
        await client.add_participant_to_session(
            session_id=session.id,
            participant_id=created.participant.id,
            subscriptions=Subscriptions.everyone(session.id),
        )
        step()

    await _for_each(planned.participant_names, join)


async def _read(
    client: AsyncWebRtcClient, planned: DemoSession, receives: dict[str, str], step: Step
) -> None:
    assert planned.session is not None  # noqa: S101  # it was set up
    session_id = planned.session.id
    members = await client.list_session_participants(session_id)
    names = {member.id: member.tag or member.id for member in members}
    for member in members:
        subscriptions = await client.get_participant_subscriptions(
            session_id=session_id, participant_id=member.id
        )
        chosen = {each.participant_id for each in subscriptions.participants}
        if subscriptions.is_everyone:
            chosen = names.keys() - {member.id}
        receives[names[member.id]] = _listed(sorted(names[each] for each in chosen & names.keys()))
    step()


async def _change(client: AsyncWebRtcClient, planned: DemoSession, step: Step) -> None:
    assert planned.session is not None  # noqa: S101  # it was set up
    session_id = planned.session.id
    host = planned.participants[planned.host]

    async def change(participant: Participant) -> None:
        only_host = Subscriptions.only([host.id])
        await client.update_participant_subscriptions(
            session_id=session_id,
            participant_id=participant.id,
            subscriptions=Subscriptions.nothing() if participant is host else only_host,
        )
        step()

    await _for_each(planned.participants.values(), change)


async def _tear_down(client: AsyncWebRtcClient, planned: list[DemoSession], screen: Screen) -> None:
    """Delete everything, check that it is gone, and remove it from the planned sessions."""
    existing = sum(len(each.participants) + (each.session is not None) for each in planned)

    async def tear_down(each: DemoSession) -> None:
        async def delete(item: tuple[str, Participant]) -> None:
            name, participant = item
            if await is_gone(client.delete_participant, client.get_participant, participant.id):
                del each.participants[name]
            step()

        await _for_each(tuple(each.participants.items()), delete)
        if each.session is not None:
            if await is_gone(client.delete_session, client.get_session, each.session.id):
                each.session = None
            step()

    async def is_gone(
        delete: Callable[[str], Awaitable[None]],
        get: Callable[[str], Awaitable[object]],
        resource_id: str,
    ) -> bool:
        try:
            await delete(resource_id)
            await get(resource_id)
        except NotFoundError:
            return True
        except WebRtcError as error:
            screen.warn(explain(error))
        return False

    with screen.phase("Tearing down", existing) as step:
        await _for_each(planned, tear_down)


async def _for_each(
    items: Iterable[ItemT], work: Callable[[ItemT], Coroutine[Any, Any, None]]
) -> None:
    async with anyio.create_task_group() as tasks:
        for item in items:
            tasks.start_soon(work, item)


def _remaining(planned: list[DemoSession], uncertain: int) -> Iterator[str]:
    """Yield sentences about resources that exist or may exist."""
    not_deleted = list[str]()
    for each in planned:
        not_deleted += [f"participant {member.id}" for member in each.participants.values()]
        not_deleted += [] if each.session is None else [f"session {each.session.id}"]
    if not_deleted:
        yield f"Not deleted: {', '.join(not_deleted)}."
    if uncertain:
        yield f"Resources may remain of {_counted(uncertain, 'create')} with an unknown outcome."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MAX_NAMES_SHOWN} more" if len(names) > MAX_NAMES_SHOWN else ""
    return f"{', '.join(names[:MAX_NAMES_SHOWN])}{more}" if names else "nobody"


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


def _rows(planned: list[DemoSession]) -> Iterator[Row]:
    for each in planned:
        for name in each.participant_names:
            first, later = each.receives_first.get(name, "?"), each.receives_later.get(name, "?")
            yield Row(each.name, name, first, later)
