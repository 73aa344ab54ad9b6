"""The command that runs the contract's cases."""

import pytest
from support.command_line import run as run_command
from support.speaking import ACCOUNT

from webrtc_async.emulator import Emulator, EmulatorServer
from webrtc_async.emulator.contract import cases

CASES = cases()


def test_every_case_is_printed_with_its_evidence():
    """It prints each case with its outcome and evidence, and a summary at the end."""
    finished = run_command("contract")
    *lines, kinds, sums = finished.stdout.splitlines()
    assert finished.returncode == 0, finished.stderr
    assert len(lines) == len(CASES)
    columns = [line.split("\t") for line in lines]
    assert [each[1:5] for each in columns] == [
        [case.operation, case.name, case.evidence, case.source] for case in CASES
    ]
    assert kinds.startswith(f"{len(CASES)} cases by evidence: ")
    assert sums == f"{len(CASES)} hold, 0 differ, 0 skipped."


def test_live_checks_the_service_of_the_environment_and_deletes_everything():
    """With --live it runs all cases that can run there over the network, and deletes everything."""
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
    assert f"Checking {server.base_url} with account {ACCOUNT}." in finished.stderr
    skipped = [case for case in CASES if case.emulator_only or case.switches]
    assert f" 0 differ, {len(skipped)} skipped." in finished.stdout
    assert emulator.requests_handled > 2 * (len(CASES) - len(skipped))
    assert emulator.session_ids(ACCOUNT) == ()
    assert emulator.participant_ids(ACCOUNT) == ()


@pytest.mark.parametrize(
    ("base_url", "said"),
    [("http://127.0.0.1:1/v1", "no connection to 127.0.0.1:1"), (None, "401 Unauthorized")],
)
def test_live_stops_at_an_unusable_service(base_url, said):
    """An unreachable service or wrong credentials are one line of error, not one for each case."""
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
    """Without the variables it names the missing ones, and sends nothing."""
    finished = run_command("contract", "--live")
    assert finished.returncode == 1
    assert "BW_" in finished.stderr


def test_cases_can_be_selected_by_title():
    """--only selects the cases with a text in their title."""
    finished = run_command("contract", "--only", "deletesession", "--plain")
    assert {line.split("\t")[1] for line in finished.stdout.splitlines()[:-2]} == {"deleteSession"}
