"""Errors of calls that were answered: refused, or with a success that is of no use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from webrtc_async.errors.outcome import Outcome
from webrtc_async.errors.root import WebRtcError


@dataclass(eq=False, repr=False, kw_only=True)
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

    advice: ClassVar[str] = ""

    outcome: Outcome = Outcome.ANSWERED
    status: int = 0
    reason: str = ""
    code: int | None = None
    request_id: str | None = None
    retry_after: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.headers = dict(self.headers)

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


@dataclass(eq=False, repr=False, kw_only=True)
class UnexpectedResponseError(WebRtcError):
    """A success whose body is not what the operation returns.

    The operation itself has most likely been carried out.

    Attributes:
        status: The HTTP status.
        problems: Every misfit, a sentence each, with its path on the wire.
        request_id: The service's id of the request, or None.
        body: The start of the body as text, at most 500 characters, device tokens removed.
    """

    outcome: Outcome = Outcome.ANSWERED
    status: int = 0
    problems: tuple[str, ...] = ()
    request_id: str | None = None
    body: str = ""


class ResponseTooLargeError(UnexpectedResponseError):
    """The body was longer than the client's limit and was not read to its end."""


@dataclass(eq=False, repr=False, kw_only=True)
class CreateRolledBackError(WebRtcError):
    """A create succeeded with an answer that is of no use, and what it made was deleted again.

    Nothing is left of it, so the call can be repeated. Its `__cause__` says what the answer was.

    Attributes:
        resource_id: The id of what was made and deleted.
    """

    outcome: Outcome = Outcome.ANSWERED
    resource_id: str = ""
