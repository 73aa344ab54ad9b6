"""How far a call came, and what may have happened at the service by then."""

import enum

from attrs import define


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
    AUTHENTICATING = "fetching an access token"
    CONNECTING = "connecting"
    SENDING = "sending the request"
    AWAITING = "waiting for the answer"
    READING = "reading the answer"
    PAUSING = "pausing before another attempt"


@define
class Progress:
    """How far one attempt of a call has come."""

    operation: str
    stage: Stage = Stage.QUEUED
    is_traced: bool = False
    status: int | None = None

    def begin(self, stage: Stage) -> None:
        """Start over for another attempt."""
        self.stage, self.is_traced, self.status = stage, False, None

    @property
    def outcome(self) -> Outcome:
        """What may have happened at the service by now."""
        if self.status is not None:
            return Outcome.ANSWERED
        if self.stage in {Stage.QUEUED, Stage.AUTHENTICATING, Stage.PAUSING}:
            return Outcome.NOT_SENT
        # A transport that tells nothing may have sent everything.
        if self.stage is Stage.CONNECTING and self.is_traced:
            return Outcome.NOT_SENT
        return Outcome.UNKNOWN
