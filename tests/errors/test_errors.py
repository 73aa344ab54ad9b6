"""The error classes match the drawn tree, and every error pickles completely."""

import builtins
import inspect
import pickle
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from webrtc_async import errors
from webrtc_async._protocol.wire import error_for_status
from webrtc_async.conferences import errors as conference_errors
from webrtc_async.conferences.in_doubt import InDoubt
from webrtc_async.conferences.resource import Resource
from webrtc_async.errors import (
    ApiError,
    ConnectionFailedError,
    CreateRolledBackError,
    DeadlineExceededError,
    RouteMismatchError,
    ServerError,
    TlsError,
    TransportError,
    UnexpectedResponseError,
    WebRtcError,
)
from webrtc_async.errors.outcome import Orphan, Outcome, Stage
from webrtc_async.route_table import ROUTES

_DRAWN = re.compile(r"    (?P<lines>(?:│   |    |├── |└── )*)(?P<name>\w+Error)\b(?P<note>.*)")


def read_drawing() -> dict[str, tuple[str | None, str]]:
    """Return the parent and the note of each class in the docstring's drawing."""
    drawn: dict[str, tuple[str | None, str]] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := _DRAWN.fullmatch(line):
            depth = len(found["lines"]) // 4
            del above[depth:]
            drawn[found["name"]] = (above[-1] if above else None, found["note"].strip())
            above.append(found["name"])
    return drawn


DRAWING = read_drawing()
CLASSES = {
    name: value
    for module in (errors, conference_errors)
    for name, value in vars(module).items()
    if inspect.isclass(value) and issubclass(value, Exception)
}
RUN_TIME = [value for value in CLASSES.values() if issubclass(value, WebRtcError)]
VALUES: dict[str, object] = {
    "operation": "createSession",
    "outcome": Outcome.UNKNOWN,
    "status": 418,
    "reason": "no coffee",
    "code": 7,
    "request_id": "r-1",
    "retry_after": 2.5,
    "headers": {"x-a": "b"},
    "body": "{}",
    "stage": Stage.READING,
    "problems": ("id: missing",),
    "resource_id": "s-1",
    "not_deleted": (Resource("session", "s-1"),),
    "created": (Resource("session", "s-1"), Resource("participant", "p-1", "agent")),
    "rollback": (),
    "in_doubt": (InDoubt(kind="session", id=None, tag="visit", key="visit-42"),),
}
ORPHAN = Orphan(
    account_id="9900000", tag="visit", sent_at=datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
)
each_class = pytest.mark.parametrize("kind", RUN_TIME, ids=lambda kind: kind.__name__)
each_call_error = pytest.mark.parametrize(
    "kind",
    [kind for kind in RUN_TIME if not issubclass(kind, ExceptionGroup)],
    ids=lambda kind: kind.__name__,
)


def made(kind: Any, **values: Any) -> Any:
    """Make an error with a message; a group has one failure in it."""
    if issubclass(kind, ExceptionGroup):
        return kind("it broke.", [WebRtcError("inside.")], **values)
    return kind("it broke.", **values)


def with_everything_set(kind: Any) -> Any:
    """Make an error with every attribute unlike its default."""
    taken = set(inspect.signature(kind.__init__).parameters) - {"self", "message", "errors"}
    error = made(kind, **{name: VALUES[name] for name in taken})
    error.attempts = 3
    error.orphan = ORPHAN
    error.add_note("seen on a Tuesday")
    return error


def test_the_drawing_is_complete() -> None:
    """The drawing has exactly the package's exceptions."""
    assert set(DRAWING) == set(CLASSES)
    assert len(DRAWING) == 28


@pytest.mark.parametrize("name", DRAWING)
def test_parents_are_as_drawn(name: str) -> None:
    """A class has the drawn parent first, and then the built-in ones in its note."""
    parent, note = DRAWING[name]
    also = re.findall(r"\ban? (\w+(?:Error|Group))\b", note)
    expected = [parent] if parent else [] if also else ["Exception"]
    assert [base.__name__ for base in CLASSES[name].__bases__] == expected + also


@pytest.mark.parametrize("name", DRAWING)
def test_drawn_attributes_exist(name: str) -> None:
    """Every attribute in the drawing exists."""
    mentioned = re.findall(r"\.(\w+)", DRAWING[name][1])
    if CLASSES[name] is not RouteMismatchError:
        error = made(CLASSES[name])
        assert all(hasattr(error, attribute) for attribute in mentioned)


@each_class
def test_pickles_whole(kind: Any) -> None:
    """An error pickles with every protocol, with its text, attributes and notes."""
    error = with_everything_set(kind)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(error, protocol))
        assert type(again) is kind
        assert repr(again.args) == repr(error.args)
        assert vars(again) == vars(error)
        assert str(again) == str(error)
        assert again.__notes__ == ["seen on a Tuesday"]
        assert again.outcome is Outcome.UNKNOWN


@each_call_error
def test_the_message_may_be_given_by_name(kind: Any) -> None:
    """An error with a positional message equals one with a keyword message, also pickled."""
    error = kind(message="it broke.")
    assert error.args == ("it broke.",)
    assert str(pickle.loads(pickle.dumps(error))) == str(kind("it broke."))


def test_a_mismatch_pickles() -> None:
    """RouteMismatchError, raised at import, pickles, and is not a WebRtcError."""
    again = pickle.loads(pickle.dumps(RouteMismatchError("it should be named get_session")))
    assert str(again) == "it should be named get_session"
    assert not isinstance(again, WebRtcError)


@each_call_error
def test_text_starts_with_the_operation(kind: Any) -> None:
    """The text is the operation and the message, then the number of attempts."""
    error = with_everything_set(kind)
    assert error.message == "it broke."
    assert str(error).startswith("createSession: it broke. This was attempt 3.")
    error.attempts = 1
    assert "This was attempt" not in str(error)


@each_class
def test_text_without_an_operation(kind: Any) -> None:
    """Outside a call the text starts with the message, and does not mention attempts."""
    error = made(kind)
    assert str(error).startswith("it broke.")
    assert (error.operation, error.attempts) == ("", 0)


@each_class
def test_outcome_by_default(kind: Any) -> None:
    """Each error class has a default outcome."""
    expected = Outcome.NOT_SENT
    if issubclass(kind, ApiError | UnexpectedResponseError | CreateRolledBackError):
        expected = Outcome.ANSWERED
    elif issubclass(kind, TransportError) and not issubclass(kind, ConnectionFailedError):
        expected = Outcome.UNKNOWN
    assert made(kind).outcome is expected


def test_outcomes_are_ordered() -> None:
    """The least certain of several outcomes is the greatest."""
    assert max(Outcome) is Outcome.UNKNOWN
    assert sorted(Outcome) == [Outcome.NOT_SENT, Outcome.ANSWERED, Outcome.UNKNOWN]


@pytest.mark.parametrize(
    ("outcome", "status", "said"),
    [
        (Outcome.NOT_SENT, None, "Nothing was sent, so the call can be repeated safely."),
        (Outcome.UNKNOWN, None, "so the operation may have been carried out."),
        (
            Outcome.ANSWERED,
            200,
            "The response status was 200. The service reported success, so the",
        ),
        (Outcome.ANSWERED, 503, "The response status was 503. The service rejected the attempt"),
        (Outcome.ANSWERED, None, "The service rejected the attempt it responded to."),
    ],
)
@pytest.mark.parametrize(
    "kind",
    [kind for kind in RUN_TIME if issubclass(kind, TransportError)],
    ids=lambda kind: kind.__name__,
)
def test_transport_errors_say_the_outcome(
    kind: Any, outcome: Outcome, status: int | None, said: str
) -> None:
    """The text of a transport error states the outcome."""
    if kind is TlsError and outcome is Outcome.NOT_SENT:
        said = "Nothing was sent. Another attempt would fail in the same way."
    assert said in str(made(kind, outcome=outcome, status=status))


@each_call_error
def test_every_error_says_that_the_outcome_is_unknown(kind: Any) -> None:
    """Every error mentions an earlier attempt whose response was lost."""
    text = str(made(kind, outcome=Outcome.UNKNOWN))
    assert text.count("the operation may have been carried out") == 1


def test_a_deadline_names_its_stage() -> None:
    """A deadline error has the call's stage, and is a TimeoutError."""
    error = DeadlineExceededError("it broke.", stage=Stage.CONNECTING)
    assert error.stage is Stage.CONNECTING
    assert isinstance(error, TimeoutError)
    assert DeadlineExceededError("it broke.").stage is Stage.QUEUED


def test_api_errors_mention_an_earlier_lost_response() -> None:
    """An error status after a lost response says that the operation may have been carried out."""
    lost = "A response was lost"
    assert lost in str(ApiError("it broke.", outcome=Outcome.UNKNOWN))
    assert lost not in str(ApiError("it broke."))


@pytest.mark.parametrize(
    "kind",
    [kind for kind in RUN_TIME if issubclass(kind, ApiError)],
    ids=lambda kind: kind.__name__,
)
def test_api_errors_end_with_request_id_and_advice(kind: Any) -> None:
    """The text of an ApiError ends with the request id, if any, and the known advice."""
    assert str(made(kind)) == f"it broke. {kind.advice}".rstrip()
    assert str(made(kind, request_id="r-1")) == (
        f"it broke. Request id r-1. {kind.advice}".rstrip()
    )


def test_headers_are_copied() -> None:
    """An ApiError has its own copy of the headers, or an empty mapping."""
    headers = {"x-a": "b"}
    error = ApiError("it broke.", headers=headers)
    headers.clear()
    assert error.headers == {"x-a": "b"}
    assert ApiError("it broke.").headers == {}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_every_documented_status_has_a_class(route: Any) -> None:
    """Each documented error status has its own class."""
    classes = [error_for_status(status) for status in sorted(route.errors)]
    assert ApiError not in classes
    assert len(set(classes)) == len(classes)


@pytest.mark.parametrize(
    "name", [name for name, drawn in DRAWING.items() if drawn[0] == "ApiError"]
)
def test_classes_have_the_drawn_statuses(name: str) -> None:
    """Each class is raised for exactly the statuses in the drawing."""
    drawn = DRAWING[name][1]
    statuses = {
        status
        for status in range(1000)
        if re.fullmatch(drawn.replace("x", "[0-9]").replace(", ", "|"), str(status))
    }
    assert statuses
    assert {status for status in range(1000) if error_for_status(status) is CLASSES[name]} == (
        statuses
    )


def test_except_api_error_catches_every_status() -> None:
    """The error of every status, known or not, is an ApiError."""
    for status in range(1000):
        assert issubclass(error_for_status(status), ApiError)
    assert error_for_status(418) is error_for_status(999) is error_for_status(600) is ApiError
    assert error_for_status(599) is ServerError


def test_built_in_handlers_catch_the_drawn_errors() -> None:
    """Handlers for Python's own exceptions catch the errors as drawn."""
    caught = {
        name: {base.__name__ for base in kind.__mro__ if hasattr(builtins, base.__name__)}
        - {"object", "BaseException", "Exception", "OSError", "BaseExceptionGroup"}
        for name, kind in CLASSES.items()
    }
    assert {name: found for name, found in caught.items() if found} == {
        "ConfigurationError": {"ValueError"},
        "InvalidArgumentError": {"ValueError"},
        "ClientClosedError": {"RuntimeError"},
        "ConferenceOverError": {"RuntimeError"},
        "ConferenceError": {"ExceptionGroup"},
        "SetupError": {"ExceptionGroup"},
        "TeardownError": {"ExceptionGroup"},
        "DeadlineExceededError": {"TimeoutError"},
        "RouteMismatchError": {"TypeError"},
    }
