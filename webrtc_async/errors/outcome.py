"""The stage of a call, its outcome at the service, and the resource that it may have left."""

import enum
from datetime import datetime

from attrs import frozen


class Outcome(enum.IntEnum):
    """The effect that a call may have had at the service, the least certain last."""

    NOT_SENT = 0
    """No byte of the request was sent, so nothing can have changed."""
    ANSWERED = 1
    """The service responded; the status says what happened."""
    UNKNOWN = 2
    """The request was sent and no response arrived: it may have taken effect."""


class Stage(enum.Enum):
    """The stage of a call; the value completes "the call was ..."."""

    QUEUED = "waiting for a free connection"
    THROTTLED = "waiting for its turn under the rate limit"
    AUTHENTICATING = "fetching an access token"
    CONNECTING = "connecting"
    SENDING = "sending the request"
    AWAITING = "waiting for the response"
    READING = "reading the response"
    PAUSING = "pausing before another attempt"


@frozen(kw_only=True)
class Orphan:
    """A session or participant that may exist, although its create failed.

    Attributes:
        account_id: The account.
        tag: The tag that the create asked for, which webhooks and records show; None for none.
        sent_at: The time at which the call began, in UTC.
        resource_id: The id, if the response had one and its deletion could not be confirmed.
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
