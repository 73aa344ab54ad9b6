"""How far a call came, and what may have happened at the service by then."""

import enum
from datetime import datetime
from typing import Final

from attrs import define, field, frozen

YOUNG: Final = 5.0
"""Seconds that a connection may have idled before a create goes over it, where one can choose.

A peer that drops an idle connection while a request is on its way leaves that request's outcome
open, which costs a repeatable request nothing and a create its answer.
"""


class Outcome(enum.IntEnum):
    """What may have happened at the service, the least certain last."""

    NOT_SENT = 0
    """No byte of the request left, so nothing can have changed there."""
    ANSWERED = 1
    """The service answered; its status says what happened."""
    UNKNOWN = 2
    """The request left and no answer came: it may have taken effect."""


class Stage(enum.Enum):
    """How far a call has come; the value completes "the call was ..."."""

    QUEUED = "waiting for a free connection"
    THROTTLED = "waiting for its turn under the rate limit"
    AUTHENTICATING = "fetching an access token"
    CONNECTING = "connecting"
    SENDING = "sending the request"
    AWAITING = "waiting for the answer"
    READING = "reading the answer"
    PAUSING = "pausing before another attempt"


# What every call goes through, by names of its own: on Python 3.11 an enum's own attributes cost as
# much as a call of a function.
QUEUED: Final = Stage.QUEUED
AUTHENTICATING: Final = Stage.AUTHENTICATING
CONNECTING: Final = Stage.CONNECTING
SENDING: Final = Stage.SENDING
AWAITING: Final = Stage.AWAITING
READING: Final = Stage.READING
NOT_SENT: Final = Outcome.NOT_SENT

_BEFORE_SENDING: Final = (QUEUED, Stage.THROTTLED, AUTHENTICATING, Stage.PAUSING)


@define
class Progress:
    """How far one attempt of a call has come.

    Attributes:
        operation: The API's name of the operation.
        stage: What it is doing.
        is_traced: Whether the transport tells what it really does.
        status: The status of the answer, from when its head has arrived.
        is_reused: Whether the connection was kept from an earlier request, if the transport tells.
        received: What has come of the body of a success that did not come whole.
        longest_idle: Seconds that a connection may have idled, for transports that can choose.
    """

    operation: str
    stage: Stage = QUEUED
    is_traced: bool = False
    status: int | None = None
    is_reused: bool = False
    received: bytes = field(default=b"", repr=False)
    longest_idle: float | None = None

    def begin(self, stage: Stage) -> None:
        """Start over for another attempt."""
        self.stage, self.is_traced, self.status = stage, False, None
        self.is_reused, self.received = False, b""

    @property
    def met_a_dead_connection(self) -> bool:
        """Whether a connection that was kept from an earlier request gave no byte of an answer."""
        sent = self.stage is SENDING or self.stage is AWAITING
        return self.is_reused and self.status is None and sent

    @property
    def outcome(self) -> Outcome:
        """What may have happened at the service by now."""
        if self.status is not None:
            return Outcome.ANSWERED
        if self.stage in _BEFORE_SENDING:
            return Outcome.NOT_SENT
        # A transport that tells nothing may have sent everything.
        if self.stage is CONNECTING and self.is_traced:
            return Outcome.NOT_SENT
        return Outcome.UNKNOWN


@frozen(kw_only=True)
class Orphan:
    """What is known of a session or participant that may exist and whose creator has no answer.

    Attributes:
        account_id: The account it would be in.
        tag: The tag it was to have, by which webhooks and records show it; None for none.
        sent_at: When the call began, in UTC.
        resource_id: Its id, where the answer had one and deleting it could not be confirmed.
    """

    account_id: str
    tag: str | None
    sent_at: datetime
    resource_id: str | None = None

    def __str__(self) -> str:
        tagged = f", tagged {self.tag!r}" if self.tag else ""
        known = f", with the id {self.resource_id}" if self.resource_id else ""
        return (
            f"in account {self.account_id}{tagged}, from {self.sent_at:%Y-%m-%d %H:%M:%S}Z{known}"
        )
