"""The members of a conference that is going on, kept in memory and in a journal."""

from attrs import define, field

from webrtc_async.conferences.conference import Conference, Member
from webrtc_async.conferences.errors import JournalError
from webrtc_async.conferences.ledger import Ledger
from webrtc_async.conferences.setup import Setup


@define(eq=False)
class Roster:
    """The members of a conference that is going on.

    Attributes:
        now: The conference as it is now.
        ledger: Keeps the journal.
        joining: The set-ups of late participants that are under way or could not be undone.
        is_over: True once the tear-down has begun, which alone writes to the journal from then on.
    """

    now: Conference
    ledger: Ledger
    joining: set[Setup] = field(factory=set[Setup], init=False)
    is_over: bool = field(default=False, init=False)

    def start_join(self, setup: Setup) -> None:
        """Add a set-up, and forget those that left nothing."""
        ended = [each for each in self.joining if each.done.is_set() and not each.not_deleted]
        self.joining.difference_update(ended)
        self.joining.add(setup)

    def drop(self, member: Member) -> None:
        """Remove a member, unless another one has its name by now."""
        if member in self.now.members:
            self.now = self.now.without(member.name)

    async def save(self) -> None:
        """Write the members to the journal.

        Raises:
            JournalError: The journal cannot be written.
        """
        if self.is_over:
            return
        known = self.now.resources
        await self.ledger.finish(self.now)
        for setup in tuple(self.joining):  # that entry made the journal forget these
            for each in tuple(setup.not_deleted):
                if each not in known:
                    await self.ledger.record(each)


@define(eq=False)
class JoinLedger(Ledger):
    """The entries of a participant that joins late: it becomes a member once it has joined.

    Attributes:
        roster: The members.
    """

    roster: Roster = field(kw_only=True)
    _member: Member | None = field(default=None, init=False)

    async def begin(self) -> None:
        """Write nothing: the plan's entries have begun."""

    async def finish(self, conference: Conference) -> None:
        """Make the participant a member."""
        self._member = conference.members[0]
        now = self.roster.now
        self.roster.now = now.with_member(self._member, conference.subscriptions[0])
        try:
            await self.roster.save()
        except JournalError:
            self.drop()
            raise

    async def forget(self) -> None:
        """Write the members without the participant, which is deleted."""
        self.drop()
        await self.roster.save()

    def drop(self) -> None:
        """Make the participant no member, if it has become one."""
        if self._member is not None:
            self.roster.drop(self._member)
