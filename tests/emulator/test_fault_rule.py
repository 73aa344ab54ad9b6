"""Fault rules: valid values, and errors that name the field."""

import json
from typing import get_type_hints

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrtc_async.emulator.faults.header import FAULT_HEADER, read_fault_header
from webrtc_async.emulator.faults.rule import FAULTS, FaultFields, FaultRule, read_rule
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
    ({}, "exactly one of"),
    ({"status": 500, "delay": 1}, "status and delay"),
    ({"storm": 1, "delay": 1}, "storm and delay"),
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


def test_a_header_holds_a_rule():
    """The header is found in any case and read as JSON; without it there is no rule."""
    assert read_fault_header({FAULT_HEADER.upper(): '{"status":503}'}) == FaultRule(status=503)
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
        ("[" * 100_000, "deep"),
        ('{"status":503,"x\ud800":1}', "utf-8"),
    ],
)
def test_an_invalid_header_is_refused(value, named):
    """The error names the problem."""
    with pytest.raises(ValueError, match=named):
        read_fault_header({"x-emulator-fault": value})
