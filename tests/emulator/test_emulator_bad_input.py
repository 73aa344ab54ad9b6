"""Invalid requests to the emulated service."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bad_bodies import BODIES, PARTICIPANT_BODIES, SUBSCRIPTION_BODIES
from support.speaking import ACCOUNT, Caller, said
from support.strategies import EXAMPLES

from webrtc_async.emulator import Emulator
from webrtc_async.route_table import ROUTES


def cases(bodies):
    return pytest.mark.parametrize("body", [pytest.param(b, id=name) for name, b in bodies.items()])


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(seed=1)


@pytest.fixture
def caller(emulator) -> Caller:
    return Caller(emulator)


def assert_refused(response) -> None:
    assert response.status == 400
    assert set(said(response)) == {"error", "requestId"}
    assert said(response)["error"]


@cases(BODIES)
def test_an_invalid_session_is_not_created(caller, emulator, body):
    """An invalid session body is a 400 with the reason, and creates nothing."""
    assert_refused(caller.send("POST", "/sessions", raw=body))
    assert emulator.session_ids(ACCOUNT) == ()


@cases(BODIES | PARTICIPANT_BODIES)
def test_an_invalid_participant_is_not_created(caller, emulator, body):
    """An invalid participant body is a 400 with the reason, and creates nothing."""
    assert_refused(caller.send("POST", "/participants", raw=body))
    assert emulator.participant_ids(ACCOUNT) == ()


@cases(
    {k: v for k, v in BODIES.items() if "tag" not in k and k != "wrong type"} | SUBSCRIPTION_BODIES
)
@pytest.mark.parametrize("tail", ["", "/subscriptions"])
def test_invalid_subscriptions_change_nothing(caller, tail, body):
    """An invalid subscriptions body is a 400, and the old subscriptions stay."""
    session, participant = caller.session(), caller.participant()
    caller.join(session, participant, {"sessionId": session})
    before = caller.ask("GET", f"/participants/{participant}")
    path = f"/sessions/{session}/participants/{participant}{tail}"
    assert_refused(caller.send("PUT", path, raw=body))
    assert caller.ask("GET", f"/participants/{participant}") == before


def test_every_problem_is_named_with_its_path(caller):
    """One response names all problems, with the field names of the API."""
    body = b'{"tag":5,"publishPermissions":[1,"AUDIO",2]}'
    error = said(caller.send("POST", "/participants", raw=body))["error"]
    assert all(path in error for path in ("tag", "publishPermissions[0]", "publishPermissions[2]"))


FIELDS = st.text(max_size=5) | st.sampled_from(
    [
        *("id", "tag", "callbackUrl", "publishPermissions", "deviceApiVersion", "sessions"),
        *("subscriptions", "sessionId", "participants", "participantId", "streamAliases"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS, inner, max_size=5),
    max_leaves=20,
)
CONTENT = st.binary(max_size=80) | JSON.map(lambda value: json.dumps(value).encode())
SEGMENT = st.text("abc%2Fé./\\ ?#", max_size=8) | st.sampled_from(["{s}", "{p}"])


@settings(max_examples=5 * EXAMPLES, deadline=None)
@given(st.sampled_from(ROUTES), SEGMENT, SEGMENT, CONTENT)
def test_every_response_is_documented(route, session, participant, content):
    """Every response to arbitrary requests is one that the route documents."""
    emulator = Emulator(seed=1)
    caller = Caller(emulator)
    known = {"{s}": caller.session(), "{p}": caller.participant()}
    path = route.path.template.removeprefix("/accounts/{account_id}").format(
        session_id=known.get(session, session), participant_id=known.get(participant, participant)
    )
    response = caller.send(route.method, path, raw=content)
    everywhere = {403} if path.count("/") != route.path.template.count("/") - 2 else set()
    documented = route.success | route.errors - {500} | {401, 403} | everywhere
    # A strange id can make another route's path; that route must not fail either.
    if {session, participant} <= {"{s}", "{p}"}:
        assert response.status in documented
    assert response.status in {200, 204, 400, 401, 403, 404, 409}
    if response.status >= 400:
        assert set(said(response)) in ({"error", "requestId"}, {"message"})
    assert emulator.session_ids(ACCOUNT)[:1] in {(known["{s}"],), ()}
