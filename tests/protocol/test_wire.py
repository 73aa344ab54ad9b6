"""Requests of calls, and results or errors of responses, without a socket."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import JSON, USUALLY

from webrtc_async._protocol.retry_after import read_retry_after
from webrtc_async._protocol.wire import (
    RequestHeaders,
    WireRequest,
    WireResponse,
    read_response,
    write_request,
)
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
    WebRtcError,
)
from webrtc_async.errors.outcome import Outcome
from webrtc_async.models import (
    AccountsParticipantsResponse,
    Participant,
    Session,
    Subscriptions,
)
from webrtc_async.route_table import (
    ADD_PARTICIPANT_TO_SESSION,
    CREATE_PARTICIPANT,
    CREATE_SESSION,
    DELETE_SESSION,
    GET_PARTICIPANT_SUBSCRIPTIONS,
    GET_SESSION,
    LIST_SESSION_PARTICIPANTS,
    ROUTES,
    UPDATE_PARTICIPANT_SUBSCRIPTIONS,
)

TAKEN_AS_SUCCESS = (200, 201, 202, 204, 206, 299)
BASE = "https://api.example/v1"
DEVICE_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwLTEifQ.c2lnbmF0dXJl"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
IDS = {"account_id": "a-1", "session_id": "s-1", "participant_id": "p-1"}
ANSWERS: dict[Any, tuple[bytes, object]] = {
    Session: (b'{"id":"s-1"}', Session(id="s-1")),
    Participant: (b'{"id":"p-1"}', Participant(id="p-1")),
    Subscriptions: (b'{"sessionId":"s-1"}', Subscriptions.everyone("s-1")),
    AccountsParticipantsResponse: (
        b'{"participant":{"id":"p-1"},"token":"t"}',
        AccountsParticipantsResponse(participant=Participant(id="p-1"), token="t"),
    ),
}
each_route = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
each_success = pytest.mark.parametrize("status", sorted(TAKEN_AS_SUCCESS))


def request_for(route: Any, body: Any = None, headers: dict[str, str] | None = None) -> WireRequest:
    """Return the request of a call with the usual ids."""
    ids = {name: IDS[name] for name in route.path.names}
    return write_request(route, BASE, ids, body, RequestHeaders(headers or {}))


def refusal(route: Any, response: WireResponse, now: datetime | None = None) -> Any:
    """Return the error of a response."""
    with pytest.raises(ApiError) as caught:
        read_response(route, response, now=now)
    return caught.value


def misfit(route: Any, response: WireResponse) -> UnexpectedResponseError:
    """Return the error of a success with an invalid body."""
    with pytest.raises(UnexpectedResponseError) as caught:
        read_response(route, response)
    return caught.value


def result_or_error(route: Any, response: WireResponse) -> tuple[Any, Any]:
    """Return the result of a response, or the package's error."""
    try:
        return read_response(route, response, now=NOW), None
    except WebRtcError as error:
        return None, error


@each_route
def test_request_without_a_body(route: Any) -> None:
    """A call without a body has method, target and the given headers, and no content."""
    headers = {"Accept": "application/json"}
    request = request_for(route, headers=headers)
    path = re.sub(r"{(\w+)}", lambda at: IDS[at[1]], route.path.template)
    assert (request.method, request.url) == (route.method, BASE + path)
    assert (dict(request.headers), request.content) == (headers, b"")


@pytest.mark.parametrize(
    ("route", "body", "content"),
    [
        (CREATE_SESSION, Session(), b"{}"),
        (CREATE_SESSION, Session(tag="room"), b'{"tag":"room"}'),
        (CREATE_PARTICIPANT, Participant(), b"{}"),
        (ADD_PARTICIPANT_TO_SESSION, Subscriptions.everyone("s-1"), b'{"sessionId":"s-1"}'),
        (UPDATE_PARTICIPANT_SUBSCRIPTIONS, Subscriptions.nothing(), b"{}"),
    ],
)
def test_request_with_a_body(route: Any, body: Any, content: bytes) -> None:
    """A body is sent as JSON with its Content-Type, an empty model as {}."""
    headers = {"Accept": "application/json"}
    request = request_for(route, body, headers)
    assert request.content == content
    assert request.headers == {"Accept": "application/json", "Content-Type": "application/json"}
    assert headers == {"Accept": "application/json"}


def test_ids_are_quoted_in_the_target() -> None:
    """An id cannot change the target of a request."""
    ids = {"account_id": "a/../b", "session_id": "%2e%2e?x#y"}
    request = write_request(GET_SESSION, BASE, ids, None, RequestHeaders({}))
    assert request.url == f"{BASE}/accounts/a%2F..%2Fb/sessions/%252e%252e%3Fx%23y"


@pytest.mark.parametrize(
    ("route", "values", "body", "problem"),
    [
        (CREATE_SESSION, {}, Participant(), "the body must be a Session, not Participant"),
        (CREATE_SESSION, {}, {"tag": "room"}, "the body must be a Session, not dict"),
        (CREATE_SESSION, {}, Session, "the body must be a Session, not type"),
        (GET_SESSION, {"session_id": "s"}, Session(), "the body must be left out, not Session"),
        (CREATE_SESSION, {}, Session(tag=5), "the body cannot be sent: tag: expected text"),
        (CREATE_SESSION, {"session_id": "s"}, None, "['session_id'] are not values of /acc"),
        (GET_SESSION, {}, None, "session_id must be a str, not NoneType"),
        (GET_SESSION, {"session_id": ".."}, None, "session_id is '..'"),
        (GET_SESSION, {"session_id": "s", "account_id": ""}, None, "account_id is empty"),
    ],
)
def test_calls_that_cannot_be_sent(
    route: Any, values: dict[str, object], body: Any, problem: str
) -> None:
    """The error for a wrong body or id, or a surplus id, starts with the operation."""
    with pytest.raises(InvalidArgumentError) as caught:
        write_request(route, BASE, {"account_id": "a-1", **values}, body, {})
    assert str(caught.value).startswith(f"{route.operation}: {problem}")
    assert caught.value.operation == route.operation
    assert caught.value.outcome is Outcome.NOT_SENT


def test_reprs_show_no_values() -> None:
    """Reprs of requests and responses have header names and a length, no values or content."""
    headers = {"authorization": "s3cret"}
    request = WireRequest(method="GET", target="/t", headers=headers, content=b"s3cret")
    response = WireResponse(status=200, headers=headers, content=b"s3cret")
    for values in (request, response):
        assert "s3cret" not in repr(values)
        assert "headers=['authorization'], content=<6 bytes>" in repr(values)
    assert WireResponse(status=204) == WireResponse(status=204, headers={}, content=b"")
    assert WireRequest(method="GET", target="/t").content == b""


@each_success
@each_route
def test_success_with_a_body(route: Any, status: int) -> None:
    """A success is read from its body, for each of the three statuses."""
    result = None
    content = b"not even JSON"
    if route.result == list[Participant]:
        content, result = (
            b'[{"id":"p-1"},{"id":"p-2"}]',
            [
                Participant(id="p-1"),
                Participant(id="p-2"),
            ],
        )
    elif route.result is not type(None):
        content, result = ANSWERS[route.result]
    assert read_response(route, WireResponse(status=status, content=content)) == result


@each_success
@each_route
def test_success_without_a_body(route: Any, status: int) -> None:
    """An empty success is None, an empty list or no subscriptions, or else an error."""
    response = WireResponse(status=status)
    if route.result is type(None):
        assert read_response(route, response) is None
    elif route in {LIST_SESSION_PARTICIPANTS, GET_PARTICIPANT_SUBSCRIPTIONS}:
        assert read_response(route, response) == route.when_empty()
    else:
        error = misfit(route, response)
        assert error.problems == ("the body is empty",)
        assert (error.status, error.outcome) == (status, Outcome.ANSWERED)
        assert str(error).startswith(f"{route.operation}: the service responded with {status} ")


def test_an_invalid_success_lists_every_problem() -> None:
    """The error has every problem, the status, type, id and excerpt."""
    content = b'{"participant":{"tag":5},"token":null}'
    headers = {"content-type": "application/json", "x-amzn-requestid": "r-1"}
    error = misfit(CREATE_PARTICIPANT, WireResponse(status=200, headers=headers, content=content))
    assert sorted(error.problems) == [
        "participant.id: missing",
        "participant.tag: expected text, found a number",
        "token: expected text, found null",
    ]
    assert all(problem in str(error) for problem in error.problems)
    assert "The content type is application/json." in str(error)
    assert (error.status, error.request_id, error.body) == (200, "r-1", content.decode())


@pytest.mark.parametrize(
    "content", [b"<html>", b"null", b"5", b'"text"', b"\xff", b"{", b" ", b"[{}]", b'{"id":5}']
)
@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.result is not type(None)], ids=repr
)
def test_every_invalid_success_has_a_problem(route: Any, content: bytes) -> None:
    """Every error of an invalid success has at least one problem and its type."""
    if route is GET_PARTICIPANT_SUBSCRIPTIONS and content == b'{"id":5}':
        content = b'{"sessionId":5}'
    error = misfit(route, WireResponse(status=200, content=content))
    assert error.problems
    assert "The content type is not given." in str(error)
    assert error.request_id is None


def test_an_invalid_success_hides_the_token() -> None:
    """The error of a create with an invalid body shows no device token."""
    content = json.dumps({"token": DEVICE_TOKEN}).encode()
    error = misfit(CREATE_PARTICIPANT, WireResponse(status=200, content=content))
    assert error.body == '{"token": "<token>"}'
    assert DEVICE_TOKEN[:8] not in f"{error!r} {error} {error.problems}"


@pytest.mark.parametrize(
    ("content", "reason", "code", "request_id"),
    [
        (b'{"error":"gone","requestId":"r-9"}', "gone", None, "r-9"),
        (b'{"message":"Unauthorized"}', "Unauthorized", None, "from-header"),
        (b'{"code":500,"message":"Unexpected"}', "Unexpected", 500, "from-header"),
        (b'{"description":"closed"}', "closed", None, "from-header"),
        (b'{"error":"","message":"second"}', "second", None, "from-header"),
        (b'{"error":{"a":1},"message":5,"description":null}', "", None, "from-header"),
        (b'{"code":"500","requestId":7}', "", None, "from-header"),
        (b'{"code":true,"requestId":""}', "", None, "from-header"),
        (b'{"code":null,"requestId":null}', "", None, "from-header"),
        (b"{}", "", None, "from-header"),
        (b"", "", None, "from-header"),
        (b"[]", "", None, "from-header"),
        (b'"text"', "", None, "from-header"),
        (b"null", "", None, "from-header"),
        (b"<html><h1>Bad Gateway</h1></html>", "", None, "from-header"),
        ("défaut".encode("latin-1"), "", None, "from-header"),
        (b'{"error":"a","error":"b"}', "b", None, "from-header"),
    ],
)
def test_error_bodies(content: bytes, reason: str, code: int | None, request_id: str) -> None:
    """Each error body of the service is read, and any other is only quoted."""
    headers = {"apigw-requestid": "from-header"}
    error = refusal(GET_SESSION, WireResponse(status=404, headers=headers, content=content))
    assert type(error) is NotFoundError
    assert (error.reason, error.code, error.request_id) == (reason, code, request_id)
    assert type(error.code) is type(code)
    assert error.body == content.decode("utf-8", "replace")
    said = f": {reason}" if reason else ""
    assert str(error) == f"getSession: 404 Not Found{said}. Request id {request_id}."
    assert (error.operation, error.status, error.outcome) == ("getSession", 404, Outcome.ANSWERED)


@pytest.mark.parametrize(
    ("headers", "request_id"),
    [
        ({}, None),
        ({"x-amzn-requestid": "amzn"}, "amzn"),
        ({"apigw-requestid": "apigw"}, "apigw"),
        ({"x-amzn-requestid": "amzn", "apigw-requestid": "apigw"}, "amzn"),
        ({"x-amzn-requestid": "", "apigw-requestid": "apigw"}, "apigw"),
    ],
)
def test_request_id_from_headers(headers: dict[str, str], request_id: str | None) -> None:
    """The gateway's request id is found under either of its names."""
    response = WireResponse(status=500, headers=headers)
    assert response.request_id == request_id
    assert refusal(GET_SESSION, response).request_id == request_id


@pytest.mark.parametrize(
    ("status", "kind", "text"),
    [
        (100, ApiError, "100 Continue."),
        (301, RedirectError, "301 Moved Permanently."),
        (304, ApiError, "304 Not Modified."),
        (399, ApiError, "399 unknown status."),
        (400, BadRequestError, "400 Bad Request."),
        (401, UnauthorizedError, "401 Unauthorized."),
        (403, ForbiddenError, "403 Forbidden."),
        (404, NotFoundError, "404 Not Found."),
        (409, ConflictError, "409 Conflict."),
        (418, ApiError, "418 I'm a Teapot."),
        (429, RateLimitedError, "429 Too Many Requests."),
        (500, ServerError, "500 Internal Server Error."),
        (503, ServerError, "503 Service Unavailable."),
        (599, ServerError, "599 unknown status."),
        (999, ApiError, "999 unknown status."),
    ],
)
def test_every_other_status_is_a_refusal(status: int, kind: type[ApiError], text: str) -> None:
    """Every other status raises its class, with its phrase if it has one."""
    for route in ROUTES:
        error = refusal(route, WireResponse(status=status))
        assert type(error) is kind
        assert error.status == status
        assert str(error).startswith(f"{route.operation}: {text}")


def test_excerpts_are_capped() -> None:
    """The excerpt and the reason of a long body have at most 500 characters."""
    content = json.dumps({"error": "é" * 100_000}, ensure_ascii=False).encode()
    error = refusal(GET_SESSION, WireResponse(status=500, content=content))
    assert error.reason == "é" * 500
    assert len(error.body) == 500
    assert len(misfit(GET_SESSION, WireResponse(status=200, content=b"x" * 100_000)).body) == 500


@pytest.mark.parametrize("before", ["", "x" * 470, "x" * 499, f"{DEVICE_TOKEN} "])
def test_errors_hold_no_device_token(before: str) -> None:
    """A device token is removed from reason, body and text before truncation."""
    content = json.dumps({"message": f"{before}{DEVICE_TOKEN} is known"}).encode()
    error = refusal(CREATE_PARTICIPANT, WireResponse(status=400, content=content))
    for text in (error.reason, error.body, str(error), repr(error)):
        assert "eyJ" not in text
    assert error.reason == f"{before}{DEVICE_TOKEN} is known".replace(DEVICE_TOKEN, "<token>")[:500]


def test_a_hostile_reason_is_redacted_quickly() -> None:
    """A megabyte of token prefixes is redacted in a short time."""
    content = json.dumps({"error": "eyJ" * 400_000}).encode()
    assert len(refusal(GET_SESSION, WireResponse(status=500, content=content)).reason) == 500


def test_secret_headers_are_dropped() -> None:
    """An error keeps the response's headers except those with secrets."""
    headers = {
        "content-type": "application/json",
        "set-cookie": "s3cret",
        "set-cookie2": "s3cret",
        "cookie": "s3cret",
        "authorization": "s3cret",
        "proxy-authorization": "s3cret",
        "x-api-key": "s3cret",
    }
    response = WireResponse(status=500, headers=headers)
    assert refusal(GET_SESSION, response).headers == {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("0", None, 0.0),
        ("7", None, 7.0),
        (" 7 ", None, 7.0),
        ("999999999", None, 999_999_999.0),
        ("9999999999", None, 1e9),
        ("-5", None, None),
        ("1.5", None, 1.5),
        (".5", None, 0.5),
        ("1.", None, 1.0),
        ("1.2.3", None, None),
        ("1e3", None, None),
        ("NaN", None, None),
        ("inf", None, None),
        ("9" * 5000, None, 1e9),
        ("soon", None, None),
        ("", None, None),
        ("\u0667", None, None),
        ("7, 8", None, 8.0),
        ("8, 7", None, 8.0),
        ("soon, 7", None, 7.0),
        ("7, Tue, 24 Nov 2026 12:00:30 GMT", None, 30.0),
        ("Tue, 24 Nov 2026 12:00:30 GMT, Tue, 24 Nov 2026 12:00:40 GMT", None, 40.0),
        ("Tuesday, 24-Nov-26 12:00:30 GMT", None, 30.0),
        ("Tuesday, 24-Nov-26 12:00:30 GMT, 5", None, 30.0),
        ("Tue Nov 24 12:00:30 2026", None, 30.0),
        ("24 Nov 2026 12:00:30 GMT", None, 30.0),
        ("2026-11-24T12:00:30Z", None, 30.0),
        ("2026-11-24T13:00:30+01:00", None, 30.0),
        ("2026-11-24 12:00:30", None, 30.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None, 1e9),
        ("Sun, 06 Nov 1994 08:49:37 GMT", None, 0.0),
        ("Tue, 24 Nov 2026 12:00:30 GMT", None, 30.0),
        ("Tue, 24 Nov 2026 12:00:30 -0000", None, 30.0),
        ("Tue, 24 Nov 2026 13:00:30 +0100", None, 30.0),
        ("Tue, 24 Nov 2026 11:00:00 GMT", None, 0.0),
        ("Tue, 24 Nov 2026 12:00:30 GMT", "Tue, 24 Nov 2026 12:00:20 GMT", 10.0),
        ("Tue, 24 Nov 2026 12:00:30 GMT", "yesterday", 30.0),
        ("Tue, 24 Nov 99999999999 12:00:30 GMT", None, None),
        ("Tue, 99 Nov 2026 12:00:30 GMT", None, None),
    ],
)
def test_retry_after(value: str, date: str | None, seconds: float | None) -> None:
    """Retry-After is seconds or a date, relative to the response's own date; the longest counts."""
    headers = {"retry-after": value} | ({} if date is None else {"date": date})
    assert read_retry_after(headers, NOW) == seconds
    error = refusal(GET_SESSION, WireResponse(status=429, headers=headers), NOW)
    assert type(error) is RateLimitedError
    assert error.retry_after == seconds


def test_no_retry_after() -> None:
    """A response without Retry-After has no time to wait."""
    assert read_retry_after({}, NOW) is None


def test_retry_after_against_the_clock() -> None:
    """Without the response's date, Retry-After is relative to the local clock."""
    assert read_retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0
    later = datetime.now(UTC) + timedelta(hours=1)
    asked = read_retry_after({"retry-after": later.strftime("%a, %d %b %Y %H:%M:%S GMT")})
    assert asked is not None
    assert 3500 < asked <= 3600


DATES = st.lists(
    st.sampled_from(["Tue,", "24", "Nov", "2026", "12:00:30", "GMT", "-0000", "+9999", "1e9", ":"])
    | st.integers(-(10**12), 10**12).map(str)
    | st.text(max_size=3),
    max_size=7,
).map(" ".join)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "retry-after": DATES,
        "date": DATES,
        "content-type": st.text(max_size=5),
        "x-amzn-requestid": st.text(max_size=5),
        "set-cookie": st.text(max_size=5),
    },
)
FIELDS = ["error", "message", "description", "code", "requestId", "id", "participant", "token"]
CONTENTS = (
    st.binary(max_size=40)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(st.sampled_from(FIELDS), JSON).map(lambda value: json.dumps(value).encode())
)


@USUALLY
@given(
    route=st.sampled_from(ROUTES),
    status=st.sampled_from(sorted(TAKEN_AS_SUCCESS)) | st.integers(0, 1000),
    headers=HEADERS,
    content=CONTENTS,
)
def test_only_our_own_errors_are_raised(
    route: Any, status: int, headers: dict[str, str], content: bytes
) -> None:
    """Any response becomes a result or a readable error of this package."""
    response = WireResponse(status=status, headers=headers, content=content)
    result, error = result_or_error(route, response)
    if error is None:
        assert 200 <= status <= 299
        assert (result is None) == (route.result is type(None))
        return
    assert str(error).startswith(f"{route.operation}: ")
    assert error.status == status
    assert len(error.body) <= 500
    if 200 <= status <= 299:
        assert type(error) is UnexpectedResponseError
        assert error.problems
    else:
        assert isinstance(error, ApiError)
        assert error.retry_after is None or error.retry_after >= 0
        assert "set-cookie" not in error.headers


def test_delete_ignores_the_body_of_a_success() -> None:
    """A success of an operation without a result may have any body."""
    assert read_response(DELETE_SESSION, WireResponse(status=200, content=b"\xff<html>")) is None
