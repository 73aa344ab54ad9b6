"""Every exception this package raises.

    WebRtcError                        .operation .outcome .attempts .orphan
    ├── ConfigurationError             a setting is wrong; also a ValueError
    ├── InvalidArgumentError           an argument of a call is wrong; also a ValueError
    ├── ClientClosedError              the client is closed for good; also a RuntimeError
    ├── JournalError                   a journal of set-ups cannot be read or written
    ├── ConferenceOverError            a conference was used after its end; also a RuntimeError
    ├── ConferenceError                .leaked; also an ExceptionGroup
    │   ├── SetupError                 .created .unknown .rollback
    │   └── TeardownError              what could not be deleted
    ├── TransportError                 no complete answer came: .outcome says what may have happened
    │   ├── ConnectionFailedError      nothing was sent
    │   │   └── TlsError               no agreement on TLS: the text names the check that failed
    │   ├── UnknownOutcomeError        sent, and the answer was lost
    │   └── DeadlineExceededError      the call ran out of time; also a TimeoutError
    ├── ApiError                       the service refused: .status .reason .request_id ...
    │   ├── RedirectError          301, 302, 303, 307, 308
    │   ├── BadRequestError        400
    │   ├── UnauthorizedError      401
    │   ├── ForbiddenError         403
    │   ├── NotFoundError          404
    │   ├── ConflictError          409
    │   ├── RateLimitedError       429
    │   └── ServerError            5xx
    ├── UnexpectedResponseError        a success whose body does not fit: .problems
    │   └── ResponseTooLargeError
    └── CreateRolledBackError          its answer was broken, so what it made was deleted again
    RouteMismatchError                 an endpoint disagrees with its route; a TypeError, at import

Every one pickles, holds no secret, and has a text that starts with the operation. The groups of
failures, and what a journal can do wrong, are in `session_setup.errors`.
"""

from collections.abc import Mapping
from typing import ClassVar

from webrtc_async.outcome import Orphan, Outcome, Stage


class WebRtcError(Exception):
    """Root of everything this package raises at run time.

    Attributes:
        operation: The API's name of the operation, such as "createSession"; empty outside a call.
        outcome: What may have happened at the service, over all attempts of the call.
        attempts: How many attempts the call had begun; 0 when it was refused before the first.
        orphan: After a create, how to find what it may have made without telling anyone; None
            where there can be nothing.
    """

    usual_outcome: ClassVar[Outcome] = Outcome.NOT_SENT

    def __init__(
        self, message: str, *, operation: str = "", outcome: Outcome | None = None
    ) -> None:
        super().__init__(message)
        self.operation = operation
        self.outcome = self.usual_outcome if outcome is None else outcome
        self.attempts = 0
        self.orphan: Orphan | None = None

    @property
    def message(self) -> str:
        """What went wrong, without the operation and the outcome."""
        return str(self.args[0])

    def __str__(self) -> str:
        text = f"{self.operation}: {self.message}" if self.operation else self.message
        if self.attempts > 1:
            text += f" This was attempt {self.attempts}."
        if self.outcome is Outcome.UNKNOWN and self.usual_outcome is not Outcome.UNKNOWN:
            text += " An answer was lost, so the operation may have been carried out."
        if self.orphan is not None:
            text += f" What it may have made is {self.orphan}."
        return text


class ConfigurationError(WebRtcError, ValueError):
    """A setting is missing or cannot work; nothing was sent."""


class InvalidArgumentError(WebRtcError, ValueError):
    """An argument of a call cannot be sent; nothing was sent."""


class ClientClosedError(WebRtcError, RuntimeError):
    """The client was closed before the call, or while it was under way: .outcome says which."""


class TransportError(WebRtcError):
    """No complete answer arrived.

    Attributes:
        status: The status of the answer when its head had arrived, else None.
    """

    usual_outcome = Outcome.UNKNOWN

    def __init__(
        self,
        message: str,
        *,
        operation: str = "",
        outcome: Outcome | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message, operation=operation, outcome=outcome)
        self.status = status

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


class ConnectionFailedError(TransportError):
    """No connection could be made, or it took too long; no byte of this attempt was sent."""

    usual_outcome = Outcome.NOT_SENT

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


class UnknownOutcomeError(TransportError):
    """The request was sent and its answer was lost, in whole or after its head.

    A create that ends so may have made a session or participant that nobody knows the id of;
    the service removes it after nine hours. `orphan` says how to know it again.
    """


class DeadlineExceededError(TransportError, TimeoutError):
    """The call's deadline passed.

    Attributes:
        stage: What the call was doing when its time was up.
    """

    def __init__(
        self,
        message: str,
        *,
        operation: str = "",
        outcome: Outcome | None = None,
        status: int | None = None,
        stage: Stage = Stage.QUEUED,
    ) -> None:
        super().__init__(message, operation=operation, outcome=outcome, status=status)
        self.stage = stage


class ApiError(WebRtcError):
    """The service answered with a status that is not a success.

    Attributes:
        status: The HTTP status.
        reason: The service's own message, from whichever error body it sent; may be empty.
        code: The service's numeric error code, where its body had one.
        request_id: The service's id of the request, from the body or the headers.
        retry_after: Seconds the service asked to wait, or None.
        headers: The response headers in lower case, without those that carry secrets.
        body: The start of the body as text, at most 500 characters, device tokens removed.
    """

    usual_outcome = Outcome.ANSWERED
    advice: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        operation: str = "",
        outcome: Outcome | None = None,
        status: int = 0,
        reason: str = "",
        code: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
        body: str = "",
    ) -> None:
        super().__init__(message, operation=operation, outcome=outcome)
        self.status = status
        self.reason = reason
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after
        self.headers = dict(headers or {})
        self.body = body

    def __str__(self) -> str:
        text = super().__str__()
        if self.request_id:
            text += f" Request id {self.request_id}."
        return f"{text} {self.advice}".rstrip()


class RedirectError(ApiError):
    """The service answered with a redirect (301, 302, 303, 307, 308), which is never followed."""

    advice = "Redirects are never followed: correct base_url if the service has moved."


class BadRequestError(ApiError):
    """The service could not use the request (400)."""


class UnauthorizedError(ApiError):
    """The credentials were refused (401)."""

    advice = (
        "Check that the credentials belong to this account: they come from auth=, or with "
        "from_env() from BW_USERNAME and BW_PASSWORD or BW_CLIENT_ID and BW_CLIENT_SECRET."
    )


class ForbiddenError(ApiError):
    """The credentials are known and may not do this, or the path is unknown (403)."""

    advice = (
        "Check base_url (an unknown path is answered like this), and that the user may use WebRTC."
    )


class NotFoundError(ApiError):
    """The session or participant does not exist, or no longer (404)."""


class ConflictError(ApiError):
    """The participant is in another session, or the session is full (409)."""


class RateLimitedError(ApiError):
    """The service asks for fewer requests (429); see retry_after."""

    def __str__(self) -> str:
        wait = "" if self.retry_after is None else f" It asks to wait {self.retry_after:g} s."
        return f"{super().__str__()}{wait}"


class ServerError(ApiError):
    """The service or its gateway failed (5xx)."""


class UnexpectedResponseError(WebRtcError):
    """A success whose body is not what the operation returns.

    The operation itself has most likely been carried out.

    Attributes:
        status: The HTTP status.
        problems: Every misfit, a sentence each, with its path on the wire.
        request_id: The service's id of the request, or None.
        body: The start of the body as text, at most 500 characters, device tokens removed.
    """

    usual_outcome = Outcome.ANSWERED

    def __init__(
        self,
        message: str,
        *,
        operation: str = "",
        outcome: Outcome | None = None,
        status: int = 0,
        problems: tuple[str, ...] = (),
        request_id: str | None = None,
        body: str = "",
    ) -> None:
        super().__init__(message, operation=operation, outcome=outcome)
        self.status = status
        self.problems = problems
        self.request_id = request_id
        self.body = body


class ResponseTooLargeError(UnexpectedResponseError):
    """The body was longer than the client's limit and was not read to its end."""


class CreateRolledBackError(WebRtcError):
    """A create succeeded with an answer that is of no use, and what it made was deleted again.

    Nothing is left of it, so the call can be repeated. Its `__cause__` says what the answer was.

    Attributes:
        resource_id: The id of what was made and deleted.
    """

    usual_outcome = Outcome.ANSWERED

    def __init__(
        self,
        message: str,
        *,
        operation: str = "",
        outcome: Outcome | None = None,
        resource_id: str = "",
    ) -> None:
        super().__init__(message, operation=operation, outcome=outcome)
        self.resource_id = resource_id


class RouteMismatchError(TypeError):
    """A declared signature disagrees with its route; raised while the module is imported."""
