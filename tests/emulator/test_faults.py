"""The requests that a rule applies to, decided by counting, a clock and a seed."""

import json
import statistics
import threading
from collections import Counter

import pytest
from attrs import evolve
from support.speaking import Clock

from webrtc_async._protocol.retry_after import read_retry_after
from webrtc_async.emulator.core.subject import Subject
from webrtc_async.emulator.faults.armed import MAX_RULES, SPENT_KEPT, Faults
from webrtc_async.emulator.faults.chaos import PROFILES, chaos_rules
from webrtc_async.emulator.faults.check import MAX_WAIT
from webrtc_async.emulator.faults.response import NONSENSE, fault_response
from webrtc_async.emulator.faults.rule import read_rule
from webrtc_async.route_table import CREATE_SESSION, GET_SESSION

CREATE, GET = CREATE_SESSION.operation, GET_SESSION.operation


@pytest.fixture
def clock() -> Clock:
    return Clock(now=1000.25)


@pytest.fixture
def faults(clock) -> Faults:
    return Faults(clock=clock)


def struck(faults, count, operation=CREATE):
    """Return the numbers, from 1, of the affected requests."""
    return [
        number for number in range(1, count + 1) if faults.trigger(Subject(operation)) is not None
    ]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"nth": 2}, [2]),
        ({"nth": 2, "times": 2}, [2, 3]),
        ({"times": 2}, [1, 2]),
        ({"nth": 6}, []),
        ({"probability": 1}, [1, 2, 3, 4, 5]),
        ({"probability": 1, "times": 1}, [1]),
    ],
    ids=str,
)
def test_the_occurrence_decides(faults, fields, expected):
    """nth is the first and times the number of affected requests, both from 1."""
    fault = faults.add(status=500, **fields)
    assert struck(faults, 5) == expected
    # A spent rule counts no more.
    seen = max(expected, default=5) if {"nth", "times"} & {*fields} else 5
    assert (fault.seen, fault.fired) == (seen, len(expected))


def test_only_requests_of_its_route_are_counted(faults):
    """Requests for other routes pass and do not count."""
    fault = faults.add(CREATE_SESSION, status=500, nth=2)
    assert [
        faults.trigger(Subject(each)) is not None for each in (CREATE, GET, None, GET, CREATE)
    ] == [
        False,
        False,
        False,
        False,
        True,
    ]
    assert fault.seen == 2


def test_a_rule_without_a_route_matches_everything(faults):
    """A rule without a route applies to unknown paths, too."""
    fault = faults.add(status=500)
    assert faults.trigger(Subject(None)) is not None
    assert fault.fired == 1


def test_a_seed_selects_the_same_requests_again(clock):
    """The same seed affects the same requests, and the probability is about right."""

    def run(seed):
        faults = Faults(clock=clock)
        faults.add(status=500, probability=0.3, seed=seed)
        return struck(faults, 1000)

    assert run(1) == run(1)
    assert run(1) != run(2)
    assert 230 < len(run(1)) < 370


def test_the_first_matching_rule_fires_and_all_count(faults):
    """A later rule counts the request as seen, but not as fired."""
    first, second = faults.add(status=500, nth=1), faults.add(status=501)
    assert [faults.trigger(Subject(CREATE)).status for _ in range(2)] == [500, 501]
    assert (first.seen, first.fired) == (1, 1)
    assert (second.seen, second.fired) == (2, 1)


def test_a_bucket_limits_the_requests_of_each_window(faults, clock):
    """Requests over the limit get a 429 until the end of the window."""
    fault = faults.add(limit=2, window=10)
    assert struck(faults, 4) == [3, 4]
    clock.now += 9.5
    assert struck(faults, 1) == [1]
    clock.now += 0.5
    assert struck(faults, 3) == [3]
    clock.now -= 100
    assert struck(faults, 3) == [3]
    assert fault.fired == 5


@pytest.mark.parametrize(
    ("said", "header", "wait"),
    [
        (None, "10", 10),
        ("seconds", "10", 10),
        ("date", "Thu, 01 Jan 1970 00:16:51 GMT", None),
        ("nonsense", NONSENSE, None),
    ],
)
def test_a_429_has_a_retry_after(faults, clock, said, header, wait):
    """Retry-After is written in seconds, as a date or as nonsense, and never too early."""
    faults.add(limit=1, window=10, retry_after=said)
    faults.trigger(Subject(CREATE))
    clock.now += 0.5
    response = fault_response(faults.trigger(Subject(CREATE)), "r-1")
    assert response.status == 429
    assert response.headers["retry-after"] == header
    if wait is not None:
        assert read_retry_after(response.headers) == wait


def test_a_storm_lasts_by_the_emulator_s_clock(faults, clock):
    """A storm starts with a request, responds with a gateway's statuses, and ends for good."""
    fault = faults.add(storm=30, nth=2, seed=1)
    assert struck(faults, 1) == []
    clock.now += 1000
    statuses = {faults.trigger(Subject(CREATE)).status for _ in range(50)}
    assert statuses == {502, 503, 504}
    clock.now += 29.9
    assert struck(faults, 1) == [1]
    clock.now += 0.1
    assert struck(faults, 5) == []
    assert fault.fired == 51


def test_a_storm_may_have_one_status_and_retry_after(faults, clock):
    """A storm can have a fixed status, and Retry-After is its remaining time."""
    faults.add(storm=30, status=504, retry_after="seconds")
    assert fault_response(faults.trigger(Subject(CREATE)), "r").headers["retry-after"] == "30"
    clock.now += 20
    response = fault_response(faults.trigger(Subject(CREATE)), "r")
    assert (response.status, response.headers["retry-after"]) == (504, "10")


@pytest.mark.parametrize(
    ("fields", "kind", "content"),
    [
        ({"status": 500}, "application/json", b'{"error":"Internal Server Error","requestId":"r"}'),
        ({"status": 401}, "application/json", b'{"message":"Unauthorized"}'),
        ({"status": 503}, "application/json", b'{"message":"Service Unavailable"}'),
        ({"status": 599, "body": "code"}, "application/json", b'{"code":599,"message":"Unknown"}'),
        ({"status": 404, "body": "message"}, "application/json", b'{"message":"Not Found"}'),
        ({"status": 503, "body": "empty"}, None, b""),
        ({"status": 204}, None, b""),
    ],
    ids=str,
)
def test_a_response_has_the_chosen_body(faults, fields, kind, content):
    """Each error body of the service can be chosen; the default depends on the status."""
    faults.add(**fields)
    response = fault_response(faults.trigger(Subject(CREATE)), "r")
    assert response.status == fields["status"]
    assert response.headers.get("content-type") == kind
    assert response.content == content


def test_an_html_page_is_no_json(faults):
    """An HTML body looks like a gateway's page."""
    faults.add(status=502, body="html", retry_after=3)
    response = fault_response(faults.trigger(Subject(CREATE)), "r")
    assert response.headers["content-type"] == "text/html"
    assert response.content.startswith(b"<html>")
    assert b"502 Bad Gateway" in response.content
    assert response.headers["retry-after"] == "3"


def test_rules_can_be_read_and_disarmed(faults):
    """Rules are removed by themselves, by number or all at once; an unarmed one is an error."""
    first = faults.add(CREATE_SESSION, drop=True)
    second = faults.add_from({"route": GET, "delay": 2, "nth": 3})
    third = faults.add(status=500)
    assert [*faults] == [first, second, third]
    assert faults.as_json()[1] == {
        "number": 2,
        "rule": {"route": GET, "delay": 2, "nth": 3},
        "seen": 0,
        "fired": 0,
    }
    faults.remove(first)
    faults.remove(third.number)
    assert [*faults] == [second]
    assert repr(faults) == "<Faults: 1 armed>"
    with pytest.raises(LookupError, match="3"):
        faults.remove(third)
    faults.clear()
    assert len(faults) == 0
    assert faults.add(status=500).number == 1


def test_a_wrong_rule_arms_nothing(faults):
    """An invalid rule is refused by `add`."""
    with pytest.raises(ValueError, match="status"):
        faults.add(status=5)
    with pytest.raises(ValueError, match="colour"):
        faults.add_from({"colour": "red"})
    assert len(faults) == 0


def test_rules_are_bounded(faults):
    """The number of armed rules is limited."""
    for _ in range(MAX_RULES):
        faults.add(GET_SESSION, status=500)
    with pytest.raises(ValueError, match="Remove some"):
        faults.add(status=500)


def test_threads_share_the_counts(faults):
    """Of 4,000 requests in four threads, exactly the first 100 are affected."""
    fault = faults.add(status=500, times=100)

    def meet():
        for _ in range(1000):
            faults.trigger(Subject(CREATE))

    threads = [threading.Thread(target=meet) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (fault.seen, fault.fired) == (100, 100)
    assert faults.spent == (fault,)


# Composition


def triggered(faults, **subject):
    return faults.trigger(Subject(CREATE, **subject))


def test_delays_add_to_a_fault_and_to_each_other(faults):
    """One fault counts, wherever the delays stand; each rule that applies has fired."""
    rules = [
        faults.add(delay=0.5),
        faults.add(status=503, delay=0.25),
        faults.add(drop="reset", delay=9),
        faults.add(CREATE_SESSION, delay=1),
        faults.add(GET_SESSION, delay=30),
    ]
    fault = triggered(faults)
    assert (fault.status, fault.delay) == (503, 1.75)
    assert fault.text == "delay 0.5 and status 503, delay 0.25 and delay 1"
    assert [each.fired for each in rules] == [1, 1, 0, 1, 0]
    assert [each.seen for each in rules] == [1, 1, 1, 1, 0]


def test_delays_alone_leave_the_response_as_it_is(faults):
    """The service acts, and the response is sent correctly, after the sum of the delays."""
    faults.add(delay=2)
    faults.add(delay=3)
    fault = triggered(faults)
    assert (fault.status, fault.to_send, fault.delay, fault.rule.acts) == (None, None, 5, True)


def test_the_sum_of_delays_is_bounded(faults):
    """However many rules there are, a response is at most an hour late."""
    for _ in range(3):
        faults.add(delay=3000)
    assert triggered(faults).delay == MAX_WAIT


def test_a_delay_of_a_storm_or_a_limit_is_that_of_its_responses(faults, clock):
    """Requests within the limit or after the storm are not late."""
    faults.add(limit=1, window=10, delay=2)
    assert triggered(faults) is None
    assert (triggered(faults).status, triggered(faults).delay) == (429, 2)
    faults.clear()
    faults.add(storm=30, status=503, delay=4)
    assert (triggered(faults).status, triggered(faults).delay) == (503, 4)
    clock.now += 30
    assert triggered(faults) is None


def test_a_seed_repeats_random_delays(clock):
    """The same seed draws the same delays, around their median."""

    def delays(seed):
        faults = Faults(clock=clock)
        faults.add(delay={"median": 0.08, "sigma": 0.4}, seed=seed)
        return [triggered(faults).delay for _ in range(1000)]

    assert delays(1) == delays(1) != delays(2)
    assert 0.075 < statistics.median(delays(1)) < 0.085


@pytest.mark.parametrize(
    ("fields", "matching", "other"),
    [
        ({"session": "s-1"}, {"session_id": "s-1"}, {"session_id": "s-2"}),
        ({"participant": "p-1"}, {"participant_id": "p-1"}, {"session_id": "p-1"}),
        ({"tag": "ward"}, {"tags": ("alice", "ward")}, {"tags": ("Ward",)}),
        ({"header": {"X-Tenant": "7"}}, {"headers": {"x-tenant": "7"}}, {"headers": {}}),
        (
            {"header": {"x-a": "1", "x-b": "2"}},
            {"headers": {"x-a": "1", "x-b": "2", "x-c": "3"}},
            {"headers": {"x-a": "1", "x-b": "3"}},
        ),
        (
            {"session": "s-1", "tag": "ward"},
            {"session_id": "s-1", "tags": ("ward",)},
            {"session_id": "s-1"},
        ),
    ],
    ids=str,
)
def test_a_rule_is_for_the_requests_that_match_it(faults, fields, matching, other):
    """All conditions must hold, and other requests are not counted."""
    fault = faults.add(status=503, **fields)
    assert triggered(faults, **other) is None
    assert triggered(faults) is None
    assert triggered(faults, **matching).status == 503
    assert (fault.seen, fault.fired) == (1, 1)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (None, {"error": "Busy <1>", "requestId": "r"}),
        ("message", {"message": "Busy <1>"}),
        ("code", {"code": 409, "message": "Busy <1>"}),
        ("html", b"<title>409 Busy &lt;1&gt;</title>"),
    ],
)
def test_an_error_body_can_have_a_message_of_its_own(faults, body, expected):
    """The message takes the place of the status's phrase, escaped in HTML."""
    faults.add(status=409, body=body, message="Busy <1>")
    content = fault_response(triggered(faults), "r").content
    if isinstance(expected, bytes):
        assert expected in content
    else:
        assert json.loads(content) == expected


def test_a_message_can_be_any_text(faults):
    """Half a character of UTF-16, which JSON can hold, is no reason to fail."""
    for body in ("error", "html"):
        faults.add(status=500, body=body, message="\ud800", nth=1)
        assert fault_response(triggered(faults), "r").content


# Spent rules


def test_a_spent_rule_leaves_the_armed_ones_and_keeps_its_counters(faults, clock):
    """nth, times and storm end a rule; a limit, a probability and a plain fault do not."""
    ending = [
        faults.add(delay=1, nth=2),
        faults.add(delay=1, nth=1, times=2),
        faults.add(delay=1, times=2),
        faults.add(storm=10, status=503),
    ]
    staying = [faults.add(limit=1), faults.add(delay=1, probability=1), faults.add(delay=1)]
    for _ in range(2):
        triggered(faults)
    assert [*faults] == [ending[3], *staying]
    assert faults.spent == tuple(ending[:3])
    # By the clock, without another request.
    clock.now += 10
    assert [*faults] == staying
    assert len(faults) == 3
    assert faults.spent == tuple(ending)
    assert [each.fired for each in ending] == [1, 2, 2, 2]


def test_a_rule_that_lost_its_only_request_is_spent_too(faults):
    """nth counts requests, not faults."""
    first, second = faults.add(status=500, nth=1), faults.add(drop="reset", nth=1)
    assert triggered(faults).status == 500
    assert faults.spent == (first, second)
    assert second.fired == 0


def test_the_last_spent_rules_are_kept(faults):
    """Their number is bounded; the oldest are forgotten, and spent rules leave room for others."""
    for _ in range(MAX_RULES):
        faults.add(status=500, nth=1)
    triggered(faults)
    assert len(faults) == 0
    assert [each.number for each in faults.spent] == [
        *range(MAX_RULES - SPENT_KEPT + 1, MAX_RULES + 1)
    ]
    assert faults.add(status=500).number == MAX_RULES + 1


def test_a_spent_rule_can_be_removed(faults):
    """Whoever cleans up need not know if the rule was spent; a second time is an error."""
    fault = faults.add(status=500, nth=1)
    triggered(faults)
    faults.remove(fault)
    assert faults.spent == ()
    with pytest.raises(LookupError, match="1"):
        faults.remove(fault)


def test_changes_are_reported(clock):
    """Arming, spending, removing and clearing are told as JSON, and the receiver may read them."""
    changes = []

    def note(change):
        number = change["fault"] and change["fault"]["number"]
        changes.append((change["change"], number, len(faults)))

    faults = Faults(clock=clock, on_change=note)
    faults.add(status=500, nth=1)
    faults.add(status=500)
    triggered(faults)
    faults.remove(2)
    faults.clear()
    assert changes == [
        ("armed", 1, 1),
        ("armed", 2, 2),
        ("spent", 1, 1),
        ("removed", 2, 0),
        ("cleared", None, 0),
    ]


# Chaos


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_armed_by_its_name(faults, name):
    """Its rules are armed in their order, and a seed makes all of them repeatable."""
    added = faults.add_chaos(name, seed=7)
    assert [*faults] == [*added]
    assert tuple(evolve(each.rule, seed=None) for each in added) == PROFILES[name].rules
    seeds = [each.rule.seed for each in added if each.rule.is_random]
    assert len({*seeds}) == len(seeds)
    assert None not in seeds
    assert chaos_rules(name) == PROFILES[name].rules
    assert all(read_rule(each.rule.as_json()) == each.rule for each in added)


def outcomes(name, requests):
    """Return the share of each fault among requests that are a second apart."""
    clock = Clock()
    faults = Faults(clock=clock)
    faults.add_chaos(name, seed=1)
    found = Counter()
    for _ in range(requests):
        clock.now += 1
        fault = triggered(faults)
        found["late"] += fault is not None and fault.delay > 1
        found["over 0.5 s"] += fault is not None and fault.delay > 0.5
        kind = None if fault is None else fault.status or fault.rule.fault
        found[kind] += 1
    return {kind: count / requests for kind, count in found.items()}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("slow", {"late": 0.025}),
        ("flaky-gateway", {502: 0.02, 503: 0.02, 504: 0.01, "late": 0.01}),
        ("overload", {"late": 0.025, 429: 0}),
        ("lost-connections", {"drop": 0.02, "lose_answer": 0.02, "truncate": 0.01}),
        ("bad-day", {500: 0.01, 503: 0.02, 504: 0.01, "lose_answer": 0.01, "over 0.5 s": 0.035}),
    ],
)
def test_a_profile_does_what_it_says(name, expected):
    """Of 20,000 requests, the documented shares are affected."""
    found = outcomes(name, 20_000)
    shares = {kind: found.get(kind, 0) for kind in expected}
    assert shares == pytest.approx(expected, abs=0.006)


def test_an_outage_ends(faults, clock):
    """The profile of an outage is a storm of 30 s."""
    faults.add_chaos("outage", seed=1)
    assert triggered(faults).status in {502, 503, 504}
    clock.now += 30
    assert triggered(faults) is None


@pytest.mark.parametrize(
    ("name", "seed", "said"),
    [
        ("worse-day", None, r"^profile must be one of slow, .*bad-day, not 'worse-day'\.$"),
        (["slow"], None, r"not an array\.$"),
        ("slow", -1, r"^seed must be a whole number from 0, not -1\.$"),
        ("overload", True, "seed"),
        ("slow", "1", "seed"),
    ],
)
def test_a_wrong_profile_arms_nothing(faults, name, seed, said):
    """The error names the profiles or the seed."""
    with pytest.raises(ValueError, match=said):
        faults.add_chaos(name, seed=seed)
    assert len(faults) == 0


def test_a_profile_without_room_arms_nothing(faults):
    """All rules of a profile are armed, or none."""
    for _ in range(MAX_RULES - 2):
        faults.add(status=500)
    with pytest.raises(ValueError, match="Remove some"):
        faults.add_chaos("bad-day")
    assert len(faults) == MAX_RULES - 2
