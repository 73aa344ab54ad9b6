"""Errors of calls without a complete response."""

from dataclasses import dataclass

from webrtc_async.errors.outcome import Outcome, Stage
from webrtc_async.errors.root import WebRtcError


@dataclass(eq=False, repr=False, kw_only=True)
class TransportError(WebRtcError):
    """No complete response arrived.

    Attributes:
        status: The status of the response if its head arrived, else None.
    """

    outcome: Outcome = Outcome.UNKNOWN
    status: int | None = None

    @property
    def _details(self) -> str:
        return "" if self.status is None else f"The response status was {self.status}."

    @property
    def _consequence(self) -> str:
        if self.outcome is Outcome.NOT_SENT:
            return "Nothing was sent, so the call can be repeated safely."
        if self.outcome is Outcome.UNKNOWN:
            return "The request was sent, so the operation may have been carried out."
        if self.status is not None and 200 <= self.status <= 299:
            return "The service reported success, so the operation was most likely carried out."
        return "The service rejected the attempt it responded to."


@dataclass(eq=False, repr=False, kw_only=True)
class ConnectionFailedError(TransportError):
    """No connection could be made, or not in time; no byte of this attempt was sent."""

    outcome: Outcome = Outcome.NOT_SENT

    @property
    def _consequence(self) -> str:
        if self.outcome is Outcome.UNKNOWN:
            # Only an earlier attempt was sent, as the root says.
            return super(TransportError, self)._consequence
        return super()._consequence


class TlsError(ConnectionFailedError):
    """A TLS handshake failed in a way that a retry cannot mend; never repeated.

    The text names the check that failed: the server's certificate, the version, the ciphers, the
    client's certificate, or TLS itself at the server. A connection that is lost during the
    handshake raises a plain `ConnectionFailedError`, which may be repeated.
    """

    @property
    def _consequence(self) -> str:
        if self.outcome is Outcome.NOT_SENT:
            return "Nothing was sent. Another attempt would fail in the same way."
        return super()._consequence


class RateLimiterError(ConnectionFailedError):
    """The rate limiter failed, such as one whose Redis is down; repeated like a lost connection."""


class UnknownOutcomeError(TransportError):
    """The request was sent and its response was lost, in whole or after its head.

    A create that ends like this may have created a session or participant whose id nobody knows;
    the service removes it after nine hours. `orphan` says how to recognise it.
    """


@dataclass(eq=False, repr=False, kw_only=True)
class DeadlineExceededError(TransportError, TimeoutError):
    """The call's deadline passed.

    Attributes:
        stage: The stage of the call at its deadline.
    """

    stage: Stage = Stage.QUEUED
