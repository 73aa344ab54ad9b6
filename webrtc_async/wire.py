"""What a call is in HTTP's terms, and what an HTTP answer means; no I/O.

`write_request` makes a call into request values, `read_response` makes response values into a
result or an error.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

from attrs import field, frozen

from webrtc_async import codec
from webrtc_async.errors import (
    ConfigurationError,
    InvalidArgumentError,
    UnexpectedResponseError,
    error_for_status,
)
from webrtc_async.route import Route

BodyT = TypeVar("BodyT")
ResultT = TypeVar("ResultT")

TAKEN_AS_SUCCESS: Final = frozenset({200, 201, 204})
"""Older descriptions of the service swap these, so the body decides and not the number."""

_LONGEST_EXCERPT: Final = 500
_TOKEN = re.compile(r"eyJ[\w-]+\.[\w.-]+")
_SECRET_HEADERS: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "set-cookie2", "x-api-key"}
)
_OWN_HEADERS: Final = frozenset(
    {
        "authorization",
        "host",
        "connection",
        "content-length",
        "content-type",
        "accept-encoding",
        "transfer-encoding",
    }
)


@frozen(kw_only=True)
class WireRequest:
    """A request's values.

    Attributes:
        method: The HTTP method.
        target: The request target: a URL, or a path that is already percent-encoded.
        headers: Header values by name.
        content: The body; empty means none.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(
        factory=dict[str, str], repr=lambda headers: repr(sorted(headers))
    )
    content: bytes = field(default=b"", repr=lambda content: f"<{len(content)} bytes>")


@frozen(kw_only=True)
class WireResponse:
    """An answer's values.

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
    def request_id(self) -> str | None:
        """The service's id of the request, as its gateway gives it."""
        return self.headers.get("x-amzn-requestid") or self.headers.get("apigw-requestid")

    @property
    def public_headers(self) -> dict[str, str]:
        """The headers without those that carry secrets."""
        return {name: value for name, value in self.headers.items() if name not in _SECRET_HEADERS}


def write_request(
    route: Route[BodyT, Any],
    base_url: str,
    path_values: Mapping[str, object],
    body: BodyT | None,
    headers: Mapping[str, str],
) -> WireRequest:
    """Return the request that a call is.

    Raises:
        InvalidArgumentError: An id cannot stand in a path, or the body is not the route's model.
    """
    try:
        _check_names(route, path_values)
        target = base_url + route.path.expand(path_values)
        content = b"" if body is None else _write_body(route, body)
    except InvalidArgumentError as error:
        error.operation = route.operation
        raise
    if content:
        headers = {**headers, "Content-Type": "application/json"}
    return WireRequest(method=route.method, target=target, headers=headers, content=content)


def read_response(
    route: Route[Any, ResultT], response: WireResponse, now: datetime | None = None
) -> ResultT:
    """Return what an answer means.

    Args:
        route: The route that was asked.
        response: What came back.
        now: What a Retry-After date is compared with where the answer has no Date of its own.

    Raises:
        ApiError: The status is not a success.
        UnexpectedResponseError: It is, and its body does not fit.
    """
    if response.status not in TAKEN_AS_SUCCESS:
        raise _read_refusal(route, response, now)
    if route.result is type(None):
        return None  # pyright: ignore[reportReturnType]  # ResultT is None here
    if not response.content:
        if route.when_empty is not None:
            return route.when_empty()
        problems: tuple[str, ...] = ("the body is empty",)
    else:
        try:
            return codec.read_answer(response.content, route.result)
        except codec.MisfitError as misfit:
            problems = misfit.problems
    raise UnexpectedResponseError(
        f"the service answered {response.status} with a body that does not fit: "
        f"{'; '.join(problems)}. Its type is {response.headers.get('content-type', 'not given')}.",
        operation=route.operation,
        status=response.status,
        problems=problems,
        request_id=response.request_id,
        body=_excerpt(response.content),
    )


def read_retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return how many seconds the service asks to wait, or None if it does not say so sensibly.

    A date is compared with the answer's own Date, so that a wrong clock here does no harm.
    """
    value = headers.get("retry-after", "").strip()
    # RFC 9110, 10.2.3: whole seconds, or a date. Nothing else is taken, and no negative wait.
    if re.fullmatch(r"[0-9]{1,9}", value):
        return float(value)
    moment = _read_date(value)
    if moment is None:
        return None
    reference = _read_date(headers.get("date", "")) or now or datetime.now(UTC)
    return max(0.0, (moment - reference).total_seconds())


def check_base_url(url: object) -> str:
    """Return a base URL without its trailing slash, if requests can be sent below it.

    Raises:
        ConfigurationError: It is no http or https URL, or has credentials, a query or a fragment.
    """
    if not isinstance(url, str):
        raise ConfigurationError(f"base_url must be a str, not {type(url).__name__}.")
    try:
        parts = urlsplit(url)
        port_is_bad = parts.port == 0
    except ValueError:
        # Python's own message would repeat a password that stands where a port should.
        raise ConfigurationError("base_url cannot be read: check its host and port.") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(
            "base_url must look like https://api.webrtc.bandwidth.com/v1: scheme, host and path."
        )
    if "@" in parts.netloc:
        raise ConfigurationError("base_url must not hold credentials; give them as auth=.")
    # Even an empty query or fragment would swallow the path that is put behind it.
    if "?" in url or "#" in url or port_is_bad or not re.fullmatch(r"[!-~]+", url):
        raise ConfigurationError(
            "base_url must be plain ASCII with a usable port, without spaces, query and fragment."
        )
    if any(segment in {".", ".."} for segment in unquote(parts.path).split("/")):
        raise ConfigurationError("base_url must not have dot segments in its path.")
    return url.rstrip("/")


def check_headers(headers: Mapping[Any, Any]) -> dict[str, str]:
    """Return extra request headers, if they can be sent and are the caller's to set.

    Raises:
        ConfigurationError: A name or value cannot be sent, or the client itself sets that header.
    """
    for name, value in headers.items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise ConfigurationError(f"The header {name!r} and its value must be str.")
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise ConfigurationError(f"{name!r} is not a header name.")
        if name.lower() in _OWN_HEADERS:
            raise ConfigurationError(f"The header {name} is set by the client itself.")
        if not re.fullmatch(r"[\t -~]*", value):
            raise ConfigurationError(
                f"The value of the header {name} must be printable ASCII on one line."
            )
    return dict(headers)


def _check_names(route: Route[Any, Any], path_values: Mapping[str, object]) -> None:
    if surplus := path_values.keys() - set(route.path.names):
        raise InvalidArgumentError(f"{sorted(surplus)} are not values of {route.path.template}.")


def _write_body(route: Route[BodyT, Any], body: BodyT) -> bytes:
    if not isinstance(body, route.body):
        wanted = f"a {route.body.__name__}" if route.takes_body else "left out"
        raise InvalidArgumentError(f"the body must be {wanted}, not {type(body).__name__}.")
    try:
        return codec.write_request(body)
    except codec.MisfitError as misfit:
        raise InvalidArgumentError(f"the body cannot be sent: {misfit}.") from misfit


def _read_refusal(
    route: Route[Any, Any], response: WireResponse, now: datetime | None
) -> Exception:
    status, fields = response.status, codec.read_object(response.content)
    # Three shapes are documented: error with requestId, message alone, and code with message.
    said = [fields.get(name) for name in ("error", "message", "description")]
    reason = next((text for text in said if isinstance(text, str) and text), "")
    code, body_id = fields.get("code"), fields.get("requestId")
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "unknown status"
    reason = _scrubbed(reason)
    return error_for_status(status)(
        f"{status} {phrase}{f': {reason}' if reason else ''}.",
        operation=route.operation,
        status=status,
        reason=reason,
        code=code if isinstance(code, int) and not isinstance(code, bool) else None,
        request_id=body_id if isinstance(body_id, str) and body_id else response.request_id,
        retry_after=read_retry_after(response.headers, now),
        headers=response.public_headers,
        body=_excerpt(response.content),
    )


def _excerpt(content: bytes) -> str:
    return _scrubbed(content[: 4 * _LONGEST_EXCERPT].decode("utf-8", "replace"))


def _scrubbed(text: str) -> str:
    # Cut first as well: the pattern takes quadratic time on a long text made to hurt it.
    return _TOKEN.sub("<token>", text[: 4 * _LONGEST_EXCERPT])[:_LONGEST_EXCERPT]


def _read_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
