"""The creates of a set-up, and the resources that they may have left at the service."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import anyio
from attrs import define, field, frozen

from webrtc_async._tasks.slot import Slot
from webrtc_async.conferences.errors import may_have_created
from webrtc_async.conferences.in_doubt import InDoubt
from webrtc_async.conferences.resource import Resource
from webrtc_async.errors import UnknownOutcomeError, WebRtcError
from webrtc_async.models import AccountsParticipantsResponse, Session

CreatedT = TypeVar("CreatedT", Session, AccountsParticipantsResponse)


@frozen
class _Create:
    name: str
    tag: str | None
    sent_at: datetime

    @property
    def operation(self) -> str:
        return "createParticipant" if self.name else "createSession"


@define(eq=False, kw_only=True)
class Creates:
    """The creates of a set-up.

    A create is never cancelled in flight, because only its response has the id to delete.

    Attributes:
        slots: The queue in front of the requests; a request's deadline starts after it.
        record: Called with each created resource before it is used.
        key: The plan's key.
        clock: Returns the seconds since 1970.
        created: The resources that were created.
        not_deleted: The created resources that were not deleted again.
    """

    slots: anyio.CapacityLimiter
    record: Callable[[Resource], Awaitable[None]]
    key: str
    clock: Callable[[], float] = time.time
    created: list[Resource] = field(factory=list[Resource], init=False)
    not_deleted: list[Resource] = field(factory=list[Resource], init=False)
    _sent: dict[str, _Create] = field(factory=dict[str, _Create], init=False)
    _in_flight: list[_Create] = field(factory=list[_Create], init=False)
    _uncertain: list[_Create] = field(factory=list[_Create], init=False)

    async def run(
        self,
        name: str,
        tag: str | None,
        create: Callable[[], Awaitable[CreatedT]],
        resource_of: Callable[[CreatedT], Resource],
    ) -> CreatedT:
        """Create a resource, and return the service's response.

        Args:
            name: The participant's name; empty for the session.
            tag: The tag that the create asks for.
            create: Sends the request.
            resource_of: Returns the resource of a response.
        """
        results = list[CreatedT]()
        async with Slot(self.slots, object()):
            # The wait for a slot can be cancelled; a started create cannot.
            with anyio.CancelScope(shield=True):
                sent = _Create(name, tag, datetime.fromtimestamp(self.clock(), UTC))
                self._sent[name] = sent
                self._in_flight.append(sent)
                try:
                    results.append(await create())
                except WebRtcError as error:
                    if may_have_created(error):
                        self._uncertain.append(sent)
                    raise
                finally:
                    self._in_flight.remove(sent)
                resource = resource_of(results[0])
                self.created.append(resource)
                self.not_deleted.append(resource)
                await self.record(resource)
        return results[0]

    @property
    def unanswered(self) -> list[WebRtcError]:
        """The errors for the creates whose responses have not arrived yet."""
        return [
            UnknownOutcomeError(
                "the response has not arrived yet. The client still waits for it, and deletes the "
                "created resource when it arrives.",
                operation=sent.operation,
            )
            for sent in self._in_flight
        ]

    @property
    def in_doubt(self) -> tuple[InDoubt, ...]:
        """The sessions and participants that may exist, with or without a known id."""
        unknown = [self._in_doubt(sent) for sent in (*self._uncertain, *self._in_flight)]
        known = [self._in_doubt(self._sent[each.name], each.id) for each in self.not_deleted]
        return (*unknown, *known)

    def _in_doubt(self, sent: _Create, resource_id: str | None = None) -> InDoubt:
        return InDoubt(
            kind="participant" if sent.name else "session",
            id=resource_id,
            name=sent.name,
            tag=sent.tag,
            since=sent.sent_at,
            key=self.key,
        )
