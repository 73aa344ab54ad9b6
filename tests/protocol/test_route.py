"""Paths in both directions, hostile ids, and every mismatch between a signature and its route."""

import random
import re
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import ACCEPTED_ID, BRIEFLY, USUALLY

from webrtc_async._config.validation import LONGEST_ID, check_id
from webrtc_async._protocol.endpoint import check_fits
from webrtc_async._protocol.route import PathTemplate
from webrtc_async._transport.http1.request_writer import check_target
from webrtc_async.errors import InvalidArgumentError, RouteMismatchError
from webrtc_async.models import Participant, Session, Subscriptions
from webrtc_async.route_table import (
    ADD_PARTICIPANT_TO_SESSION,
    CREATE_SESSION,
    DELETE_SESSION,
    GET_SESSION,
    REMOVE_PARTICIPANT_FROM_SESSION,
    ROUTES,
)

TEMPLATE = PathTemplate("/accounts/{account_id}/things/{thing_id}")
NASTY = "/.%2eEfF?#;\\@: é𝒳\u202e"


@USUALLY
@given(account=ACCEPTED_ID, thing=ACCEPTED_ID)
def test_match_undoes_expand(account: str, thing: str) -> None:
    """The ids in a path are read back from it unchanged."""
    values = {"account_id": account, "thing_id": thing}
    assert TEMPLATE.match(TEMPLATE.expand(values)) == values


@USUALLY
@given(account=ACCEPTED_ID, thing=ACCEPTED_ID)
def test_a_filled_template_is_sent_as_it_is(account: str, thing: str) -> None:
    """No id makes a path that an HTTP library would change, or that ends its line."""
    path = TEMPLATE.expand({"account_id": account, "thing_id": thing})
    assert check_target(path) == path
    assert httpx.URL(f"https://api.example{path}").raw_path == path.encode()


@pytest.mark.parametrize(
    "template", ["a", "/a b", "/a?b", "/a#b", "/é", "/%", "/{", "/a\r\nb", "/\x00"]
)
def test_a_template_that_cannot_be_sent_is_refused(template: str) -> None:
    """A template must be percent-encoded like a path."""
    with pytest.raises(InvalidArgumentError, match="is not a path that can be sent"):
        PathTemplate(template)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/accounts/a/things/",
        "/accounts//things/t",
        "/accounts/a/things/t/",
        "/accounts/a/things/t/more",
        "/accounts/a/others/t",
        "accounts/a/things/t",
    ],
)
def test_match_refuses_other_paths(path: str) -> None:
    """A path with an empty segment, another literal, or another length does not match."""
    assert TEMPLATE.match(path) is None


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "is empty"),
        (".", "another resource"),
        ("..", "another resource"),
        ("a\x00", "control character"),
        ("a\nb", "control character"),
        ("\x7f", "control character"),
        ("\x85", "control character"),
        ("a\u2028b", "control character"),
        ("a\u2029b", "control character"),
        ("a\ud800", "control character"),
        ("x" * (LONGEST_ID + 1), "257 characters; at most 256"),
        (5, "must be a str, not int"),
        (None, "must be a str, not NoneType"),
        (b"abc", "must be a str, not bytes"),
    ],
)
def test_ids_that_cannot_stand_in_a_path(value: object, problem: str) -> None:
    """check_id and expand refuse the same ids, and the error names the argument."""
    for name in TEMPLATE.names:
        values: dict[str, object] = {"account_id": "a", "thing_id": "t", name: value}
        with pytest.raises(InvalidArgumentError, match=f"^{name} .*{problem}"):
            TEMPLATE.expand(values)
    with pytest.raises(InvalidArgumentError, match=f"^some_id .*{problem}"):
        check_id("some_id", value)


def test_missing_value_is_named() -> None:
    """The error names a missing path value."""
    with pytest.raises(InvalidArgumentError, match=r"^thing_id must be a str, not NoneType"):
        TEMPLATE.expand({"account_id": "a"})


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("a/b", "a%2Fb"),
        ("%2e%2e", "%252e%252e"),
        ("a b", "a%20b"),
        ("é", "%C3%A9"),
        ("?#", "%3F%23"),
        ("...", "..."),
        ("{account_id}", "%7Baccount_id%7D"),
        ("x" * LONGEST_ID, "x" * LONGEST_ID),
    ],
)
def test_ids_are_quoted_exactly_once(value: str, quoted: str) -> None:
    """An id is percent-encoded exactly once in the path."""
    path = TEMPLATE.expand({"account_id": "a", "thing_id": value})
    assert path == f"/accounts/a/things/{quoted}"
    assert TEMPLATE.match(path) == {"account_id": "a", "thing_id": value}


def reaches_only_its_own_route(values: dict[str, str]) -> None:
    """Check every route that these ids can fill."""
    for route in ROUTES:
        mine = {name: values[name] for name in route.path.names}
        path = route.path.expand(mine)
        assert path.count("/") == route.path.template.count("/")
        assert re.fullmatch(r"[A-Za-z0-9_.~%/-]+", path)
        assert not {".", ".."} & set(path.split("/"))
        found = {other.path.template: other.path.match(path) for other in ROUTES}
        assert found.pop(route.path.template) == mine
        assert set(found.values()) == {None}


@BRIEFLY
@given(
    st.fixed_dictionaries(
        dict.fromkeys(
            ("account_id", "session_id", "participant_id"),
            ACCEPTED_ID | st.text(NASTY, min_size=3, max_size=256),
        )
    )
)
def test_drawn_ids_reach_only_their_own_route(values: dict[str, str]) -> None:
    """No accepted id reaches another operation or another resource."""
    reaches_only_its_own_route(values)


@pytest.mark.slow
def test_a_million_hostile_characters_reach_only_their_own_route() -> None:
    """Ids of hostile characters are refused, or reach only their own route."""
    chance = random.Random(20_061_971)
    names = ("account_id", "session_id", "participant_id")
    written = refused = 0
    while written < 1_000_000:
        values = {
            name: "".join(chance.choices(NASTY, k=chance.choice((1, 2, 3, 40, LONGEST_ID))))
            for name in names
        }
        written += sum(map(len, values.values()))
        if {".", ".."} & set(values.values()):
            refused += 1
            with pytest.raises(InvalidArgumentError, match="another resource"):
                ADD_PARTICIPANT_TO_SESSION.path.expand(values)
        else:
            reaches_only_its_own_route(values)
    assert refused


class Fitting:
    """Endpoints that agree with their routes."""

    async def create_session(self, session: Session | None = None) -> Session: ...

    async def get_session(self, session_id: str) -> Session: ...

    async def delete_session(self, session_id: str) -> None: ...

    async def add_participant_to_session(
        self, *, session_id: str, participant_id: str, subscriptions: Subscriptions | None = None
    ) -> None: ...


@pytest.mark.parametrize(
    ("route", "declared", "names"),
    [
        (CREATE_SESSION, Fitting.create_session, ("session",)),
        (GET_SESSION, Fitting.get_session, ("session_id",)),
        (DELETE_SESSION, Fitting.delete_session, ("session_id",)),
        (
            ADD_PARTICIPANT_TO_SESSION,
            Fitting.add_participant_to_session,
            ("session_id", "participant_id", "subscriptions"),
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_signature_that_fits(route: Any, declared: Any, names: tuple[str, ...]) -> None:
    """A declaration that agrees with its route gives its parameter names, in order."""
    assert check_fits(route, declared) == names


def refused(route: Any, declared: Any) -> str:
    """Return the problem that check_fits reports."""
    with pytest.raises(RouteMismatchError) as caught:
        check_fits(route, declared)
    declaration, _, problem = str(caught.value).partition(f" for {route!r}: ")
    assert declaration == declared.__qualname__
    return problem


def test_not_async() -> None:
    """A declaration without async is refused."""

    def get_session(self, session_id: str) -> Session: ...

    assert refused(GET_SESSION, get_session) == "it is not declared with async def"


def test_wrong_name() -> None:
    """A declaration with another name is refused, and the error has the right name."""

    async def fetch_session(self, session_id: str) -> Session: ...

    assert refused(GET_SESSION, fetch_session) == "it should be named get_session"


def test_id_missing() -> None:
    """A declaration that lacks an id of the path is refused, and the error lists the ids."""

    async def get_session(self) -> Session: ...

    assert refused(GET_SESSION, get_session) == "its ids should be ('session_id',), in this order"


def test_ids_swapped() -> None:
    """A declaration with the ids in another order than the path is refused."""

    async def remove_participant_from_session(
        self, *, participant_id: str, session_id: str
    ) -> None: ...

    problem = refused(REMOVE_PARTICIPANT_FROM_SESSION, remove_participant_from_session)
    assert problem == "its ids should be ('session_id', 'participant_id'), in this order"


def test_two_positional_ids() -> None:
    """Two ids that a caller could swap by position are refused."""

    async def remove_participant_from_session(
        self, session_id: str, participant_id: str
    ) -> None: ...

    problem = refused(REMOVE_PARTICIPANT_FROM_SESSION, remove_participant_from_session)
    assert problem == "session_id should be keyword-only"


def test_one_keyword_only_id() -> None:
    """A single id that is keyword-only is refused."""

    async def get_session(self, *, session_id: str) -> Session: ...

    assert refused(GET_SESSION, get_session) == "session_id should be positional or keyword"


def test_id_with_default() -> None:
    """An id with a default is refused."""

    async def get_session(self, session_id: str = "") -> Session: ...

    problem = refused(GET_SESSION, get_session)
    assert problem == "session_id should be a str without a default"


def test_id_of_wrong_type() -> None:
    """An id that is not text is refused."""

    async def get_session(self, session_id: int) -> Session: ...

    problem = refused(GET_SESSION, get_session)
    assert problem == "session_id should be a str without a default"


def test_id_without_type() -> None:
    """An id without a type is refused."""

    async def get_session(self, session_id) -> Session: ...

    problem = refused(GET_SESSION, get_session)
    assert problem == "session_id should be a str without a default"


def test_body_dropped() -> None:
    """A declaration without the route's body is refused."""

    async def create_session(self) -> Session: ...

    assert refused(CREATE_SESSION, create_session) == "it should take one body"


def test_two_bodies() -> None:
    """A declaration with a second body is refused."""

    async def create_session(
        self, session: Session | None = None, more: Session | None = None
    ) -> Session: ...

    assert refused(CREATE_SESSION, create_session) == "it should take one body"


def test_surplus_body() -> None:
    """A declaration with a body that the route does not take is refused."""

    async def get_session(self, session_id: str, session: Session | None = None) -> Session: ...

    assert refused(GET_SESSION, get_session) == "it should take no body"


def test_wrong_body_model() -> None:
    """A body of another model is refused, and the error has the right model."""

    async def create_session(self, session: Participant | None = None) -> Session: ...

    assert refused(CREATE_SESSION, create_session) == "session should be Session | None = None"


def test_body_that_cannot_be_none() -> None:
    """A body whose type leaves out None is refused."""

    async def create_session(self, session: Session = None) -> Session: ...

    assert refused(CREATE_SESSION, create_session) == "session should be Session | None = None"


def test_body_without_default() -> None:
    """A body that must be given is refused."""

    async def create_session(self, session: Session | None) -> Session: ...

    assert refused(CREATE_SESSION, create_session) == "session should be Session | None = None"


def test_wrong_result() -> None:
    """Another result is refused, and the error has the right one."""

    async def get_session(self, session_id: str) -> Participant: ...

    assert refused(GET_SESSION, get_session) == f"it should return {Session}"


def test_result_left_out() -> None:
    """A declaration without a return type is refused, even for None."""

    async def delete_session(self, session_id: str): ...

    assert refused(DELETE_SESSION, delete_session) == f"it should return {type(None)}"
