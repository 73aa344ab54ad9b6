"""The cases of the contract, and their runner."""

import json
from pathlib import Path

import anyio
import attrs
import httpx
import pytest
from hypothesis import given
from support.speaking import ACCOUNT, basic
from support.strategies import JSON, USUALLY

from webrtc_async.emulator import Emulator
from webrtc_async.emulator.contract import Target, cases, emulator_target, run
from webrtc_async.emulator.contract.case import Step
from webrtc_async.emulator.contract.shape import mismatches
from webrtc_async.emulator.doors.in_process import EmulatorTransport

CASES = cases()
DESCRIPTION = json.loads(
    (Path(__file__).parents[1] / "support" / "api_description.json").read_text("utf-8")
)
OPERATIONS = DESCRIPTION["operations"]


def case_named(title: str):
    [found] = [case for case in CASES if case.title == title]
    return found


@pytest.mark.parametrize("case", [pytest.param(each, id=each.title) for each in CASES])
def test_the_emulator_passes_every_case(case):
    """The emulator responds as the case expects, and everything created is deleted."""

    async def ask():
        async with emulator_target(case) as target:
            return await run(case, target)

    verdict = anyio.run(ask)
    assert verdict.problems == ()
    assert verdict.not_deleted == ()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each["operation"])
def test_every_documented_status_has_a_case(operation):
    """Each documented status of an operation is expected by one of its cases."""
    documented = {int(status) for status in (*operation["success"], *operation["errors"])}
    expected = {case.step.status for case in CASES if case.operation == operation["operation"]}
    assert expected == documented


def test_titles_are_unique():
    """No two cases have the same title."""
    assert len({case.title for case in CASES}) == len(CASES)


def test_an_emulator_only_case_has_a_reason():
    """A case that needs a clock, a fault or another user runs only against the emulator."""
    special = [case for case in CASES if case.hours or case.fault or case.without_webrtc]
    assert special
    assert [case.title for case in special if not case.emulator_only] == []


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ({"id": "<uuid>"}, {"id": "x"}),
        ({"id": "<uuid>"}, {}),
        ({"id": "<absent>"}, {"id": None}),
        ({"id": "<null>"}, {}),
        ({"id": "<text>"}, {"id": ""}),
        ({"id": "<null or text>"}, {"id": 5}),
        ({"token": "<token>"}, {"token": "a.b.c"}),
        ({"token": "<token>"}, {"token": "e30.e30.x"}),
        ({"tag": "a"}, {"tag": "b"}),
        ({"code": 1}, {"code": True}),
        ([{}], []),
        ([], {}),
        ({}, []),
        ({"<set>": ["A", "B"]}, ["A", "A"]),
        ({"<set>": ["A"]}, "A"),
        ({"a": [{"b": "<text>"}]}, {"a": [{"b": 1}]}),
    ],
)
def test_a_value_of_another_shape_is_found(shape, found):
    """Each difference from a shape is reported once, with its path."""
    [problem] = mismatches(shape, found)
    assert problem.startswith("the response")


@USUALLY
@given(JSON)
def test_a_value_has_its_own_shape(value):
    """JSON without angle brackets is a shape that matches itself."""
    if "<" not in json.dumps(value):
        assert [*mismatches(value, json.loads(json.dumps(value)))] == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"status": 201}, "the status is 200, not 201"),
        ({"response": {"tag": "room-8"}}, 'the response.tag is "room-7", not "room-8"'),
    ],
)
def test_a_difference_is_reported(change, problem):
    """A failing case names the difference, and still deletes everything that it created."""
    case = case_named("createSession: 200 with its id and tag")
    case = attrs.evolve(case, step=attrs.evolve(case.step, **change))
    emulator = Emulator()

    async def ask():
        async with target_of(emulator) as target:
            return await run(case, target)

    verdict = anyio.run(ask)
    assert verdict.problems[0].startswith(problem)
    assert verdict.not_deleted == ()
    assert emulator.requests_handled == 2
    assert emulator.session_ids(ACCOUNT) == ()


def test_a_step_before_the_request_that_fails_is_named():
    """If a preparing step fails, it is the problem, and the case's request is not sent."""
    case = case_named("getSession: 200 with the same shape")
    case = attrs.evolve(case, given=(Step(send="POST /sessions", status=202),))
    emulator = Emulator()

    async def ask():
        async with target_of(emulator) as target:
            return await run(case, target)

    [problem] = anyio.run(ask).problems
    assert problem.startswith("before it, POST /sessions: the status is 200")
    assert emulator.session_ids(ACCOUNT) == ()


def test_a_resource_that_remains_is_reported():
    """A resource that the service does not delete is reported by its path."""

    def answer(request):
        if request.method == "POST":
            return httpx.Response(200, json={"id": "known", "tag": "room-7"})
        raise httpx.ReadError("gone")

    target = Target(base_url="http://service", account="1", transport=httpx.MockTransport(answer))
    case = case_named("createSession: 200 with its id and tag")

    async def ask():
        async with target:
            return await run(case, target)

    verdict = anyio.run(ask)
    assert verdict.not_deleted == ("/sessions/known",)


def test_no_response_is_a_difference():
    """An unreachable service is a difference, and the run continues."""

    def refuse(_):
        raise httpx.ConnectError("no")

    target = Target(base_url="http://service", account="1", transport=httpx.MockTransport(refuse))

    async def ask():
        async with target:
            return await run(CASES[0], target)

    assert anyio.run(ask).problems == ("no response: ConnectError",)


def target_of(emulator: Emulator) -> Target:
    return Target(
        base_url="http://emulator/v1",
        account=ACCOUNT,
        authorization=basic(),
        transport=EmulatorTransport(emulator),
    )
