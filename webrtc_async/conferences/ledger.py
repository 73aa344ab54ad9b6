"""The journal's entries of one plan."""

import os
from collections.abc import Callable

import anyio
from attrs import define, evolve, field

from webrtc_async.conferences.conference import Conference
from webrtc_async.conferences.deletion import Deletion
from webrtc_async.conferences.errors import OPERATION, JournalError, SetupError
from webrtc_async.conferences.in_doubt import InDoubt
from webrtc_async.conferences.journal import Journal
from webrtc_async.conferences.plan import ConferencePlan
from webrtc_async.conferences.resource import Resource
from webrtc_async.endpoints import Endpoints
from webrtc_async.errors import InvalidArgumentError


@define(eq=False)
class Ledger:
    """The entries of one plan in a journal, if there is a journal.

    Attributes:
        journal: An open journal, or None to write nothing.
        key: The plan's key.
        on_broken: Called at once when a created resource cannot be written.

    Raises:
        InvalidArgumentError: The journal is a path, or the plan has no key for it.
    """

    journal: Journal | None = None
    key: str = ""
    on_broken: Callable[[], None] = field(default=lambda: None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if isinstance(self.journal, str | os.PathLike):
            raise InvalidArgumentError(
                "journal must be open already, not a path: several conferences can share it. Pass "
                "Journal(path).open(client.account_id)."
            )
        if self.journal is not None and not self.key:
            raise InvalidArgumentError(
                "A plan has no key. With a journal, each plan needs its own key."
            )

    async def resume(
        self, plan: ConferencePlan, client: Endpoints, slots: anyio.CapacityLimiter
    ) -> Conference | None:
        """Delete what an earlier run left unfinished, and return its conference if it has one.

        Raises:
            SetupError: The remains cannot be deleted.
            JournalError: The journal cannot be read or written.
        """
        if self.journal is None:
            return None
        deletion = Deletion(client, slots, list(self.journal.unfinished(self.key)))
        has_remains = bool(deletion.not_deleted)
        await deletion.run()
        if deletion.errors:
            raise SetupError(
                "the remains of an earlier run could not be deleted.",
                deletion.errors,
                operation=OPERATION,
                not_deleted=deletion.not_deleted,
                in_doubt=[
                    InDoubt(kind=each.kind, id=each.id, name=each.name, key=self.key)
                    for each in deletion.not_deleted
                ],
            )
        known = self.journal.finished(self.key)
        if known is None:
            return None
        if has_remains:  # of a participant that was joining late
            await self.journal.finish(known)
        subscriptions = tuple(plan.subscriptions_of(member.name) for member in known.members)
        return evolve(known, subscriptions=subscriptions)

    async def begin(self) -> None:
        """Write that the creates of the plan follow."""
        if self.journal is not None:
            await self.journal.begin(self.key)

    async def record(self, resource: Resource) -> None:
        """Write that a resource was created."""
        if self.journal is not None:
            try:
                await self.journal.record(self.key, resource)
            except JournalError:
                self.on_broken()
                raise

    async def finish(self, conference: Conference) -> None:
        """Write that the conference is as it should be."""
        if self.journal is not None:
            await self.journal.finish(conference)

    async def forget(self) -> None:
        """Write that every resource of the plan is deleted."""
        if self.journal is not None:
            await self.journal.forget(self.key)
