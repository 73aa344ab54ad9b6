"""Requests and responses as plain values, without I/O.

`write_request` turns a call into a request; `read_response` turns a response into a result or an
error.
"""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final, TypeVar

from attrs import Factory, define, field, frozen

from webrtc_async._codec import model_codec as codec
from webrtc_async._protocol.redaction import excerpt, public_headers, secrets_in
from webrtc_async._protocol.retry_after import read_retry_after
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

LONGEST_REQUEST_ID: Final = 100
"""Most characters of a request id."""


_ERROR_BY_STATUS: Final[Mapping[int, type[ApiError]]] = {
    **dict.fromkeys((301, 302, 303, 307, 308), RedirectError),
    400: BadRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitedError,
}


# Not frozen: every call makes both, and a frozen instance costs three times as much to make.
@define
class WireRequest:
    """A request.

    Attributes:
        method: The HTTP method.
        target: An absolute URL, or a percent-encoded path below base_url.
        headers: Header values by name.
        content: The body; empty for no body.
        base_url: Prefix of a relative target; empty for an absolute URL.
        authorization: The Authorization header, unless headers has one; each attempt may set it.
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
        """The absolute URL."""
        return self.base_url + self.target


def _read_only(headers: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(dict(headers))


def _with_json(headers: "RequestHeaders") -> Mapping[str, str]:
    return _read_only({**headers.plain, "Content-Type": "application/json"})


@frozen
class RequestHeaders:
    """The headers of all requests of a client, prepared once.

    Attributes:
        plain: The headers of a request without a body.
        with_json: The headers of a request with a JSON body.
    """

    plain: Mapping[str, str] = field(converter=_read_only, repr=lambda names: repr(sorted(names)))
    with_json: Mapping[str, str] = field(
        init=False, repr=False, default=Factory(_with_json, takes_self=True)
    )


@define
class WireResponse:
    """A response; it is never changed.

    Attributes:
        status: The HTTP status.
        headers: Header values by lower-case name.
        content: The body without its content encoding.
    """

    status: int
    headers: Mapping[str, str] = field(
        factory=dict[str, str], repr=lambda headers: repr(sorted(headers))
    )
    content: bytes = field(default=b"", repr=lambda content: f"<{len(content)} bytes>")

    @property
    def is_success(self) -> bool:
        """True for any 2xx: older descriptions swap 200 and 204, so the body decides."""
        return 200 <= self.status <= 299

    @property
    def request_id(self) -> str | None:
        """The service's id of the request, from its gateway's headers."""
        found = self.headers.get("x-amzn-requestid") or self.headers.get("apigw-requestid")
        return excerpt(found, longest=LONGEST_REQUEST_ID) if found else None


def with_headers(request: WireRequest, headers: Mapping[str, str]) -> WireRequest:
    """Return a copy of a request with more headers, which replace those of the same spelling."""
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
    """Return the request of a call.

    Raises:
        InvalidArgumentError: An id cannot stand in a path, or the body is not of the route's model.
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
    """Return the result in a response.

    Args:
        route: The route of the call.
        response: The response.
        authorization: The Authorization header of the request; an error hides its echoes.
        now: The current time, for a Retry-After date in a response without a Date.

    Raises:
        ApiError: The status is an error.
        UnexpectedResponseError: The status is a success, and the body does not fit.
    """
    if not response.is_success:
        raise _read_error(route, response, secrets_in(authorization), now)
    if route.result is type(None):
        return None  # pyright: ignore[reportReturnType]  # ResultT is None here
    if not response.content:
        if route.when_empty is not None:
            return route.when_empty()
        problems: tuple[str, ...] = ("the body is empty",)
    else:
        try:
            return codec.read_answer(response.content, route.result)
        except codec.ValidationError as error:
            problems = error.problems
    secrets = secrets_in(authorization)
    kind = excerpt(response.headers.get("content-type", "not given"), secrets, longest=100)
    problems = tuple(excerpt(each, secrets) for each in problems)
    raise UnexpectedResponseError(
        f"the service responded with {response.status} and a body that does not fit: "
        f"{'; '.join(problems)}. The content type is {kind}.",
        operation=route.operation,
        status=response.status,
        problems=problems,
        request_id=response.request_id,
        body=excerpt(response.content.decode("utf-8", "replace"), secrets),
    )


def error_for_status(status: int) -> type[ApiError]:
    """Return the class of the error for a status."""
    if 500 <= status <= 599:
        return ServerError
    return _ERROR_BY_STATUS.get(status, ApiError)


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
    except codec.ValidationError as error:
        raise InvalidArgumentError(f"the body cannot be sent: {error}.") from error


def _read_error(
    route: Route[Any, Any],
    response: WireResponse,
    secrets: tuple[str, ...],
    now: datetime | None,
) -> Exception:
    status, fields = response.status, codec.read_object(response.content)
    # Three bodies are documented: error with requestId, message alone, and code with message.
    texts = [fields.get(name) for name in ("error", "message", "description")]
    reason = next((text for text in texts if isinstance(text, str) and text), "")
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
