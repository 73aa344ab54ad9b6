"""The tear-down of one conference."""

from collections.abc import Iterable

import anyio
from attrs import define, field

from webrtc_async._tasks.slot import Slot
from webrtc_async.conferences.deletion import Deletion, as_webrtc_error
from webrtc_async.conferences.errors import OPERATION, JournalError, TeardownError
from webrtc_async.conferences.ledger import Ledger
from webrtc_async.conferences.resource import Resource
from webrtc_async.conferences.setup import Setup
from webrtc_async.endpoints import Endpoints
from webrtc_async.errors import ClientClosedError, NotFoundError


@define(eq=False, kw_only=True)
class Teardown:
    """The tear-down of a conference.

    Attributes:
        client: Sends the requests.
        slots: The queue in front of the requests.
        session_id: The session.
        not_deleted: The resources that may still exist.
        joining: The set-ups of participants that may still be joining.
        has_others: True if the service may know members of the session that we do not.
        ledger: Keeps the journal.
        deletion: Deletes them.
        done: Set when every resource that can be deleted is.
    """

    client: Endpoints
    slots: anyio.CapacityLimiter
    session_id: str
    not_deleted: list[Resource]
    joining: Iterable[Setup]
    has_others: bool
    ledger: Ledger
    done: anyio.Event = field(factory=anyio.Event, init=False)
    deletion: Deletion = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.deletion = Deletion(self.client, self.slots, self.not_deleted)

    async def run(self) -> None:
        """Delete the members, including those that are still joining, and then the session."""
        for setup in tuple(self.joining):
            setup.abandon()
            await setup.done.wait()
            self._add(setup.not_deleted)
        session = Resource("session", self.session_id)
        is_kept = self.has_others and session in self.not_deleted and not await self._find_others()
        if is_kept:  # only the session knows the others
            self.not_deleted.remove(session)
        await self.deletion.run()
        if is_kept:
            self.not_deleted.insert(0, session)
        if not self.not_deleted:
            try:
                await self.ledger.forget()
            except JournalError as error:
                self.deletion.errors.append(error)

    def end(self) -> None:
        """Report what is left if the task was ended, and release the caller."""
        self.deletion.end()
        self.done.set()

    @property
    def failure(self) -> TeardownError | None:
        """The error for all failures, if any."""
        errors = self.deletion.errors
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

    async def _find_others(self) -> bool:
        """Add the members that joined in other processes; return False if that fails."""
        async with Slot(self.slots, object()):
            try:
                found = await self.client.list_session_participants(self.session_id)
            except NotFoundError:
                return True
            except Exception as error:  # noqa: BLE001  # a user's transport may raise anything
                session = Resource("session", self.session_id)
                self.deletion.errors.append(as_webrtc_error(error, session))
                return False
        known = {each.id for each in self.not_deleted}
        self._add(
            Resource("participant", each.id, each.tag or "")
            for each in found
            if each.id not in known
        )
        return True

    def _add(self, resources: Iterable[Resource]) -> None:
        self.not_deleted.extend(each for each in resources if each not in self.not_deleted)
