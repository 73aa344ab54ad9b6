"""How far a call came, and what may have happened at the service by then."""

import enum
from datetime import datetime

from attrs import frozen


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
