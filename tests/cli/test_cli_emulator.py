"""The emulator's command: its switches and its state file."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from click.testing import CliRunner, Result
from support.http_library import httpx

from webrtc_async.cli.program import program
from webrtc_async.emulator import Emulator
from webrtc_async.emulator.core.switches import describe_switches


def run(*arguments: str) -> Result:
    return CliRunner().invoke(program, ["emulator", "--port", "0", *arguments])


@contextmanager
def served(*arguments: str) -> Iterator[httpx.Client]:
    """The command in a process of its own, stopped by SIGINT, and a client for it."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "webrtc_async.cli", "emulator", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        found = re.search(r"http://[^/]+", process.stdout.readline())
        assert found is not None
        with httpx.Client(base_url=found[0], auth=("user", "password"), trust_env=False) as client:
            yield client
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, "")
    finally:
        process.kill()
        process.communicate()


def test_the_help_describes_every_switch():
    """The help names each switch's values, meaning and evidence."""
    help_text = " ".join(run("--help").output.split())
    for each in describe_switches():
        assert f"{each.name}=" in help_text
        assert each.says in help_text
        assert each.inferred_from in help_text


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (("x=1",), "unknown switch 'x'; the switches are empty_lists, "),
        (("empty_lists=1",), "empty_lists must be 204 or 200, not '1'."),
        (("empty_lists",), "'empty_lists' is not NAME=VALUE, such as empty_lists=200."),
        (("enum_case=lower", "enum_case=upper"), "enum_case is given twice."),
    ],
)
def test_a_wrong_switch_is_one_line_and_exit_2(given, sentence):
    """The error names the switch and its choices."""
    finished = run(*(word for each in given for word in ("--switch", each)))
    assert finished.exit_code == 2
    assert sentence in finished.output.splitlines()[-1]


def test_switches_are_set_from_the_command_line_and_control_can_be_off():
    """The options apply, and without control calls there is no page."""
    with served("--switch", "empty_lists=200", "--no-control") as client:
        session = client.post("/v1/accounts/9900000/sessions").json()["id"]
        listed = client.get(f"/v1/accounts/9900000/sessions/{session}/participants")
        assert (listed.status_code, listed.json()) == (200, [])
        for path in ("/_emulator/switches", "/_emulator/", "/_emulator/state"):
            assert client.get(path).json() == {"message": "Missing Authentication Token"}


def test_state_is_kept_in_a_file_from_run_to_run(tmp_path):
    """Sessions, switches and ids continue; only the owner can read the file."""
    path = tmp_path / "state.json"
    arguments = ("--seed", "3", "--state", str(path))
    sessions = "/v1/accounts/9900000/sessions"
    with served(*arguments) as client:
        first = client.post(sessions).json()["id"]
        client.patch("/_emulator/switches", json={"participant_ids": True})
    assert path.stat().st_mode & 0o777 == 0o600
    with served(*arguments) as client:
        assert client.get(f"{sessions}/{first}").json() == {"id": first, "participant_ids": []}
        assert client.post(sessions).json()["id"] not in {first}
    assert [each.name for each in tmp_path.iterdir()] == ["state.json"]
    assert len(json.loads(path.read_bytes())["accounts"]["9900000"]["sessions"]) == 2


def test_an_invalid_state_file_is_refused_and_kept(tmp_path):
    """An invalid state file is one line of error."""
    path = tmp_path / "state.json"
    for content, sentence in (
        (b"nonsense", "not valid JSON"),
        (b"{}", "version: missing, expected a number"),
        (json.dumps(Emulator(accounts={}).snapshot() | {"x": 1}).encode(), "x: unknown field"),
    ):
        path.write_bytes(content)
        finished = run("--state", str(path))
        assert finished.exit_code == 1
        assert f"is not a snapshot of this emulator: {sentence}" in finished.output
        assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("state", "cannot"), [("file/state.json", "read"), ("none/state.json", "write")]
)
def test_an_unusable_state_file_is_refused_at_the_start(tmp_path, state, cannot):
    """An unusable state file is one line of error before the start."""
    (tmp_path / "file").write_text("")
    finished = run("--state", str(tmp_path / state))
    assert finished.exit_code == 1
    assert finished.output.startswith(f"Error: cannot {cannot} {tmp_path / state}: ")
