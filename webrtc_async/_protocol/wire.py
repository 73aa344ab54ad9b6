"""What a call is in HTTP's terms, and what an HTTP answer means; no I/O.

`write_request` makes a call into request values, `read_response` makes response values into a
result or an error.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final, TypeVar

from attrs import Factory, define, field, frozen

from webrtc_async._codec import model_codec as codec
from webrtc_async._protocol.redaction import excerpt, public_headers, secrets_in
from webrtc_async._protocol.route import Route
from webrtc_async.errors import (
    ApiError,
    BadRequestError,
    ConflictError,
    ForbiddenError,
    InvalidArgumentError,
    NotFoundError,
    RateLimitedError,
    RedirectError,
    ServerError,
    UnauthorizedError,
    UnexpectedResponseError,
)

BodyT = TypeVar("BodyT")
ResultT = TypeVar("ResultT")

_LONGEST_RETRY_AFTER: Final = 1e9
"""Seconds; a longer wait is this long, which no deadline has room for either."""

LONGEST_REQUEST_ID: Final = 100
"""Characters of a request id that are kept."""


_ERROR_BY_STATUS: Final[Mapping[int, type[ApiError]]] = {
    **dict.fromkeys((301, 302, 303, 307, 308), RedirectError),
    400: BadRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitedError,
}


# Defined and not frozen, because every call makes both, and a frozen one costs three times as much.
@define
class WireRequest:
    """A request's values.

    Attributes:
        method: The HTTP method.
        target: The request target: a URL, or a path that is already percent-encoded.
        headers: Header values by name.
        content: The body; empty means none.
        base_url: What the target is below; empty if it is below nothing.
        authorization: The header of that name, if it is not among the others; the only value that
            changes, from one attempt to the next.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(
        factory=dict[str, str], repr=lambda headers: repr(sorted(headers))
    )
    content: bytes = field(default=b"", repr=lambda content: f"<{len(content)} bytes>")
    base_url: str = ""
    authorization: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """The whole target."""
        return self.base_url + self.target


def _read_only(headers: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(dict(headers))


def _described_as_json(headers: "RequestHeaders") -> Mapping[str, str]:
    return _read_only({**headers.plain, "Content-Type": "application/json"})


@frozen
class RequestHeaders:
    """The headers that all requests of a client have, put together once.

    Attributes:
        plain: For a request without a body.
        with_json: For one whose body is JSON.
    """

    plain: Mapping[str, str] = field(converter=_read_only, repr=lambda names: repr(sorted(names)))
    with_json: Mapping[str, str] = field(
        init=False, repr=False, default=Factory(_described_as_json, takes_self=True)
    )


@define
class WireResponse:
    """An answer's values; nobody changes one.

    Attributes:
        status: The HTTP status.
        headers: Header values by lower-case name.
        content: The body, decoded from any content encoding.
    """

    status: int
    headers: Mapping[str, str] = field(
        factory=dict[str, str], repr=lambda headers: repr(sorted(headers))
    )
    content: bytes = field(default=b"", repr=lambda content: f"<{len(content)} bytes>")

    @property
    def is_success(self) -> bool:
        """Whether the status is a success; older descriptions swap them, so the body decides."""
        return 200 <= self.status <= 299

    @property
    def request_id(self) -> str | None:
        """The service's id of the request, as its gateway gives it."""
        found = self.headers.get("x-amzn-requestid") or self.headers.get("apigw-requestid")
        return excerpt(found, longest=LONGEST_REQUEST_ID) if found else None


def with_headers(request: WireRequest, headers: Mapping[str, str]) -> WireRequest:
    """Return a request with further headers; those of the same spelling are replaced."""
    return WireRequest(
        method=request.method,
        target=request.target,
        headers={**request.headers, **headers},
        content=request.content,
        base_url=request.base_url,
        authorization=request.authorization,
    )


def write_request(
    route: Route[BodyT, Any],
    base_url: str,
    path_values: Mapping[str, object],
    body: BodyT | None,
    headers: RequestHeaders,
) -> WireRequest:
    """Return the request that a call is.

    Raises:
        InvalidArgumentError: An id cannot stand in a path, or the body is not the route's model.
    """
    try:
        _check_names(route, path_values)
        target = route.path.expand(path_values)
        content = b"" if body is None else _write_body(route, body)
    except InvalidArgumentError as error:
        error.operation = route.operation
        raise
    fields = headers.with_json if content else headers.plain
    return WireRequest(route.method, target, fields, content, base_url)


def read_response(
    route: Route[Any, ResultT],
    response: WireResponse,
    *,
    authorization: str = "",
    now: datetime | None = None,
) -> ResultT:
    """Return what an answer means.

    Args:
        route: The route that was asked.
        response: What came back.
        authorization: The header that was sent, which no error may carry, should it be echoed.
        now: What a Retry-After date is compared with where the answer has no Date of its own.

    Raises:
        ApiError: The status is not a success.
        UnexpectedResponseError: It is, and its body does not fit.
    """
    if not response.is_success:
        raise _read_refusal(route, response, secrets_in(authorization), now)
    if route.result is type(None):
        return None  # pyright: ignore[reportReturnType]  # ResultT is None here
    if not response.content:
        if route.when_empty is not None:
            return route.when_empty()
        problems: tuple[str, ...] = ("the body is empty",)
    else:
        try:
            return codec.read_answer(response.content, route.result)
        except codec.ValidationError as misfit:
            problems = misfit.problems
    secrets = secrets_in(authorization)
    kind = excerpt(response.headers.get("content-type", "not given"), secrets, longest=100)
    problems = tuple(excerpt(each, secrets) for each in problems)
    raise UnexpectedResponseError(
        f"the service answered {response.status} with a body that does not fit: "
        f"{'; '.join(problems)}. Its type is {kind}.",
        operation=route.operation,
        status=response.status,
        problems=problems,
        request_id=response.request_id,
        body=excerpt(response.content.decode("utf-8", "replace"), secrets),
    )


def error_for_status(status: int) -> type[ApiError]:
    """Return the class for a status that is not a success."""
    if 500 <= status <= 599:
        return ServerError
    return _ERROR_BY_STATUS.get(status, ApiError)


def read_retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return how many seconds the service asks to wait, or None if it does not say so sensibly.

    A date is compared with the answer's own Date, so that a wrong clock here does no harm.
    """
    value = headers.get("retry-after", "").strip()
    # RFC 9110, 10.2.3: whole seconds, or a date. Nothing else is taken, and no negative wait.
    if re.fullmatch(r"[0-9]+", value):
        return min(float(value), _LONGEST_RETRY_AFTER)
    moment = _read_date(value)
    if moment is None:
        return None
    reference = _read_date(headers.get("date", "")) or now or datetime.now(UTC)
    return max(0.0, (moment - reference).total_seconds())


def _check_names(route: Route[Any, Any], path_values: Mapping[str, object]) -> None:
    if not path_values.keys() <= route.path.known_names:
        surplus = path_values.keys() - route.path.known_names
        raise InvalidArgumentError(f"{sorted(surplus)} are not values of {route.path.template}.")


def _write_body(route: Route[BodyT, Any], body: BodyT) -> bytes:
    if not isinstance(body, route.body):
        wanted = f"a {route.body.__name__}" if route.takes_body else "left out"
        raise InvalidArgumentError(f"the body must be {wanted}, not {type(body).__name__}.")
    try:
        return codec.write_request(body)
    except codec.ValidationError as misfit:
        raise InvalidArgumentError(f"the body cannot be sent: {misfit}.") from misfit


def _read_refusal(
    route: Route[Any, Any],
    response: WireResponse,
    secrets: tuple[str, ...],
    now: datetime | None,
) -> Exception:
    status, fields = response.status, codec.read_object(response.content)
    # Three shapes are documented: error with requestId, message alone, and code with message.
    said = [fields.get(name) for name in ("error", "message", "description")]
    reason = next((text for text in said if isinstance(text, str) and text), "")
    code, body_id = fields.get("code"), fields.get("requestId")
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "unknown status"
    reason = excerpt(reason, secrets)
    if isinstance(body_id, str) and body_id:
        request_id: str | None = excerpt(body_id, secrets, longest=LONGEST_REQUEST_ID)
    else:
        request_id = response.request_id
    return error_for_status(status)(
        f"{status} {phrase}{f': {reason}' if reason else ''}.",
        operation=route.operation,
        status=status,
        reason=reason,
        code=code if isinstance(code, int) and not isinstance(code, bool) else None,
        request_id=request_id,
        retry_after=read_retry_after(response.headers, now),
        headers=public_headers(response.headers, secrets),
        body=excerpt(response.content.decode("utf-8", "replace"), secrets),
    )


def _read_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
