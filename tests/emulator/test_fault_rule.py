"""Fault rules: valid values, and errors that name the field."""

import json
import math
from random import Random
from typing import get_type_hints

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrtc_async.emulator.faults.check import MAX_WAIT
from webrtc_async.emulator.faults.delay import RandomDelay
from webrtc_async.emulator.faults.fields import FaultFields
from webrtc_async.emulator.faults.header import FAULT_HEADER, read_fault_header
from webrtc_async.emulator.faults.rule import FAULTS, FaultRule, read_rule
from webrtc_async.route_table import CREATE_SESSION, ROUTES

RULES = [
    {"status": 500},
    {"status": 200, "body": "empty"},
    {"status": 429, "retry_after": 7},
    {"status": 404, "body": "code"},
    {"storm": 30.0},
    {"storm": 30, "status": 503, "body": "html", "retry_after": "date", "seed": 4},
    {"limit": 0},
    {"limit": 5, "window": 0.5, "retry_after": "nonsense"},
    {"delay": 0.1},
    {"delay": {"median": 0.08, "sigma": 0.4}},
    {"delay": {"median": 1, "sigma": 2}, "seed": 3},
    {"status": 503, "delay": 0.1},
    {"storm": 30, "delay": 0.1},
    {"limit": 3, "delay": {"median": 0.08, "sigma": 0.4}},
    {"drop": "reset", "delay": 2},
    {"refuse": True, "delay": 2},
    {"slow_body": 1, "delay": 2},
    {"status": 409, "message": "Participant is busy"},
    {"status": 503, "session": "s-1", "participant": "p-1", "tag": "ward"},
    {"status": 503, "header": {"x-tenant": "7", "x-call": "a"}},
    {"status": 503, "route": "getParticipantSubscriptions", "session": "s", "participant": "p"},
    {"slow_headers": 1},
    {"slow_body": 1},
    {"refuse": True},
    {"drop": "close"},
    {"lose_answer": "reset"},
    {"truncate": 0},
    {"wrong_length": -3},
    {"garbage": 1},
    {"trailing": "x"},
]

WRONG = [
    ({}, "one of"),
    ({"tag": "ward"}, "one of"),
    ({"status": 500, "drop": "reset"}, "status and drop"),
    ({"status": 500, "drop": "reset", "delay": 1}, "status and drop are 2 faults"),
    ({"storm": 1, "slow_body": 1}, "storm and slow_body"),
    ({"status": 99}, "status"),
    ({"status": 600}, "status"),
    ({"status": "500"}, "status"),
    ({"status": True}, "status"),
    ({"status": 500.0}, "status"),
    ({"status": 500, "body": "xml"}, "body"),
    ({"status": 500, "body": ["html"]}, "body"),
    ({"delay": 1, "body": "html"}, "body"),
    ({"status": 429, "retry_after": "soon"}, "retry_after"),
    ({"status": 429, "retry_after": -1}, "retry_after"),
    ({"limit": 1, "retry_after": 5}, "retry_after"),
    ({"limit": 1, "retry_after": ["date"]}, "retry_after"),
    ({"delay": 1, "retry_after": 5}, "retry_after"),
    ({"storm": 0}, "storm"),
    ({"storm": 1, "status": 500}, "status"),
    ({"storm": 1, "times": 2}, "times"),
    ({"limit": -1}, "limit"),
    ({"limit": 1, "nth": 2}, "nth"),
    ({"limit": 1, "window": 0}, "window"),
    ({"status": 500, "window": 1}, "window"),
    ({"limit": 1, "probability": 0.5}, "probability"),
    ({"delay": float("nan")}, "delay"),
    ({"delay": float("inf")}, "delay"),
    ({"delay": 3601}, "delay"),
    ({"delay": -1}, "delay"),
    ({"delay": True}, "delay"),
    ({"delay": {"median": 1}}, "sigma"),
    ({"delay": {"median": 1, "sigma": 1, "mean": 2}}, "median and sigma"),
    ({"delay": {"median": None, "sigma": 1}}, "median and sigma"),
    ({"delay": {"median": 0, "sigma": 1}}, "delay.median"),
    ({"delay": {"median": "1", "sigma": 1}}, "delay.median"),
    ({"delay": {"median": 3601, "sigma": 1}}, "delay.median"),
    ({"delay": {"median": 1, "sigma": 0}}, "delay.sigma"),
    ({"delay": {"median": 1, "sigma": 5.1}}, "delay.sigma"),
    ({"delay": {"median": 1, "sigma": float("nan")}}, "delay.sigma"),
    ({"delay": {"median": 1, "sigma": [1]}}, "delay.sigma"),
    ({"delay": [1, 2]}, "delay .* an array"),
    ({"delay": {}}, "delay"),
    ({"delay": 1, "message": "Busy"}, "message cannot be combined with delay"),
    ({"status": 503, "message": "Busy", "body": "empty"}, "message"),
    ({"status": 204, "message": "Busy"}, "message"),
    ({"status": 503, "message": ""}, "message"),
    ({"status": 503, "message": {"error": "Busy"}}, "message"),
    ({"status": 503, "session": 5}, "session"),
    ({"status": 503, "session": ""}, "session"),
    ({"status": 503, "participant": ["p"]}, "participant"),
    ({"status": 503, "tag": {}}, "tag"),
    ({"status": 503, "route": "createSession", "session": "s"}, "session"),
    ({"status": 503, "route": "getSession", "participant": "p"}, "participant"),
    ({"status": 503, "route": "getAccessToken", "participant": "p"}, "participant"),
    ({"status": 503, "header": "x-tenant"}, "header"),
    ({"status": 503, "header": {}}, "header"),
    ({"status": 503, "header": {"x-tenant": 7}}, "header"),
    ({"status": 503, "header": {7: "x-tenant"}}, "header"),
    ({"status": 503, "header": {f"x-{each}": "" for each in range(21)}}, "header"),
    ({"status": 503, "header": {"Authorization": "Bearer canary"}}, "authorization"),
    ({"status": 503, "header": {"x-a": "b", "Cookie": "canary"}}, "cookie"),
    ({"status": 10**500}, "a huge number"),
    ({"status": [[]]}, "an array"),
    ({"status": {"code": 500}}, "an object"),
    ({"slow_headers": "1"}, "slow_headers"),
    ({"slow_body": []}, "slow_body"),
    ({"refuse": "yes"}, "refuse"),
    ({"refuse": 1}, "refuse"),
    ({"drop": False}, "drop"),
    ({"drop": "softly"}, "drop"),
    ({"lose_answer": 1}, "lose_answer"),
    ({"truncate": -1}, "truncate"),
    ({"wrong_length": 0}, "wrong_length"),
    ({"garbage": 0}, "garbage"),
    ({"garbage": 65537}, "garbage"),
    ({"trailing": ""}, "trailing"),
    ({"trailing": 5}, "trailing"),
    ({"trailing": "x" * 65537}, "trailing"),
    ({"status": 500, "nth": 0}, "nth"),
    ({"status": 500, "times": 0}, "times"),
    ({"status": 500, "probability": 0}, "probability"),
    ({"status": 500, "probability": 1.1}, "probability"),
    ({"status": 500, "probability": 0.5, "nth": 1}, "nth"),
    ({"status": 500, "seed": 1}, "seed"),
    ({"status": 500, "probability": 0.5, "seed": -1}, "seed"),
    ({"status": 500, "route": "createRoom"}, "route"),
    ({"status": 500, "route": 5}, "route"),
    ({"status": 500, "route": ["createSession"]}, "route"),
    ({"status": 500, "colour": "red"}, "colour"),
    ({"status": 500, 5: "red"}, "5"),
    ([], "object"),
    ("status", "object"),
    (None, "object"),
]


@pytest.mark.parametrize("mapping", RULES, ids=str)
def test_a_rule_is_the_same_after_json(mapping):
    """The JSON form of a rule has exactly its given fields and makes an equal rule."""
    rule = read_rule(mapping)
    assert rule.as_json() == mapping
    assert read_rule(json.loads(json.dumps(rule.as_json()))) == rule


def test_every_fault_has_a_rule_here():
    """Every fault has a test above."""
    assert {read_rule(each).fault for each in RULES} == set(FAULTS)


@pytest.mark.parametrize(("mapping", "named"), WRONG, ids=str)
def test_an_invalid_rule_is_refused_by_its_field(mapping, named):
    """The error names the invalid field and ends with a full stop."""
    with pytest.raises(ValueError, match=rf"(?s)\b{named}\b.*\.$"):
        read_rule(mapping)


def test_an_error_shows_no_secret_header_and_no_deep_value():
    """The value of a secret header is in no error, and a deep value is told by its type."""
    deep = []
    for _ in range(10_000):
        deep = [deep]
    for mapping in (
        {"status": 503, "header": {"authorization": "canary"}},
        {"status": deep},
        {"status": 10**5000},
        {"drop": deep},
        {"delay": {"median": deep, "sigma": 1}},
        {"header": {"x-a": deep}, "status": 503},
    ):
        with pytest.raises(ValueError, match=r"^\S+ must .{0,200}\.$") as caught:
            read_rule(mapping)
        assert "canary" not in str(caught.value)


def test_the_names_of_headers_have_no_case():
    """Header names are compared in lower case, as HTTP does."""
    rule = FaultRule(status=503, header={"X-Tenant": "Seven"})
    assert rule.header == {"x-tenant": "Seven"}
    assert len({rule, FaultRule(status=503)}) == 2


@pytest.mark.parametrize("sigma", [0.1, 0.4, 5.0])
def test_a_random_delay_has_its_median_and_its_limit(sigma):
    """Half of the delays are shorter than the median, and none is over an hour."""
    delay, source = RandomDelay(0.08, sigma), Random(1)
    drawn = [delay.draw(source) for _ in range(10_000)]
    assert sum(each < 0.08 for each in drawn) == pytest.approx(5000, abs=200)
    assert sum(each > 0.08 * math.exp(1.96 * sigma) for each in drawn) == pytest.approx(250, abs=60)
    assert 0 < min(drawn) <= max(drawn) <= MAX_WAIT


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
values = values | st.lists(values, max_size=2) | st.dictionaries(st.text(max_size=3), values)


@given(
    st.dictionaries(
        st.sampled_from(sorted(each.name for each in attrs.fields(FaultRule))), values, max_size=4
    )
)
def test_an_invalid_rule_raises_only_value_error(mapping):
    """Any JSON value makes a rule with a JSON form, or raises ValueError."""
    try:
        rule = read_rule(mapping)
    except ValueError:
        return
    assert read_rule(json.loads(json.dumps(rule.as_json()))) == rule


@pytest.mark.parametrize("route", ROUTES, ids=repr)
def test_a_route_equals_its_operation_s_name(route):
    """A route and the name of its operation make equal rules."""
    assert FaultRule(route=route, status=500) == FaultRule(route=route.operation, status=500)


def test_true_stands_for_a_reset():
    """True stands for a reset."""
    assert FaultRule(drop=True) == FaultRule(drop="reset")
    assert FaultRule(lose_answer=True) == FaultRule(lose_answer="reset")


def test_the_keywords_of_add_are_the_fields_of_a_rule():
    """The types of the keywords match the fields of a rule."""
    assert {*get_type_hints(FaultFields)} | {"route"} == {x.name for x in attrs.fields(FaultRule)}


def test_the_text_of_a_rule_is_its_fault():
    """The text of a rule is its fault and value."""
    assert str(FaultRule(route=CREATE_SESSION, nth=2, status=503)) == "status 503"
    assert str(FaultRule(refuse=True)) == "refuse"
    assert str(FaultRule(storm=5, status=502)) == "storm 5"
    assert str(FaultRule(status=503, delay=2)) == "status 503, delay 2"
    assert str(FaultRule(delay=RandomDelay(0.08, 0.4))) == "delay about 0.08"


def test_a_header_holds_a_rule():
    """The header is found in any case and read as JSON; without it there is no rule."""
    assert read_fault_header({FAULT_HEADER.upper(): '{"status":503}'}) == FaultRule(status=503)
    value = '{"status":409,"message":"Busy","delay":{"median":0.08,"sigma":0.4}}'
    assert read_fault_header({FAULT_HEADER: value}) == FaultRule(
        status=409, message="Busy", delay=RandomDelay(0.08, 0.4)
    )
    assert read_fault_header({"x-other": "{}"}) is None


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("nonsense", "JSON"),
        ("[]", "object"),
        ('{"status":503,"status":502}', "status"),
        ('{"status":5}', "status"),
        ('{"status":503,"nth":2}', "nth"),
        ('{"status":503,"route":"createSession"}', "route"),
        ('{"storm":5}', "storm"),
        ('{"limit":5}', "limit"),
        ('{"status":503,"session":"s"}', "session"),
        ('{"status":503,"participant":"p"}', "participant"),
        ('{"status":503,"tag":"ward"}', "tag"),
        ('{"status":503,"header":{"x-a":"b"}}', "header"),
        ('{"delay":{"median":1,"sigma":1},"seed":1}', "seed"),
        ("[" * 100_000, "deep"),
        ('{"status":503,"x\ud800":1}', "utf-8"),
    ],
)
def test_an_invalid_header_is_refused(value, named):
    """The error names the problem."""
    with pytest.raises(ValueError, match=named):
        read_fault_header({"x-emulator-fault": value})
