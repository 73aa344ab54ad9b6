"""The command line, in its own processes and on a real terminal."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command_line import COMMAND, WITHOUT_SETTINGS, live, run
from support.http_library import httpx

from webrtc_async._protocol.wire import WireRequest
from webrtc_async.emulator import Emulator
from webrtc_async.emulator.doors.server import EmulatorServer, bind
from webrtc_async.route_table import CREATE_SESSION

UNCERTAIN = "Resources may remain of 3 creates with an unknown outcome.\n"


@pytest.fixture
def listening(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """The emulator's command, started with the test's arguments, its first line printed."""
    process = subprocess.Popen(
        [*COMMAND, "emulator", "--port", "0", *getattr(request, "param", ())],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**WITHOUT_SETTINGS, "PYTHONUNBUFFERED": "1"},
    )
    yield process
    process.kill()
    process.communicate()


def test_the_demo_ends_with_a_sum():
    """A log of the demo has every phase, the subscriptions, and a sum at its end."""
    finished = run("demo", "--plain", "--sessions", "2", "--participants", "3")
    lines = finished.stdout.splitlines()
    assert finished.returncode == 0, finished.stderr
    assert "Setting up: 14 of 14" in lines
    assert "session-1: host receives guest-1, guest-2, then nobody" in lines
    assert "session-2: guest-2 receives guest-1, host, then host" in lines
    assert "Tearing down: 8 of 8" in lines
    assert re.fullmatch(r"2 sessions, 6 participants, \d+ requests in \d+\.\d\d s\.", lines[-2])
    assert lines[-1] == "Everything was deleted."
    assert finished.stderr == ""


def test_the_demo_shows_the_first_sessions_and_counts_the_others():
    """More sessions than fit a screen are counted."""
    finished = run("demo", "--sessions", "12", "--participants", "1")
    assert "... and 4 more sessions like these." in finished.stdout
    assert "12 sessions, 12 participants" in finished.stdout


def test_output_to_a_pipe_has_no_control_codes():
    """Output to a pipe or a file is plain text, even if the environment forces colours."""
    finished = run("demo", "--sessions", "1", FORCE_COLOR="1")
    assert finished.returncode == 0
    assert "\x1b" not in finished.stdout + finished.stderr


def test_a_terminal_shows_bars_and_a_table():
    """A terminal shows a bar for each phase and a table of the subscriptions."""
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "demo", "--sessions", "1"],
        stdout=child,
        stderr=child,
        env={**WITHOUT_SETTINGS, "TERM": "xterm-256color", "COLUMNS": "100"},
    )
    os.close(child)
    shown = b""
    try:
        while chunk := os.read(parent, 4096):
            shown += chunk
    except OSError:
        pass  # Linux says so when the last writer is gone
    os.close(parent)
    text = shown.decode()
    assert process.wait(30) == 0
    assert "\x1b[" in text
    assert "━" in text
    assert "Receives later" in text
    assert "Everything was deleted." in text


def test_ctrl_c_tears_down_and_exits_130():
    """An interrupted demo deletes everything and says so."""
    process = subprocess.Popen(
        [*COMMAND, "demo", "--plain", "--sessions", "100", "--participants", "5"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**WITHOUT_SETTINGS, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("The emulator is at http://127.0.0.1:")
    assert process.stdout.readline() == "Setting up ...\n"
    process.send_signal(signal.SIGINT)
    shown, warned = process.communicate(timeout=60)
    assert process.returncode == 130, shown + warned
    assert "Interrupted." in warned
    assert shown.splitlines()[-1] == "Everything was deleted."
    assert "Traceback" not in warned


def test_a_closed_pipe_tears_down_too():
    """A demo whose output is closed deletes everything."""
    with EmulatorServer(Emulator()) as server:
        process = subprocess.Popen(
            [*COMMAND, "demo", "--live", "--plain", "--sessions", "5"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**WITHOUT_SETTINGS, **live(server)},
        )
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        process.stdout = None
        _, warned = process.communicate(timeout=60)
        assert process.returncode == 1
        assert b"Traceback" not in warned
        assert server.emulator.session_ids("9900000") == ()
        assert server.emulator.participant_ids("9900000") == ()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_characters_that_the_encoding_lacks_are_escaped(encoding):
    """A tag that the output's encoding cannot represent does not end a command."""
    with EmulatorServer(Emulator()) as server:
        environ = {**live(server), "PYTHONIOENCODING": encoding}
        session = json.loads(run("session", "create", "--json", **environ).stdout)["id"]
        made = run("participant", "create", "--tag", "a \N{PARTY POPPER}", "--json", **environ)
        participant = json.loads(made.stdout)["participant"]["id"]
        run("participant", "add", participant, "--session", session, **environ)
        listed = run("session", "participants", session, **environ)
    assert listed.returncode == 0, listed.stderr
    assert r"a \U0001f389" in listed.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux's")
@pytest.mark.parametrize("arguments", [("--help",), ("doctor",), ("contract",)])
def test_a_full_disk_is_a_line(arguments):
    """Output that cannot be written is reported in one line, with exit code 1."""
    with Path("/dev/full").open("w") as full:
        finished = subprocess.run(
            [*COMMAND, *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
            env=WITHOUT_SETTINGS,
        )
    assert finished.returncode == 1
    assert re.fullmatch(
        r"webrtc-async: the output cannot be written: .*No space left.*\n", finished.stderr
    )


@pytest.mark.parametrize("missing", ["BW_ACCOUNT_ID", "BW_USERNAME", "BW_PASSWORD"])
def test_live_names_the_missing_variable(missing):
    """--live without a variable prints one line that names it, and exits with 1."""
    environ = {"BW_ACCOUNT_ID": "1", "BW_USERNAME": "u", "BW_PASSWORD": "p"}
    del environ[missing]
    finished = run("demo", "--live", **environ)
    assert finished.returncode == 1
    assert missing in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


def test_live_uses_the_service_of_the_environment():
    """--live uses the service that the environment names."""
    with EmulatorServer(Emulator()) as server:
        finished = run("demo", "--live", **live(server))
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith(
        f"The service is at {server.base_url}, the account is 9900000.\n"
    )
    assert "Everything was deleted." in finished.stdout


def test_live_counts_creates_with_an_unknown_outcome():
    """A create whose response was lost may have created a resource; the sum counts these."""
    emulator = Emulator()
    emulator.faults.add(CREATE_SESSION, lose_answer="reset")
    with EmulatorServer(emulator) as server:
        finished = run("demo", "--live", **live(server))
    assert finished.returncode == 1
    assert finished.stdout.endswith(UNCERTAIN)


def test_a_second_ctrl_c_waits_for_no_response():
    """The second Ctrl-C ends the wait for a silent service; the sum counts the open creates."""
    emulator = Emulator()
    emulator.faults.add(CREATE_SESSION, delay=60)
    with EmulatorServer(emulator) as server:
        process = subprocess.Popen(
            [*COMMAND, "demo", "--live", "--plain"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**WITHOUT_SETTINGS, **live(server), "PYTHONUNBUFFERED": "1"},
        )
        assert process.stdout is not None
        assert process.stderr is not None
        while len(emulator.session_ids("9900000")) < 3:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.stderr.readline().startswith("Interrupted. Deleting everything;")
        process.send_signal(signal.SIGINT)
        shown, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert shown.endswith(UNCERTAIN)


def test_live_with_a_wrong_password_says_where_credentials_come_from():
    """A rejected request prints a sentence without Python's names, and exits with 1."""
    with EmulatorServer(Emulator()) as server:
        finished = run("demo", "--live", "--sessions", "1", **live(server, "canary-secret"))
    assert finished.returncode == 1
    assert "createSession: 401 Unauthorized" in finished.stderr
    assert "BW_USERNAME" in finished.stderr
    assert "auth=" not in finished.stderr
    assert "from_env" not in finished.stderr
    assert "Traceback" not in finished.stderr
    assert "canary-secret" not in finished.stdout + finished.stderr


def test_the_emulator_prints_its_address_and_variables_that_work(listening):
    """With the printed variables, the command line and apps use the emulator."""
    assert listening.stdout is not None
    printed = []
    while "Ctrl-C" not in (line := listening.stdout.readline()):
        assert line, "the emulator has ended"
        printed.append(line)
    assert re.match(r"The emulator is at http://127\.0\.0\.1:\d+/v1$", printed[0])
    page = re.match(r"Open its page: (http://127\.0\.0\.1:\d+/_emulator/)$", printed[1])
    assert page is not None
    assert "<title>" in httpx.get(page[1], trust_env=False).text
    variables = dict(line.strip().split("=") for line in printed if line.startswith("BW_"))
    created = run("session", "create", **variables)
    assert created.returncode == 0, created.stderr
    assert created.stdout.startswith("Session ")
    listening.send_signal(signal.SIGINT)
    _, warned = listening.communicate(timeout=30)
    assert listening.returncode == 0
    assert "Traceback" not in warned


@pytest.mark.parametrize(
    "listening",
    [
        (
            *("--account", "42", "--username", "ann", "--password", "canary-secret"),
            *("--client-secret", "canary-secret", "--seed", "7"),
        )
    ],
    indirect=True,
)
def test_the_emulator_takes_an_account_and_a_seed_and_does_not_echo_secrets(listening):
    """The emulator serves the given account and user, repeats ids by seed, hides the secrets."""
    assert listening.stdout is not None
    printed = ""
    while "Ctrl-C" not in (line := listening.stdout.readline()):
        printed += line
    assert "canary-secret" not in printed
    url = re.search(r"http://\S+", printed)
    assert url is not None
    sessions = f"{url[0]}/accounts/42/sessions"
    created = httpx.post(sessions, auth=("ann", "canary-secret"), trust_env=False)
    expected = Emulator(seed=7)
    assert created.status_code == 200
    assert created.json()["id"] == first_session_id(expected)
    assert httpx.post(sessions, auth=("ann", "x"), trust_env=False).status_code == 401


@pytest.mark.parametrize(
    ("listening", "status"), [((), 200), (("--fault-header",), 503)], indirect=["listening"]
)
def test_a_request_brings_its_fault_only_with_the_option(listening, status):
    """Without --fault-header, the header has no effect."""
    assert listening.stdout is not None
    while "http://" not in (line := listening.stdout.readline()):
        pass
    url = re.search(r"http://\S+", line)
    assert url is not None
    answered = httpx.post(
        f"{url[0]}/accounts/9900000/sessions",
        auth=("user", "password"),
        headers={"X-Emulator-Fault": '{"status":503}'},
        trust_env=False,
    )
    assert answered.status_code == status


def first_session_id(emulator: Emulator) -> str:
    """Return the id that an emulator gives its first session."""
    transport = httpx.MockTransport(lambda request: answer(emulator, request))
    with httpx.Client(transport=transport, auth=("user", "password")) as client:
        url = "http://emulator/v1/accounts/9900000/sessions"
        return str(client.post(url).json()["id"])


def answer(emulator: Emulator, request: httpx.Request) -> httpx.Response:
    response = emulator.handle(
        WireRequest(method=request.method, target=str(request.url), headers=dict(request.headers))
    )
    return httpx.Response(response.status, content=response.content)


def test_a_port_in_use_is_one_line_and_exit_1():
    """A port in use is reported in one line."""
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        finished = run("emulator", "--port", str(port))
    assert finished.returncode == 1
    assert finished.stdout == ""
    assert finished.stderr.startswith(f"Error: cannot listen on 127.0.0.1 port {port}")
    assert len(finished.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("demo", "--nonsense"), ("demo", "--sessions", "0")]
)
def test_a_wrong_command_line_is_explained_and_exits_2(arguments):
    """The message names a mistyped command or option, without a traceback."""
    finished = run(*arguments)
    assert finished.returncode == 2
    assert "Usage:" in finished.stderr
    assert "Traceback" not in finished.stderr


def run_without(module: str, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as if a module were not installed."""
    (tmp_path / f"{module}.py").write_text(f"raise ModuleNotFoundError('gone', name='{module}')")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
        "from webrtc_async.cli.__main__ import main; main()"
    )
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=WITHOUT_SETTINGS,
    )


def test_without_the_extra_the_command_says_what_to_install(tmp_path):
    """Without click, one line names the extra."""
    finished = run_without("click", tmp_path)
    assert finished.returncode == 1
    assert finished.stderr == (
        "webrtc-async: click is not installed. The command line needs an extra: "
        "pip install 'webrtc-async[cli]'\n"
    )


@pytest.mark.parametrize("command", ["emulator", "demo"])
@pytest.mark.parametrize("module", ["uvicorn", "starlette"])
def test_without_its_server_the_emulator_says_what_to_install(tmp_path, command, module):
    """With [cli] alone, the two commands that serve the emulator name their extra in one line."""
    finished = run_without(module, tmp_path, command)
    assert finished.returncode == 1
    assert finished.stdout == ""
    assert finished.stderr == (
        f"Error: {module} is not installed. The command {command} needs an extra: "
        "pip install 'webrtc-async[demo]'\n"
    )


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--help",), 0),
        (("emulator", "--help"), 0),
        (("completion", "bash"), 0),
        (("contract", "--only", "an id has 36 characters"), 0),
        (("session", "get", "s"), 2),
        (("set-up", "--help"), 0),
        (("demo", "--live"), 1),
    ],
)
def test_every_other_command_needs_no_server(tmp_path, arguments, status):
    """[cli] alone is enough for all but the emulator's own commands."""
    finished = run_without("uvicorn", tmp_path, *arguments)
    assert finished.returncode == status, finished.stderr
    assert "uvicorn" not in finished.stderr


def test_help_lists_the_commands():
    """--help lists every command with a short description."""
    finished = run("--help")
    assert finished.returncode == 0
    assert "demo" in finished.stdout
    assert "emulator" in finished.stdout
    _, commands = finished.stdout.split("Commands:")
    assert "..." not in commands  # each fits its line


def test_the_installed_command_is_the_same_program():
    """The console script that pip makes runs the same program as the module."""
    script = Path(sys.executable).with_name("webrtc-async")
    finished = subprocess.run(
        [str(script), "--version"], capture_output=True, text=True, timeout=30, check=True
    )
    assert finished.stdout == run("--version").stdout
