"""The eleven methods agree with their rows: signature, docstring, values and body."""

import inspect
import re
from collections.abc import Mapping
from typing import Any, get_type_hints

import pytest

from webrtc_async import errors, route_table
from webrtc_async._protocol.endpoint import endpoint
from webrtc_async._protocol.route import Route
from webrtc_async.client import AsyncWebRtcClient
from webrtc_async.endpoints import Endpoints
from webrtc_async.errors import RouteMismatchError
from webrtc_async.models import Participant, Session, Subscriptions
from webrtc_async.route_table import ROUTES

BODIES: dict[type, object] = {
    Participant: Participant(tag="visit"),
    Session: Session(tag="visit"),
    Subscriptions: Subscriptions.everyone("s-1"),
}


def method_name(route: Route[Any, Any]) -> str:
    """Return an operation's name in Python."""
    return re.sub(r"(?=[A-Z])", "_", route.operation).lower()


METHODS = {method_name(route): route for route in ROUTES}
WITH_ONE_ID = {name: route for name, route in METHODS.items() if len(route.caller_names) == 1}
WITH_TWO_IDS = {name: route for name, route in METHODS.items() if len(route.caller_names) == 2}
WITH_BODY = {name: route for name, route in METHODS.items() if route.takes_body}
each_method = pytest.mark.parametrize("name", METHODS)


class RecordingEndpoints(Endpoints):
    """Endpoints that record their calls and return a marker."""

    def __init__(self) -> None:
        self.calls: list[tuple[Route[Any, Any], Mapping[str, object], object]] = []

    async def call(
        self, route: Route[Any, Any], path_values: Mapping[str, object], body: object
    ) -> Any:
        self.calls.append((route, path_values, body))
        return self


def ids_of(route: Route[Any, Any]) -> dict[str, str]:
    """Return values for the ids of a route, each different."""
    return {name: f"the-{name}" for name in route.caller_names}


def parameters_of(name: str) -> dict[str, inspect.Parameter]:
    """Return the parameters of a method, without self."""
    parameters = dict(inspect.signature(getattr(Endpoints, name)).parameters)
    parameters.pop("self")
    return parameters


def test_every_row_has_a_method_and_every_method_a_row() -> None:
    """The public coroutine methods are exactly the rows of the table."""
    public = {name for name in vars(Endpoints) if not name.startswith("_")} - {"call"}
    assert public == set(METHODS)
    assert len(METHODS) == 11


@each_method
def test_a_method_looks_like_one(name: str) -> None:
    """Each method is a documented coroutine function with its own name, on the client too."""
    for owner in (Endpoints, AsyncWebRtcClient):
        method = getattr(owner, name)
        assert inspect.iscoroutinefunction(method)
        assert method.__name__ == name
        assert method.__qualname__ == f"Endpoints.{name}"
        assert method.__module__ == "webrtc_async.endpoints"
        assert inspect.signature(method).parameters["self"].default is inspect.Parameter.empty


@each_method
def test_the_signature_follows_the_row(name: str) -> None:
    """Ids come in the order of the path, then the body, and the result is the row's."""
    route, parameters = METHODS[name], parameters_of(name)
    hints = get_type_hints(getattr(Endpoints, name))
    names = list(parameters)
    assert names[: len(route.caller_names)] == list(route.caller_names)
    assert len(names) == len(route.caller_names) + route.takes_body
    assert hints["return"] == route.result
    for each in route.caller_names:
        assert hints[each] is str
    if route.takes_body:
        assert hints[names[-1]] == route.body | None
        assert parameters[names[-1]].default is None


@each_method
def test_two_ids_are_given_by_name_only(name: str) -> None:
    """One id may be positional; two can be swapped, so they are keyword-only."""
    kinds = {each.kind for each in parameters_of(name).values()}
    wanted = (
        inspect.Parameter.KEYWORD_ONLY
        if name in WITH_TWO_IDS
        else inspect.Parameter.POSITIONAL_OR_KEYWORD
    )
    assert kinds == {wanted}


@each_method
def test_the_docstring_describes_each_parameter(name: str) -> None:
    """A docstring has a sentence, an entry per parameter, and the exceptions."""
    text = inspect.getdoc(getattr(Endpoints, name)) or ""
    summary, *_ = text.splitlines()
    assert summary.endswith(".")
    _, _, after = text.partition("\nArgs:\n")
    args, _, raises = after.partition("\n\nRaises:\n")
    assert re.findall(r"^    (\w+): \S", args, re.MULTILINE) == list(parameters_of(name))
    assert re.findall(r"^    (\w+Error): \S", raises, re.MULTILINE)


@each_method
def test_the_errors_that_are_named_exist(name: str) -> None:
    """Each error that a docstring names is in the package."""
    text = inspect.getdoc(getattr(Endpoints, name)) or ""
    for named in re.findall(r"\b[A-Z]\w+Error\b", text):
        assert hasattr(errors, named)


@pytest.mark.anyio
@each_method
async def test_a_method_calls_its_own_row(name: str) -> None:
    """Each method passes its own row, values and body to `call`, and returns the result."""
    route, client = METHODS[name], RecordingEndpoints()
    values, body = ids_of(route), BODIES.get(route.body)
    given: dict[str, Any] = dict(values)
    if route.takes_body:
        given[list(parameters_of(name))[-1]] = body
    assert await getattr(client, name)(**given) is client
    [(called, path_values, sent)] = client.calls
    assert called is route
    assert path_values == values
    assert sent is body


@pytest.mark.anyio
@pytest.mark.parametrize("name", WITH_BODY)
async def test_a_body_may_be_left_out(name: str) -> None:
    """Without a body, the method passes None."""
    route, client = METHODS[name], RecordingEndpoints()
    body_name = list(parameters_of(name))[-1]
    await getattr(client, name)(**ids_of(route))
    await getattr(client, name)(**ids_of(route), **{body_name: None})
    assert client.calls == [(route, ids_of(route), None)] * 2


@pytest.mark.anyio
@pytest.mark.parametrize("name", sorted(METHODS.keys() - WITH_TWO_IDS.keys()))
async def test_one_value_may_be_given_by_position(name: str) -> None:
    """A single id and a single body may be positional."""
    route, client = METHODS[name], RecordingEndpoints()
    body = BODIES.get(route.body)
    await getattr(client, name)(*ids_of(route).values(), *([body] if body else []))
    assert client.calls == [(route, ids_of(route), body)]


@pytest.mark.anyio
async def test_calls_do_not_share_their_values() -> None:
    """Each call gets its own path values, and does not change the caller's."""
    client = RecordingEndpoints()
    given: Any = {"session_id": "s-1", "participant_id": "p-1", "subscriptions": None}
    await client.add_participant_to_session(**given)
    await client.add_participant_to_session(**given)
    assert given.keys() == {"session_id", "participant_id", "subscriptions"}
    assert client.calls[0][1] is not client.calls[1][1]


def wrong_calls() -> list[Any]:
    """Return the method, arguments and error text of each wrong call."""
    rows: list[Any] = []
    for name, route in METHODS.items():
        ids, many = ids_of(route), ("x",) * 5
        rows.append((name, many, {}, "too many positional arguments"))
        rows.append(
            (name, (), {**ids, "sesion_id": "x"}, "unexpected keyword argument 'sesion_id'")
        )
        rows.append(
            (name, (), {**ids, "account_id": "x"}, "unexpected keyword argument 'account_id'")
        )
        rows.append((name, (), {**ids, "self": "x"}, "multiple values for argument 'self'"))
        rows.extend(
            (
                name,
                (),
                {key: value for key, value in ids.items() if key != left_out},
                "missing a required",
            )
            for left_out in ids
        )
    for name, route in WITH_ONE_ID.items():
        [key] = route.caller_names
        rows.append((name, ("x",), {key: "y"}, f"multiple values for argument '{key}'"))
        rows.append((name, (), {}, "missing a required"))
    for name in WITH_TWO_IDS:
        by_name = f"write {name}(session_id=…, participant_id=…"
        rows.append((name, ("x", "y"), {}, by_name))
        rows.append((name, ("x",), {"participant_id": "y"}, by_name))
        rows.append((name, (), {"participant": "x", "session_id": "y"}, "missing a required"))
    for name, route in METHODS.items():
        if not route.takes_body:
            rows.append(
                (name, (), {**ids_of(route), "body": None}, "unexpected keyword argument 'body'")
            )
    return [pytest.param(*row, id=f"{row[0]}-{row[3]}-{number}") for number, row in enumerate(rows)]


@pytest.mark.anyio
@pytest.mark.parametrize(("name", "args", "kwargs", "said"), wrong_calls())
async def test_a_wrong_call_is_a_type_error(
    name: str, args: tuple[object, ...], kwargs: dict[str, object], said: str
) -> None:
    """A missing, surplus, misspelt or repeated argument raises TypeError without a call."""
    client = RecordingEndpoints()
    with pytest.raises(TypeError) as caught:
        await getattr(client, name)(*args, **kwargs)
    assert said in str(caught.value)
    assert client.calls == []


def test_a_signature_that_disagrees_fails_at_import() -> None:
    """An endpoint that does not fit its row raises at its declaration."""
    with pytest.raises(RouteMismatchError, match="it should be named get_session"):

        class Wrong(RecordingEndpoints):
            @endpoint(route_table.GET_SESSION)
            async def fetch_session(self, session_id: str) -> Session: ...


def test_endpoints_cannot_be_made_without_call() -> None:
    """The base class is abstract: a subclass must define `call`."""
    with pytest.raises(TypeError, match="abstract"):
        Endpoints()  # type: ignore[abstract]


@pytest.mark.anyio
async def test_an_own_endpoint_works_on_any_caller() -> None:
    """endpoint() works in a user's own classes."""

    class Own:
        async def call(
            self, route: Route[Any, Any], path_values: Mapping[str, object], body: object
        ) -> Any:
            return route.operation, path_values, body

        @endpoint(route_table.GET_SESSION)
        async def get_session(self, session_id: str) -> Session: ...

    assert await Own().get_session("s-1") == ("getSession", {"session_id": "s-1"}, None)
