"""What an emulator remembers of its requests, and what tests can require of it."""

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
    """Number, time, method, path without query, operation and status; nothing more is shown."""
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
    """Old exchanges fall out and endless paths are cut, while the counts go on."""
    told = []
    exchanges = Exchanges(on_change=lambda: told.append(len(exchanges)))
    for _ in range(LOG_SIZE + 5):
        exchanges.add(
            at=0,
            method="M" * 1000,
            target="/" + "x" * 10_000,
            operation="getSession",
            status=200,
            seconds=0,
        )
    assert len(exchanges) == len([*exchanges]) == LOG_SIZE
    assert exchanges.count == exchanges.count_of("getSession") == LOG_SIZE + 5
    oldest = next(iter(exchanges))
    assert oldest.number == 6
    assert len(oldest.target) == len(oldest.method) == MAX_TARGET_LENGTH
    exchanges.clear()
    assert len(exchanges) == exchanges.count == exchanges.count_of("getSession") == 0
    assert len(told) == LOG_SIZE + 6


def test_requests_are_counted_by_route(emulator, caller):
    """Refused ones too; by the route or its operation, and never by a name that is none."""
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
    """A test can require that a token was fetched once."""
    emulator.handle(WireRequest(method="POST", target="https://id.example/api/v1/oauth2/token"))
    assert emulator.requests("getAccessToken") == 1
    assert [each.status for each in emulator.exchanges] == [401]


def test_orphans_are_listed():
    """Sessions and participants of every account; without any, nothing is raised."""
    emulator = Emulator(accounts={"a": Credentials(), "b": Credentials()})
    emulator.assert_no_orphans()
    session = Caller(emulator, account="a").session()
    participant = Caller(emulator, account="b").participant()
    with pytest.raises(AssertionError) as raised:
        emulator.assert_no_orphans()
    assert str(raised.value).splitlines() == [
        "2 left behind:",
        f"session {session} of account a",
        f"participant {participant} of account b",
    ]
    Caller(emulator, account="a").send("DELETE", f"/sessions/{session}")
    Caller(emulator, account="b").send("DELETE", f"/participants/{participant}")
    emulator.assert_no_orphans()


def test_what_has_ended_by_itself_is_no_orphan():
    """After nine hours the service has cleared up."""
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
def test_a_secret_is_seen_wherever_it_should_not_be(emulator, where):
    """In the path, query, method, body, or any other header, in whatever coding."""
    plain = {"method": "GET", "target": "/v1/x"}
    emulator.handle(WireRequest(**plain))
    assert not emulator.saw_secret(CANARY)
    emulator.handle(WireRequest(**{**plain, **WITH_SECRET[where]}))
    emulator.handle(WireRequest(**plain))
    assert emulator.saw_secret(CANARY)
    emulator.reset()
    assert not emulator.saw_secret(CANARY)


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
def test_a_secret_in_authorization_is_where_it_belongs(emulator, name):
    """It is not seen, and not kept either."""
    value = "Basic " + base64.b64encode(f"user:{CANARY}".encode()).decode()
    for each in (value, f"Bearer {CANARY}"):
        emulator.handle(WireRequest(method="GET", target="/v1/x", headers={name: each}))
    assert not emulator.saw_secret(CANARY)


@given(before=st.binary(max_size=9), secret=st.text(min_size=4, max_size=20), after=st.binary())
def test_a_secret_in_base64_is_found_at_any_offset(before, secret, after):
    """Whatever stands around it."""
    try:
        plain = secret.encode()
    except UnicodeEncodeError:
        return
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        seen = SeenRequests()
        content = encode(before + plain + after)
        seen.keep(WireRequest(method="POST", target="/", content=content))
        assert seen.contain(secret)


def test_what_is_not_kept_is_not_said_to_be_clean():
    """Once old requests have fallen out, a secret that is not found is no answer."""
    seen = SeenRequests(max_bytes=2000)
    seen.keep(WireRequest(method="POST", target="/", content=b"x" * 900))
    assert not seen.contain(CANARY)
    seen.keep(WireRequest(method="POST", target="/", content=CANARY.encode()))
    assert seen.contain(CANARY)
    with pytest.raises(LookupError, match="older ones are not kept"):
        seen.contain("another secret")
    seen.clear()
    assert not seen.contain("another secret")


def test_small_requests_do_not_fill_the_memory():
    """What Python needs for a request is counted as well as its bytes."""
    seen = SeenRequests(max_bytes=100_000)
    for _ in range(1000):
        seen.keep(WireRequest(method="GET", target="/"))
    assert len(seen) <= 100


def test_a_secret_too_short_to_mean_anything_is_refused(emulator):
    """It would be found by chance."""
    with pytest.raises(ValueError, match="4 characters"):
        emulator.saw_secret("abc")


def test_evidence_shows_nothing():
    """Not even to who looks at it."""
    seen = SeenRequests()
    seen.keep(WireRequest(method="POST", target=f"/{CANARY}", content=CANARY.encode()))
    assert CANARY not in repr(seen)
