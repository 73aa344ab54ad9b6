"""Errors of calls with a response: an error status, or a success with an unusable body."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from webrtc_async.errors.outcome import Outcome
from webrtc_async.errors.root import WebRtcError


@dataclass(eq=False, repr=False, kw_only=True)
class ApiError(WebRtcError):
    """The service responded with an error status.

    Attributes:
        status: The HTTP status.
        reason: The service's message; empty if the body had none.
        code: The service's numeric error code; None if the body had none.
        request_id: The service's id of the request, from the body or the headers.
        retry_after: Seconds to wait before the next request, from Retry-After, or None.
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

    @property
    def _details(self) -> str:
        return f"Request id {self.request_id}." if self.request_id else ""

    @property
    def _advice(self) -> str:
        return self.advice


class RedirectError(ApiError):
    """The service responded with a redirect (301, 302, 303, 307, 308), which is never followed."""

    advice = "Redirects are never followed. Correct base_url if the service has moved."


class BadRequestError(ApiError):
    """The service rejected the request as malformed (400)."""


class UnauthorizedError(ApiError):
    """The service rejected the credentials (401)."""

    advice = (
        "Check that the credentials belong to this account: they come from auth=, or with "
        "from_env() from BW_USERNAME and BW_PASSWORD or BW_CLIENT_ID and BW_CLIENT_SECRET."
    )


class ForbiddenError(ApiError):
    """The credentials are valid but lack permission, or the path is unknown (403)."""

    advice = "Check base_url (an unknown path causes a 403), and that the user may use WebRTC."


class NotFoundError(ApiError):
    """The session or participant does not exist (404)."""


class ConflictError(ApiError):
    """The participant is in another session, or the session is full (409)."""


class RateLimitedError(ApiError):
    """The service asks for fewer requests (429); see retry_after."""

    @property
    def _advice(self) -> str:
        return (
            "" if self.retry_after is None else f"Wait {self.retry_after:g} s before another call."
        )


class ServerError(ApiError):
    """The service or its gateway failed (5xx)."""


@dataclass(eq=False, repr=False, kw_only=True)
class UnexpectedResponseError(WebRtcError):
    """The service responded with a success whose body does not fit the operation's model.

    The operation has most likely been carried out.

    Attributes:
        status: The HTTP status.
        problems: The problems of the body, each with its path in the JSON.
        request_id: The service's id of the request, or None.
        body: The start of the body as text, at most 500 characters, device tokens removed.
    """

    outcome: Outcome = Outcome.ANSWERED
    status: int = 0
    problems: tuple[str, ...] = ()
    request_id: str | None = None
    body: str = ""


class ResponseTooLargeError(UnexpectedResponseError):
    """The body was longer than the client's limit; the rest was not read."""


@dataclass(eq=False, repr=False, kw_only=True)
class CreateRolledBackError(WebRtcError):
    """A create's response was unusable, and the created resource was deleted.

    Nothing is left, so the call can be repeated. The `__cause__` describes the response.

    Attributes:
        resource_id: The id of the resource that was created and deleted.
    """

    outcome: Outcome = Outcome.ANSWERED
    resource_id: str = ""
