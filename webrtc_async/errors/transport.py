"""Errors of calls to which no complete answer came."""

from dataclasses import dataclass

from webrtc_async.errors.outcome import Outcome, Stage
from webrtc_async.errors.root import WebRtcError


@dataclass(eq=False, repr=False, kw_only=True)
class TransportError(WebRtcError):
    """No complete answer arrived.

    Attributes:
        status: The status of the answer when its head had arrived, else None.
    """

    outcome: Outcome = Outcome.UNKNOWN
    status: int | None = None

    def __str__(self) -> str:
        seen = "" if self.status is None else f" Its status was {self.status}."
        return f"{super().__str__()}{seen} {self._consequence}".rstrip()

    @property
    def _consequence(self) -> str:
        if self.outcome is Outcome.NOT_SENT:
            return "Nothing was sent, so the call can be repeated safely."
        if self.outcome is Outcome.UNKNOWN:
            return "The request was sent, so the operation may have been carried out."
        if self.status is not None and 200 <= self.status <= 299:
            return "The service reported success, so the operation was most likely carried out."
        return "The service had refused the attempt that it answered."


@dataclass(eq=False, repr=False, kw_only=True)
class ConnectionFailedError(TransportError):
    """No connection could be made, or it took too long; no byte of this attempt was sent."""

    outcome: Outcome = Outcome.NOT_SENT

    @property
    def _consequence(self) -> str:
        # Of an earlier attempt the root has spoken already.
        return "" if self.outcome is Outcome.UNKNOWN else super()._consequence


class TlsError(ConnectionFailedError):
    """TLS could not be agreed on; never repeated, because it would fail again.

    The text names the check: of the server's certificate, the version, the ciphers, the client's
    certificate, or whether the server speaks TLS at all. A connection that is cut off within the
    handshake is a plain `ConnectionFailedError`, which may be repeated.
    """

    @property
    def _consequence(self) -> str:
        if self.outcome is Outcome.NOT_SENT:
            return "Nothing was carried out, and another try would fail alike."
        return super()._consequence


class RateLimiterError(ConnectionFailedError):
    """The rate limiter failed, such as one whose Redis is down; repeated as a lost connection."""


class UnknownOutcomeError(TransportError):
    """The request was sent and its answer was lost, in whole or after its head.

    A create that ends so may have made a session or participant that nobody knows the id of;
    the service removes it after nine hours. `orphan` says how to know it again.
    """


@dataclass(eq=False, repr=False, kw_only=True)
class DeadlineExceededError(TransportError, TimeoutError):
    """The call's deadline passed.

    Attributes:
        stage: What the call was doing when its time was up.
    """

    stage: Stage = Stage.QUEUED
