"""The emulator's command: its switches and its state file."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pytest
from click.testing import CliRunner, Result
from support.http_library import httpx

from webrtc_async.cli.program import program
from webrtc_async.emulator import Emulator
from webrtc_async.emulator.core.switches import describe_switches


def run(*arguments: str) -> Result:
    return CliRunner().invoke(program, ["emulator", "--port", "0", *arguments])


class Served(httpx.Client):
    """A client of the served emulator, with what the emulator prints."""

    lines: IO[str]

    def printed(self, count: int) -> list[str]:
        return [self.lines.readline().rstrip("\n") for _ in range(count)]


@contextmanager
def served(*arguments: str, stop: signal.Signals = signal.SIGINT) -> Iterator["Served"]:
    """The command in a process of its own, stopped by a signal, and a client for it."""
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
        while "Ctrl-C" not in process.stdout.readline():
            pass
        with Served(base_url=found[0], auth=("user", "password"), trust_env=False) as client:
            client.lines = process.stdout
            yield client
        process.send_signal(stop)
        _, errors = process.communicate(timeout=30)
        ended = -stop if stop == signal.SIGKILL else 0
        assert (process.returncode, errors) == (ended, "")
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
        (("x=1",), "unknown switch 'x'; the switches are basic_auth, "),
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
        assert client.get("/_emulator/health").status_code == 200
        for path in ("/_emulator/switches", "/_emulator/", "/_emulator/state", "/"):
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
    """An invalid state file is one line of error, and an empty one is that of a killed start."""
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
    ("state", "problem"),
    [
        ("file/state.json", "Not a directory"),
        ("none/state.json", "No such file or directory"),
        ("", "Is a directory"),
        ("link", "Too many levels of symbolic links"),
        ("pipe", "it is not a regular file"),
    ],
)
def test_an_unusable_state_file_is_refused_at_the_start(tmp_path, state, problem):
    """An unusable state file is one line of error before the start; no link is followed."""
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    finished = run("--state", str(tmp_path / state))
    assert finished.exit_code == 1
    path = tmp_path / state
    assert finished.output == f"Error: cannot keep the state in {path}: {problem}.\n"
    assert (tmp_path / "file").read_text() == ""


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_state_is_saved_when_the_process_is_told_to_end(tmp_path, stop):
    """Ctrl-C, a container's end and a closed terminal end the command with its state saved."""
    path = tmp_path / "state.json"
    with served("--state", str(path), stop=stop) as client:
        created = client.post("/v1/accounts/9900000/sessions").json()["id"]
    assert created in path.read_text()


@pytest.mark.slow
def test_state_is_saved_while_the_process_runs(tmp_path):
    """A process that is killed loses nothing that is older than a few seconds."""
    path = tmp_path / "state.json"
    with served("--state", str(path), stop=signal.SIGKILL) as client:
        created = client.post("/v1/accounts/9900000/sessions").json()["id"]
        while created not in path.read_text():
            time.sleep(0.05)
        assert [each.name for each in tmp_path.iterdir()] == ["state.json"]


def test_a_state_file_has_one_emulator(tmp_path):
    """A second emulator on the same file is refused, and the first goes on."""
    path = tmp_path / "state.json"
    with served("--state", str(path)) as client:
        refused = run("--state", str(path))
        assert refused.exit_code == 1
        assert refused.output.endswith(": another emulator uses it.\n")
        created = client.post("/v1/accounts/9900000/sessions").json()["id"]
    assert created in path.read_text()


def test_the_variables_can_be_printed_alone():
    """--print-env prints every secret, in words that a shell reads back, and starts nothing."""
    words = ("--port", "8091", "--account", "7", "--client-secret", "a b'$c", "--print-env")
    finished = run(*words)
    assert finished.exit_code == 0
    shell = f"set -a\n{finished.output}env"
    read = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True, env={})
    assert dict(line.split("=", 1) for line in read.stdout.splitlines() if line[:3] == "BW_") == {
        "BW_ACCOUNT_ID": "7",
        "BW_CLIENT_ID": "client",
        "BW_CLIENT_SECRET": "a b'$c",
        "BW_WEBRTC_BASE_URL": "http://127.0.0.1:8091/v1",
        "BW_TOKEN_URL": "http://127.0.0.1:8091/api/v1/oauth2/token",
    }
    assert run("--print-env").exit_code == 2


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (("7", "7"), "--account 7 is given twice."),
        (("7:canary",), "--account must be ID or ID:USERNAME:PASSWORD."),
        ((":a:canary",), "--account must be ID or ID:USERNAME:PASSWORD."),
    ],
)
def test_a_wrong_account_is_one_line_and_exit_2(given, sentence):
    """The error says the form, and does not repeat what may be a password."""
    finished = run(*(word for each in given for word in ("--account", each)))
    assert finished.exit_code == 2
    assert finished.output.splitlines()[-1] == f"Error: {sentence}"
    assert "canary" not in finished.output


def test_several_accounts_have_users_of_their_own():
    """Each account accepts its own user; an account without one accepts the default."""
    with served("--account", "7", "--account", "8:ann:x:y") as client:
        for account, auth in (("7", ("user", "password")), ("8", ("ann", "x:y"))):
            assert client.post(f"/v1/accounts/{account}/sessions", auth=auth).status_code == 200
        refused = client.post("/v1/accounts/7/sessions", auth=("ann", "x:y"))
        assert refused.status_code == 401


def test_requests_are_logged_one_line_each(tmp_path):
    """A line has the time, the operation, the status, and the fault."""
    ready = tmp_path / "ready.env"
    with served("--log", "--ready-file", str(ready), "--fault-header") as client:
        assert f"BW_WEBRTC_BASE_URL={client.base_url}" in ready.read_text()
        assert ready.stat().st_mode & 0o777 == 0o600
        client.post("/v1/accounts/9900000/sessions")
        client.get("/v1/%1B?key=canary", headers={"X-Emulator-Fault": '{"status": 503}'})
        lines = client.printed(2)
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3}  createSession  200", lines[0])
    assert lines[1].endswith("  GET /v1/%1B  503  fault status 503"), lines
    assert not ready.exists()


def test_a_container_is_reached_under_its_name():
    """Control calls and the page take the names of --allow-host; health checks take any."""
    with served("--allow-host", "Emulator") as client:
        for host, status in (("emulator:8080", 200), ("other", 403)):
            found = client.get("/_emulator/switches", headers={"Host": host})
            assert (host, found.status_code) == (host, status)
            assert client.get("/_emulator/", headers={"Host": host}).status_code == status
            assert client.get("/_emulator/health", headers={"Host": host}).text == "ok\n"
        to_page = client.get("/")
        assert (to_page.status_code, to_page.headers["location"]) == (307, "_emulator/")
