"""The cases of what is known of the service, and the code that runs them."""

import json
from pathlib import Path

import anyio
import attrs
import httpx
import pytest
from hypothesis import given
from support.speaking import ACCOUNT, basic
from support.strategies import JSON, USUALLY
from test_cli import run as run_command

from webrtc_async.emulator import Emulator, EmulatorServer
from webrtc_async.emulator.contract import Target, cases, emulated, run
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
def test_the_emulator_keeps_to_it(case):
    """The emulator answers as the case says, and what the case made is deleted."""

    async def ask():
        async with emulated(case) as place:
            return await run(case, place)

    verdict = anyio.run(ask)
    assert verdict.problems == ()
    assert verdict.not_deleted == ()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each["operation"])
def test_every_documented_status_has_a_case(operation):
    """Each status that the description gives an operation is expected by one of its cases."""
    documented = {int(status) for status in (*operation["success"], *operation["errors"])}
    expected = {case.asked.status for case in CASES if case.operation == operation["operation"]}
    assert expected == documented


def test_no_two_cases_say_the_same():
    """A title names one case."""
    assert len({case.title for case in CASES}) == len(CASES)


def test_what_cannot_be_asked_of_the_service_says_why():
    """A case that needs a clock, a fault or another user is for the emulator only."""
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
    """What differs from a shape is said once, with the place where it is."""
    [problem] = mismatches(shape, found)
    assert problem.startswith("the answer")


@USUALLY
@given(JSON)
def test_a_value_has_its_own_shape(value):
    """JSON that holds nothing in angle brackets is a shape that it fits itself."""
    if "<" not in json.dumps(value):
        assert [*mismatches(value, json.loads(json.dumps(value)))] == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"status": 201}, "the status is 200, not 201"),
        ({"answer": {"tag": "room-8"}}, 'the answer.tag is "room-7", not "room-8"'),
    ],
)
def test_a_service_that_differs_is_told_of(change, problem):
    """A case that does not hold says where, and still deletes what it made."""
    case = case_named("createSession: 200 with its id and tag")
    case = attrs.evolve(case, asked=attrs.evolve(case.asked, **change))
    emulator = Emulator()

    async def ask():
        async with place_of(emulator) as place:
            return await run(case, place)

    verdict = anyio.run(ask)
    assert verdict.problems[0].startswith(problem)
    assert verdict.not_deleted == ()
    assert emulator.requests_handled == 2
    assert emulator.session_ids(ACCOUNT) == ()


def test_a_step_before_the_request_that_fails_is_named():
    """When what a case needs cannot be made, the problem is that, and the request is not sent."""
    case = case_named("getSession: 200 with the same shape")
    case = attrs.evolve(case, given=(Step(send="POST /sessions", status=202),))
    emulator = Emulator()

    async def ask():
        async with place_of(emulator) as place:
            return await run(case, place)

    [problem] = anyio.run(ask).problems
    assert problem.startswith("before it, POST /sessions: the status is 200")
    assert emulator.session_ids(ACCOUNT) == ()


def test_what_cannot_be_deleted_is_told():
    """A service that answers creations and refuses deletions leaves things behind, by name."""

    def answer(request):
        if request.method == "POST":
            return httpx.Response(200, json={"id": "known", "tag": "room-7"})
        raise httpx.ReadError("gone")

    place = Target(base_url="http://service", account="1", transport=httpx.MockTransport(answer))
    case = case_named("createSession: 200 with its id and tag")

    async def ask():
        async with place:
            return await run(case, place)

    verdict = anyio.run(ask)
    assert verdict.not_deleted == ("/sessions/known",)


def test_no_answer_is_a_difference():
    """A service that cannot be reached differs, and the run goes on."""

    def refuse(request):
        raise httpx.ConnectError("no")

    place = Target(base_url="http://service", account="1", transport=httpx.MockTransport(refuse))

    async def ask():
        async with place:
            return await run(CASES[0], place)

    assert anyio.run(ask).problems == ("no answer: ConnectError",)


def test_the_command_prints_every_case_with_its_evidence():
    """A line for each case says whether it holds and where it is known from; then come the sums."""
    finished = run_command("contract")
    *lines, kinds, sums = finished.stdout.splitlines()
    assert finished.returncode == 0, finished.stderr
    assert len(lines) == len(CASES)
    columns = [line.split("\t") for line in lines]
    assert [each[1:5] for each in columns] == [
        [case.operation, case.name, case.evidence, case.source] for case in CASES
    ]
    assert kinds.startswith(f"{len(CASES)} cases by evidence: ")
    assert sums == f"{len(CASES)} hold, 0 differ, 0 left out."


def test_live_asks_the_service_of_the_environment_and_leaves_nothing():
    """With --live the same cases go over the network, but for those that say why not."""
    emulator = Emulator()
    with EmulatorServer(emulator) as server:
        finished = run_command(
            "contract",
            "--live",
            BW_ACCOUNT_ID=ACCOUNT,
            BW_CLIENT_ID="client",
            BW_CLIENT_SECRET="secret",
            BW_WEBRTC_BASE_URL=server.base_url,
            BW_TOKEN_URL=f"{server.base_url.removesuffix('/v1')}/api/v1/oauth2/token",
        )
    assert finished.returncode == 0, finished.stderr
    assert f"Asking {server.base_url}, as account {ACCOUNT}." in finished.stderr
    skip_reason = [case for case in CASES if case.emulator_only or case.switches]
    assert f" 0 differ, {len(skip_reason)} left out." in finished.stdout
    assert emulator.requests_handled > 2 * (len(CASES) - len(skip_reason))
    assert emulator.session_ids(ACCOUNT) == ()
    assert emulator.participant_ids(ACCOUNT) == ()


@pytest.mark.parametrize(
    ("base_url", "said"),
    [("http://127.0.0.1:1/v1", "no connection to 127.0.0.1:1"), (None, "401 Unauthorized")],
)
def test_live_stops_when_the_service_lets_nobody_in(base_url, said):
    """A service that is not there, or refuses the credentials, is one line and not every case."""
    with EmulatorServer(Emulator()) as server:
        finished = run_command(
            "contract",
            "--live",
            BW_ACCOUNT_ID=ACCOUNT,
            BW_USERNAME="user",
            BW_PASSWORD="wrong",
            BW_WEBRTC_BASE_URL=base_url or server.base_url,
        )
    assert finished.returncode == 1
    assert finished.stdout == ""
    assert finished.stderr.startswith(f"Error: getSession: {said}")
    assert len(finished.stderr.splitlines()) == 1


def test_live_needs_credentials():
    """Without the variables it says which are missing, and asks nobody."""
    finished = run_command("contract", "--live")
    assert finished.returncode == 1
    assert "BW_" in finished.stderr


def test_cases_can_be_chosen_by_their_title():
    """--only takes a part of the title."""
    finished = run_command("contract", "--only", "deletesession", "--plain")
    assert {line.split("\t")[1] for line in finished.stdout.splitlines()[:-2]} == {"deleteSession"}


def place_of(emulator: Emulator) -> Target:
    return Target(
        base_url="http://emulator/v1",
        account=ACCOUNT,
        authorization=basic(),
        transport=EmulatorTransport(emulator),
    )
