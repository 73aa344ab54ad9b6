"""The log of requests, and its assertions for tests."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.speaking import ACCOUNT, Caller, Clock

from webrtc_async._protocol.wire import WireRequest
from webrtc_async.emulator import Credentials, Emulator
from webrtc_async.emulator.records.exchanges import LOG_SIZE, MAX_TARGET_LENGTH, Exchanges
from webrtc_async.emulator.records.seen_requests import SeenRequests
from webrtc_async.route_table import CREATE_PARTICIPANT, CREATE_SESSION, GET_SESSION

CANARY = "c4nary/sécret+?"


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(seed=1, clock=Clock(now=5.0))


@pytest.fixture
def caller(emulator) -> Caller:
    return Caller(emulator)


def test_an_exchange_is_logged_as_it_was(emulator, caller):
    """The log holds number, time, method, path, operation and status, but no query."""
    caller.session(tag="secret-tag")
    caller.send("GET", "/sessions/x?token=abc")
    caller.send("PATCH", "/nowhere")
    first, second, third = emulator.exchanges
    picture = first.as_json()
    assert picture.pop("seconds") >= 0
    assert picture == {
        "number": 1,
        "at": 5.0,
        "method": "POST",
        "target": f"/v1/accounts/{ACCOUNT}/sessions",
        "operation": "createSession",
        "status": 200,
        "fault": None,
    }
    assert (second.operation, second.status) == ("getSession", 404)
    assert second.target == f"/v1/accounts/{ACCOUNT}/sessions/x"
    assert (third.number, third.operation, third.status) == (3, None, 403)
    shown = json.dumps([each.as_json() for each in emulator.exchanges]) + repr(emulator.exchanges)
    assert "abc" not in shown
    assert "secret-tag" not in shown


def test_the_log_is_bounded_and_the_counts_are_not():
    """Old exchanges are dropped and long paths are cut; the counts continue."""
    exchanges = Exchanges()
    for _ in range(LOG_SIZE + 5):
        exchanges.add(
            at=0,
            method="M" * 1000,
            target="/" + "x" * 10_000,
            operation="getSession",
            status=200,
            seconds=0,
            fault=None,
            request=WireRequest(method="GET", target="/"),
            response=None,
        )
    assert len(exchanges) == len([*exchanges]) == LOG_SIZE
    assert exchanges.count == exchanges.count_of("getSession") == LOG_SIZE + 5
    oldest = next(iter(exchanges))
    assert oldest.number == 6
    assert len(oldest.target) == len(oldest.method) == MAX_TARGET_LENGTH
    exchanges.clear()
    assert len(exchanges) == exchanges.count == exchanges.count_of("getSession") == 0


def test_requests_are_counted_by_route(emulator, caller):
    """Requests, also refused ones, are counted by route or operation; others are errors."""
    caller.session()
    caller.send("POST", "/sessions", raw=b"nonsense")
    caller.send("GET", "/sessions/x")
    assert emulator.requests(CREATE_SESSION) == emulator.requests("createSession") == 2
    assert emulator.requests(GET_SESSION) == 1
    assert emulator.requests(CREATE_PARTICIPANT) == 0
    assert emulator.requests_handled == 3
    with pytest.raises(ValueError, match="createRoom"):
        emulator.requests("createRoom")


def test_requests_for_tokens_are_counted_by_a_name_of_their_own(emulator):
    """A test can assert that a token was fetched once."""
    emulator.handle(WireRequest(method="POST", target="https://id.example/api/v1/oauth2/token"))
    assert emulator.requests("getAccessToken") == 1
    assert [each.status for each in emulator.exchanges] == [401]


def test_orphans_are_listed():
    """The assertion lists sessions and participants of all accounts, and passes without any."""
    emulator = Emulator(accounts={"a": Credentials(), "b": Credentials()})
    emulator.assert_no_orphans()
    session = Caller(emulator, account="a").session()
    participant = Caller(emulator, account="b").participant()
    with pytest.raises(AssertionError) as raised:
        emulator.assert_no_orphans()
    assert str(raised.value).splitlines() == [
        "2 not deleted:",
        f"session {session} of account a",
        f"participant {participant} of account b",
    ]
    Caller(emulator, account="a").send("DELETE", f"/sessions/{session}")
    Caller(emulator, account="b").send("DELETE", f"/participants/{participant}")
    emulator.assert_no_orphans()


def test_an_expired_session_is_no_orphan():
    """Expired sessions are not orphans."""
    clock = Clock()
    emulator = Emulator(clock=clock)
    Caller(emulator).session()
    clock.now += 9 * 60 * 60
    emulator.assert_no_orphans()


WITH_SECRET = {
    "path": {"target": f"/v1/accounts/{quote(CANARY, safe='')}/sessions"},
    "lower-case escapes": {"target": "/v1/" + quote(CANARY, safe="").lower()},
    "query": {"target": f"/v1/x?key={CANARY}"},
    "method": {"method": CANARY},
    "body": {"content": json.dumps({"tag": CANARY}, ensure_ascii=False).encode()},
    "escaped body": {"content": json.dumps({"tag": CANARY}).encode()},
    "form": {"content": f"a=b&c={quote(CANARY)}".encode()},
    "header": {"headers": {"X-Key": CANARY}},
    "header's name": {"headers": {CANARY: "x"}},
    "Basic elsewhere": {
        "headers": {"Proxy-Authorization": base64.b64encode(f"user:{CANARY}".encode()).decode()}
    },
}


@pytest.mark.parametrize("where", WITH_SECRET)
def test_a_leaked_secret_is_found(emulator, where):
    """A secret is found in path, query, method, body and other headers, in every encoding."""
    plain = {"method": "GET", "target": "/v1/x"}
    emulator.handle(WireRequest(**plain))
    assert not emulator.saw_secret(CANARY)
    emulator.handle(WireRequest(**{**plain, **WITH_SECRET[where]}))
    emulator.handle(WireRequest(**plain))
    assert emulator.saw_secret(CANARY)
    emulator.reset()
    assert not emulator.saw_secret(CANARY)


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
def test_a_secret_in_authorization_is_allowed(emulator, name):
    """A secret in Authorization is not reported."""
    value = "Basic " + base64.b64encode(f"user:{CANARY}".encode()).decode()
    for each in (value, f"Bearer {CANARY}"):
        emulator.handle(WireRequest(method="GET", target="/v1/x", headers={name: each}))
    assert not emulator.saw_secret(CANARY)


@given(before=st.binary(max_size=9), secret=st.text(min_size=4, max_size=20), after=st.binary())
def test_a_secret_in_base64_is_found_at_any_offset(before, secret, after):
    """A secret is found in base64 at every offset."""
    try:
        plain = secret.encode()
    except UnicodeEncodeError:
        return
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        seen = SeenRequests()
        content = encode(before + plain + after)
        seen.keep(WireRequest(method="POST", target="/", content=content))
        assert seen.contain(secret)


def test_a_search_in_dropped_requests_is_an_error():
    """After old requests were dropped, an unfound secret is an error, not a result."""
    seen = SeenRequests(max_bytes=2000)
    seen.keep(WireRequest(method="POST", target="/", content=b"x" * 900))
    assert not seen.contain(CANARY)
    seen.keep(WireRequest(method="POST", target="/", content=CANARY.encode()))
    assert seen.contain(CANARY)
    with pytest.raises(LookupError, match="older ones were dropped"):
        seen.contain("another secret")
    seen.clear()
    assert not seen.contain("another secret")


def test_small_requests_do_not_fill_the_memory():
    """The limit counts the memory of Python's objects as well as the bytes."""
    seen = SeenRequests(max_bytes=100_000)
    for _ in range(1000):
        seen.keep(WireRequest(method="GET", target="/"))
    assert len(seen) <= 100


def test_a_short_secret_is_refused(emulator):
    """A secret that is too short is refused."""
    with pytest.raises(ValueError, match="4 characters"):
        emulator.saw_secret("abc")


def test_a_repr_shows_no_request():
    """No repr shows a recorded request."""
    seen = SeenRequests()
    seen.keep(WireRequest(method="POST", target=f"/{CANARY}", content=CANARY.encode()))
    assert CANARY not in repr(seen)
