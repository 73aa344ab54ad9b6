"""Control calls: the state they can change, and the web pages they refuse."""

import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.http_library import httpx
from support.speaking import ACCOUNT, Caller, ask, said

from webrtc_async._protocol.wire import WireRequest
from webrtc_async.emulator import (
    Emulator,
    EmulatorServer,
    EmulatorTransport,
    Switches,
    emulator_app,
)
from webrtc_async.emulator.control.browser_guard import browser_problem
from webrtc_async.emulator.control.call import ControlCall
from webrtc_async.emulator.control.calls import CONTROL_CALLS, MAX_CONTROL_BODY, Control
from webrtc_async.emulator.control.own_host import is_own_host


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(seed=1)


@pytest.fixture
def control(emulator) -> Control:
    return Control(emulator)


def test_switches_are_described(control):
    """GET returns the value, choices, meaning and evidence of each switch."""
    seen = said(ask(control, "GET", "/switches"))
    assert {name: each["value"] for name, each in seen.items()} == Switches().as_dict()
    assert all({*each} == {"value", "choices", "says", "inferredFrom"} for each in seen.values())


def test_some_switches_are_changed_or_all_are_put(control, emulator):
    """PATCH keeps the other switches; PUT sets them to their defaults."""
    answer = ask(control, "PATCH", "/switches", {"empty_lists": 200, "enum_case": "lower"})
    assert said(answer)["enum_case"]["value"] == "lower"
    ask(control, "PATCH", "/switches", {"participant_ids": True})
    changed = Switches(empty_lists=200, enum_case="lower", participant_ids=True)
    assert emulator.switches == changed
    ask(control, "PUT", "/switches", {"empty_lists": 200})
    assert emulator.switches == Switches(empty_lists=200)


def test_a_reset_forgets(control, emulator):
    """The control call does the same as `Emulator.reset`."""
    Caller(emulator).session()
    assert ask(control, "POST", "/reset").status == 204
    assert emulator.session_ids(ACCOUNT) == ()


def test_a_snapshot_is_taken_and_restored(control, emulator):
    """POST restores the snapshot that GET returned."""
    session = Caller(emulator).session()
    snapshot = ask(control, "GET", "/snapshot").content
    emulator.reset()
    assert ask(control, "POST", "/restore", raw=snapshot).status == 204
    assert emulator.session_ids(ACCOUNT) == (session,)


def test_devices_are_connected_lost_and_leave(control, emulator):
    """Devices connect and disconnect by event name, and the log of webhooks shows it."""
    url = "http://127.0.0.1:9/hook?secret=canary"
    participant = Caller(emulator).participant(callbackUrl=url)
    told = {"participantId": participant}
    connected = ask(control, "POST", "/devices", {**told, "event": "onConnect", "deviceId": "d"})
    assert said(connected) == {"deviceId": "d"}
    assert ask(control, "POST", "/devices", {**told, "event": "onDisconnect"}).status == 204
    ask(control, "POST", "/devices", {**told, "event": "onConnect"})
    assert ask(control, "POST", "/devices", {**told, "event": "onLeave"}).status == 204
    answer = ask(control, "GET", "/webhooks")
    log = said(answer)
    assert (log["count"], log["waiting"]) == (4, 4)
    assert [each["event"] for each in log["webhooks"]] == [
        *("onConnect", "onDisconnect", "onConnect", "onLeave")
    ]
    assert b"canary" not in answer.content


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "sentence"),
    [
        ("PATCH", "/switches", {"x": 1}, 400, "unknown switch 'x'"),
        ("PUT", "/switches", {"empty_lists": 1}, 400, "empty_lists must be 204 or 200, not 1"),
        ("PUT", "/switches", [], 400, "the body: expected an object"),
        ("POST", "/restore", {}, 400, "version: missing, expected a number"),
        ("POST", "/devices", {}, 400, "event: missing, expected text"),
        ("POST", "/devices", {"event": 1}, 400, "event: expected text"),
        ("POST", "/devices", {"event": "onConnect"}, 400, "participantId: missing"),
        ("POST", "/devices", {"event": "x", "participantId": "p"}, 400, "event: 'x' is not one of"),
        ("POST", "/devices", {"event": "onLeave", "participantId": "p"}, 404, "participantId: "),
        (
            *("POST", "/devices", {"event": "onLeave", "participantId": "p", "deviceId": "d"}),
            *(400, "deviceId: only allowed with onConnect"),
        ),
        ("POST", "/devices", {"colour": "red"}, 400, "colour: unknown field"),
        ("DELETE", "/switches", None, 405, "only GET, PUT, PATCH here"),
        ("GET", "/reset", None, 405, "only POST here"),
    ],
)
def test_a_wrong_call_is_refused_by_the_field(
    control, emulator, method, path, body, status, sentence
):
    """The error names the field, and nothing has changed."""
    before = emulator.snapshot()
    answer = ask(control, method, path, body)
    assert answer.status == status
    assert said(answer)["error"].startswith(sentence)
    assert answer.headers["content-type"] == "application/json"
    assert emulator.snapshot() == before
    assert (status == 405) == ("allow" in answer.headers)


def test_an_impossible_device_event_is_a_conflict(control, emulator):
    """An impossible device event is a 409 with the reason."""
    body = {"event": "onConnect", "participantId": Caller(emulator).participant()}
    ask(control, "POST", "/devices", body)
    answer = ask(control, "POST", "/devices", body)
    assert (answer.status, said(answer)) == (
        409,
        {"error": "the participant's device is already connected"},
    )


BODIES = {
    "no JSON": b"nonsense",
    "nothing": b"",
    "not UTF-8": b'{"empty_lists":"\xff"}',
    "duplicate key": b'{"empty_lists":200,"empty_lists":200}',
    "deep": b"[" * 100_000,
    "NaN": b'{"empty_lists":NaN}',
    "endless number": b'{"empty_lists":' + b"9" * 5_000 + b"}",
}


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in BODIES.items()])
@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/switches"), ("PATCH", "/switches"), ("POST", "/restore"), ("POST", "/devices")],
)
def test_an_invalid_body_changes_nothing(control, emulator, method, path, body):
    """Every call with a body rejects an invalid one with the reason."""
    before = emulator.snapshot()
    answer = ask(control, method, path, raw=body)
    assert answer.status == 400
    assert said(answer)["error"]
    assert emulator.snapshot() == before


def test_a_body_that_is_too_long_is_refused(control):
    """Oversized content is a 413."""
    answer = ask(control, "POST", "/restore", raw=b" " * (MAX_CONTROL_BODY + 1))
    assert answer.status == 413


def test_rows_can_be_added(emulator):
    """A control call is a row: method, path template and handler."""
    row = ControlCall(
        method="GET",
        path="/things/{thing_id}",
        handler=lambda emulator, request: [
            *request.path_values.values(),
            emulator.requests_handled,
        ],
    )
    control = Control(emulator, [*CONTROL_CALLS, row])
    assert said(ask(control, "GET", "/things/a%2Fb")) == ["a/b", 0]
    assert said(ask(control, "GET", "/switches"))
    assert not control.has("/_emulator/things/")
    assert not control.has("/v1/things/a")


def test_faults_are_armed_shown_and_disarmed(control, emulator):
    """A rule is armed as JSON, shows its counters, and is removed by its number."""
    armed = said(ask(control, "POST", "/faults", {"route": "createSession", "status": 503}))
    assert armed["number"] == 1
    assert Caller(emulator, can_fail=True).send("POST", "/sessions").status == 503
    (fault,) = said(ask(control, "GET", "/faults"))["faults"]
    assert (fault["rule"], fault["fired"]) == ({"route": "createSession", "status": 503}, 1)
    assert ask(control, "DELETE", "/faults/1").status == 204
    for number in ("1", "x", "9" * 5_000, "%C2%B2"):
        assert ask(control, "DELETE", f"/faults/{number}").status == 404
    ask(control, "POST", "/faults", {"status": 503})
    assert ask(control, "DELETE", "/faults").status == 204
    assert len(emulator.faults) == 0


def test_a_bad_fault_rule_is_refused_by_the_field(control, emulator):
    """An invalid rule is a 400 with the same text as in Python."""
    answer = ask(control, "POST", "/faults", {"status": "many"})
    assert answer.status == 400
    assert said(answer)["error"].startswith("status")
    assert len(emulator.faults) == 0


BAD_FAULTS = [
    (b'{"status": 503, "colour": "red"}', "'colour' is not a field of a fault rule."),
    (b'{"status": {}}', "status must be a whole number from 200 to 599, not an object."),
    (b'{"status": [[[]]]}', "status must be a whole number from 200 to 599, not an array."),
    (b'{"delay": {"median": 1}}', "delay must be seconds, or an object of median and sigma"),
    (b'{"delay": {"median": true, "sigma": 1}}', "delay.median must be seconds above 0"),
    (b'{"status": 503, "tag": 7}', "tag must be text of 1 to 65536 characters."),
    (b'{"status": 503, "header": []}', "header must be an object of 1 to 20 texts"),
    (b'{"status": 503, "header": {"authorization": "canary"}}', "header must not name authoriz"),
    (b'{"status": 503, "message": null, "drop": "reset"}', "status and drop are 2 faults."),
    (b"[" * 1_000_000 + b"]" * 1_000_000, "the JSON is nested too deeply"),
    (b'{"status": ' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}", "the JSON is nested too deeply"),
    (b'{"status": ' + b"[" * 500 + b"]" * 500 + b"}", "status must be a whole number"),
    (b'{"status": ' + b"9" * 5000 + b"}", "not valid JSON"),
    (b'"status"', "the body: expected an object"),
    (b"", "not valid JSON"),
]


@pytest.mark.parametrize(("raw", "said"), BAD_FAULTS, ids=lambda each: repr(each)[:40])
def test_a_bad_fault_changes_nothing(control, emulator, raw, said):
    """Any other body is a 400 with one sentence, and the armed rules stay as they are."""
    ask(control, "POST", "/faults", {"status": 503})
    before = said_of(control)
    answer = ask(control, "POST", "/faults", raw=raw)
    assert answer.status == 400
    assert said in (error := json.loads(answer.content)["error"])
    assert "canary" not in error
    assert len(error) < 200
    assert said_of(control) == before


def said_of(control):
    return json.loads(ask(control, "GET", "/faults").content)


def test_spent_faults_are_shown_apart(control, emulator):
    """A spent rule leaves the armed ones and shows its counters."""
    ask(control, "POST", "/faults", {"status": 503, "times": 1})
    assert said_of(control)["spent"] == []
    Caller(emulator, can_fail=True).send("POST", "/sessions")
    rule = {"status": 503, "times": 1}
    spent = {"number": 1, "rule": rule, "seen": 1, "fired": 1}
    assert said_of(control) == {"faults": [], "spent": [spent]}


def test_a_chaos_profile_is_armed_by_its_name(control, emulator):
    """GET explains the profiles, and POST arms one; its rules are removed like others."""
    profiles = said(ask(control, "GET", "/chaos"))
    assert profiles["slow"]["says"]
    assert profiles["slow"]["rules"] == [{"delay": {"median": 0.3, "sigma": 0.62}}]
    armed = said(ask(control, "POST", "/chaos", {"profile": "bad-day", "seed": 3}))["faults"]
    assert armed == said_of(control)["faults"]
    assert len(armed) == len(profiles["bad-day"]["rules"])
    assert ask(control, "DELETE", f"/faults/{armed[0]['number']}").status == 204
    assert len(emulator.faults) == len(armed) - 1


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "profile"),
        ({"profile": 5}, "profile"),
        ({"profile": "worse-day"}, "'worse-day'"),
        ({"profile": "slow", "seed": "1"}, "seed"),
        ({"profile": "slow", "route": "createSession"}, "route"),
        ([], "the body"),
    ],
)
def test_a_wrong_chaos_call_arms_nothing(control, emulator, body, error):
    """The error names the field."""
    answer = ask(control, "POST", "/chaos", body)
    assert answer.status == 400
    assert error in said(answer)["error"]
    assert len(emulator.faults) == 0


# Access


@pytest.mark.parametrize(
    ("host", "local_address", "own"),
    [
        ("localhost", None, True),
        ("LOCALHOST:8080", None, True),
        ("127.0.0.1:8080", None, True),
        ("127.1.2.3", None, True),
        ("[::1]:8080", None, True),
        ("192.168.1.5:8080", "192.168.1.5", True),
        ("192.168.1.5:8080", "192.168.1.6", False),
        ("evil.example", None, False),
        ("localhost.evil.example", None, False),
        ("127.0.0.1.evil.example", None, False),
        ("localhost, evil.example", None, False),
        ("127.0.0.1@evil.example", None, False),
        ("::1", None, False),
        ("[127.0.0.1]", None, False),
        ("", None, False),
    ],
)
def test_a_host_is_this_machine_s_or_not(host, local_address, own):
    """Only localhost, loopback addresses and the connection's own address are accepted."""
    assert is_own_host(host, local_address=local_address) is own


@pytest.mark.parametrize(
    ("method", "headers", "content", "named"),
    [
        ("GET", {}, b"", None),
        ("POST", {}, b"", None),
        ("POST", {"content-type": "application/json"}, b"{}", None),
        ("POST", {"Content-Type": "Application/JSON; charset=utf-8"}, b"{}", None),
        ("GET", {"sec-fetch-site": "same-origin"}, b"", None),
        ("GET", {"sec-fetch-site": "none"}, b"", None),
        ("POST", {"origin": "http://localhost:1"}, b"", None),
        ("GET", {"host": "evil.example"}, b"", "Host"),
        ("GET", {"sec-fetch-site": "cross-site"}, b"", "Sec-Fetch-Site"),
        ("GET", {"sec-fetch-site": "same-site"}, b"", "Sec-Fetch-Site"),
        ("POST", {"origin": "http://evil.example"}, b"", "Origin"),
        ("POST", {"origin": "http://localhost:2"}, b"", "Origin"),
        ("POST", {"origin": "null"}, b"", "Origin"),
        ("POST", {"content-type": "text/plain"}, b"{}", "Content-Type"),
        ("POST", {"content-type": "text/plain"}, b"", "Content-Type"),
        ("POST", {}, b"{}", "Content-Type"),
    ],
)
def test_web_pages_of_other_sites_are_kept_out(method, headers, content, named):
    """A rebound name, another site's page and a form are refused because of their headers."""
    request = WireRequest(
        method=method, target="/", headers={"host": "localhost:1", **headers}, content=content
    )
    problem = browser_problem(request, local_address=None)
    assert (problem and problem.partition(":")[0]) == named


@pytest.fixture
def server(emulator) -> Iterator[EmulatorServer]:
    with EmulatorServer(emulator) as server:
        yield server


@pytest.fixture
def http(server) -> Iterator[httpx.Client]:
    url = server.base_url.removesuffix("/v1")
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
        yield http


def test_over_tcp_foreign_calls_are_refused(http, emulator):
    """A refused control call changes nothing."""
    Caller(emulator).session()
    for foreign in ({"host": "evil.example"}, {"origin": "http://evil.example"}):
        refused = http.post("/_emulator/reset", headers=foreign)
        assert (refused.status_code, refused.headers["content-type"]) == (403, "application/json")
        assert set(refused.json()) == {"error"}
    assert http.post("/_emulator/switches", content=b"{}").status_code == 403
    assert len(emulator.session_ids(ACCOUNT)) == 1
    assert http.post("/_emulator/reset").status_code == 204
    assert emulator.session_ids(ACCOUNT) == ()
    assert http.patch("/_emulator/switches", json={"empty_lists": 200}).status_code == 200
    assert emulator.switches == Switches(empty_lists=200)


def test_long_snapshots_go_over_tcp(http, emulator):
    """A control call can be larger than a request of the API."""
    caller = Caller(emulator)
    for _ in range(8_000):
        caller.session(tag="x" * 50)
    snapshot = http.get("/_emulator/snapshot")
    assert len(snapshot.content) > 1024 * 1024
    emulator.reset()
    assert http.post("/_emulator/restore", json=snapshot.json()).status_code == 204
    assert len(emulator.session_ids(ACCOUNT)) == 8_000


@pytest.mark.anyio
async def test_in_process_calls_may_name_any_host(emulator):
    """In process there is no network for a web page, so no header is checked."""
    async with httpx.AsyncClient(transport=EmulatorTransport(emulator)) as client:
        url = "https://api.webrtc.example/_emulator/switches"
        answer = await client.patch(url, json={"empty_lists": 200})
    assert answer.status_code == 200
    assert emulator.switches == Switches(empty_lists=200)


@pytest.mark.anyio
@pytest.mark.parametrize("skin", ["in process", "ASGI"])
async def test_control_can_be_switched_off(emulator, skin):
    """Without the control API its paths are unknown, as at the service."""
    transport = (
        EmulatorTransport(emulator, control=False)
        if skin == "in process"
        else httpx.ASGITransport(emulator_app(emulator, control=False))
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.post("/_emulator/reset")
    assert (answer.status_code, answer.json()) == (403, {"message": "Missing Authentication Token"})


# Delivery by the server


@pytest.fixture
def hooks() -> Iterator[tuple[str, "queue.Queue[dict[str, str]]"]]:
    """A webhook receiver on a local port: its URL and its requests."""
    received: queue.Queue[dict[str, str]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            received.put(json.loads(content))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as receiver:
        thread = threading.Thread(target=receiver.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{receiver.server_port}/hook", received
        finally:
            receiver.shutdown()
            thread.join()


def test_a_served_emulator_posts_its_webhooks_by_itself(http, emulator, hooks):
    """A device connected by a control call, or by Python in another thread, causes a webhook."""
    url, received = hooks
    participant = Caller(emulator).participant(callbackUrl=url, tag="t")
    body = {"event": "onConnect", "participantId": participant, "deviceId": "phone"}
    http.post("/_emulator/devices", json=body).raise_for_status()
    first = received.get(timeout=30)
    assert (first["event"], first["deviceId"], first["tag"]) == ("onConnect", "phone", "t")
    emulator.devices.lose(participant)
    assert received.get(timeout=30)["event"] == "onDisconnect"


def test_a_silent_receiver_delays_no_request(emulator):
    """Webhooks do not delay requests, and a server stops without waiting for them."""
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as receiver,
        EmulatorServer(emulator) as server,
        httpx.Client(trust_env=False, timeout=30, auth=("user", "password")) as http,
    ):
        caller = Caller(emulator)
        # It listens, so connects succeed; it never accepts one.
        participant = caller.participant(
            callbackUrl=f"http://127.0.0.1:{receiver.server_port}/hook"
        )
        emulator.devices.connect(participant)
        answer = http.post(f"{server.base_url}/accounts/{ACCOUNT}/sessions")
        assert answer.status_code == 200
        assert emulator.webhooks.waiting == 1
    assert emulator.webhooks.waiting == 1
