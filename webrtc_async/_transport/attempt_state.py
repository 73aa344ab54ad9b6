"""How far one attempt of a call has come."""

from typing import Final

from attrs import define, field

from webrtc_async.errors.outcome import Outcome, Stage

YOUNG: Final = 5.0
"""Seconds that a connection may have idled before a create goes over it, where one can choose.

A peer that drops an idle connection while a request is on its way leaves that request's outcome
open, which costs a repeatable request nothing and a create its answer.
"""

_BEFORE_SENDING: Final = (Stage.QUEUED, Stage.THROTTLED, Stage.AUTHENTICATING, Stage.PAUSING)


@define
class AttemptState:
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
    stage: Stage = Stage.QUEUED
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
        sent = self.stage is Stage.SENDING or self.stage is Stage.AWAITING
        return self.is_reused and self.status is None and sent

    @property
    def outcome(self) -> Outcome:
        """What may have happened at the service by now."""
        if self.status is not None:
            return Outcome.ANSWERED
        if self.stage in _BEFORE_SENDING:
            return Outcome.NOT_SENT
        # A transport that tells nothing may have sent everything.
        if self.stage is Stage.CONNECTING and self.is_traced:
            return Outcome.NOT_SENT
        return Outcome.UNKNOWN
