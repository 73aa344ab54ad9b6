"""`set-up` and `tear-down`: many conferences from a file, in processes of their own."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from webrtc_async._protocol.wire import WireRequest
from webrtc_async.emulator import Emulator
from webrtc_async.emulator.doors.server import EmulatorServer
from webrtc_async.emulator.faults.reply import Reply

ACCOUNT = "9900000"
COMMAND = [sys.executable, "-m", "webrtc_async.cli"]
WITHOUT_SETTINGS = {name: value for name, value in os.environ.items() if name[:3] != "BW_"}


class WatchedEmulator(Emulator):
    """An emulator that sets an event once it has handled a number of requests."""

    awaited = 0
    has_come = threading.Event()

    def reply_to(self, request: WireRequest) -> Reply:
        answer = super().reply_to(request)
        if self.awaited and self.requests_handled >= self.awaited:
            self.has_come.set()
        return answer


@pytest.fixture(scope="module")
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer(WatchedEmulator()) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(server: EmulatorServer) -> None:
    server.emulator.reset()
    server.emulator.awaited = 0
    server.emulator.has_come.clear()


@pytest.fixture
def plans(tmp_path: Path) -> Path:
    """A file with ten plans and an empty line."""
    path = tmp_path / "plans.jsonl"
    lines = [
        {"key": f"visit-{number}", "participants": ["agent", "caller"]} for number in range(10)
    ]
    path.write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    return path


def settings(server: EmulatorServer, **others: str) -> dict[str, str]:
    """Return the environment of a command."""
    return {
        **WITHOUT_SETTINGS,
        "BW_ACCOUNT_ID": ACCOUNT,
        "BW_USERNAME": "user",
        "BW_PASSWORD": "password",
        "BW_WEBRTC_BASE_URL": server.base_url,
        **others,
    }


def run(server: EmulatorServer, *arguments: object, **others: str):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=settings(server, **others),
    )


def test_set_up_again_and_tear_down(server, plans, tmp_path):
    """The first run sets up, the second only reads the journal, the tear-down deletes all."""
    journal = tmp_path / "journal.jsonl"
    first = run(server, "set-up", plans, "--journal", journal)
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("10 conferences set up; 0 failed; ")
    assert len(server.emulator.session_ids(ACCOUNT)) == 10
    second = run(server, "set-up", plans, "--journal", journal, "--fsync")
    assert second.stdout.startswith(
        "10 conferences set up, 10 of them from the journal; 0 failed; "
    )
    assert len(server.emulator.session_ids(ACCOUNT)) == 10
    torn = run(server, "tear-down", "--journal", journal)
    assert torn.stdout.startswith("10 conferences deleted; 0 failed; ")
    assert torn.returncode == 0
    assert server.emulator.session_ids(ACCOUNT) == ()
    assert server.emulator.participant_ids(ACCOUNT) == ()
    assert first.stderr + second.stderr + torn.stderr == ""


@pytest.mark.parametrize("asked", [True, False])
def test_tokens_are_written_only_if_asked(server, plans, tmp_path, asked):
    """The journal holds tokens with --tokens; no other file or output ever does."""
    journal = tmp_path / "journal.jsonl"
    shown = run(server, "set-up", plans, "--journal", journal, *(["--tokens"] if asked else []))
    assert ('"token":"eyJ' in journal.read_text()) is asked
    assert "eyJ" not in shown.stdout + shown.stderr


def test_an_invalid_line_stops_before_the_first_request(server, plans, tmp_path):
    """The error names the line of an invalid plan, and nothing is sent."""
    with plans.open("a") as file:
        file.write('{"key": "last", "participants": ["a", "a"]}\n')
    finished = run(server, "set-up", plans, "--journal", tmp_path / "j")
    assert finished.returncode == 2
    assert finished.stderr == (
        f"Error: Line 12 of {plans}: Two participants are named 'a'; names must be unique.\n"
    )
    assert server.emulator.requests_handled == 0


def test_a_plan_without_a_key_stops_before_the_first_request(server, plans, tmp_path):
    """The error names the line of a plan without a key, and nothing is sent."""
    with plans.open("a") as file:
        file.write('{"participants": ["a"]}\n')
    finished = run(server, "set-up", plans, "--journal", tmp_path / "j")
    assert finished.returncode == 2
    assert finished.stderr == f'Error: Line 12 of {plans}: the plan needs a "key".\n'
    assert server.emulator.requests_handled == 0


def test_another_account_s_journal_is_refused(server, plans, tmp_path):
    """Both commands refuse another account's journal before they send anything."""
    journal = tmp_path / "j"
    journal.write_text('{"journal":1,"account":"1"}\n')
    for arguments in (("set-up", plans), ("tear-down",)):
        finished = run(server, *arguments, "--journal", journal)
        assert finished.returncode == 1
        assert "belongs to account '1', but the client's account is '9900000'" in finished.stderr
    assert server.emulator.requests_handled == 0


def test_a_missing_journal_cannot_be_torn_down(server, tmp_path):
    """A tear-down with a missing journal fails, and creates no file."""
    finished = run(server, "tear-down", "--journal", tmp_path / "none")
    assert finished.returncode == 2
    assert "does not exist" in finished.stderr
    assert list(tmp_path.iterdir()) == []


FULL = """
import resource, runpy, sys
_, hard = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), hard))
try:
    runpy.run_module("webrtc_async.cli", run_name="__main__")
finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
"""


def test_a_full_disk_stops_with_a_summary(server, plans, tmp_path):
    """The output says what was done, why it stopped and how to continue, which then works."""
    journal = tmp_path / "j"
    arguments = [str(plans), "--journal", str(journal), "--concurrency", "1"]
    stopped = subprocess.run(
        [sys.executable, "-c", FULL, "4000", "set-up", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=settings(server),
    )
    assert stopped.returncode == 1
    done = int(stopped.stdout.partition(" ")[0])
    assert 0 < done == len(server.emulator.session_ids(ACCOUNT)) < 10
    assert stopped.stderr == (
        f"Error: the journal {journal} cannot be written: no space left for a line. Nothing "
        "more is started. Make it writable, then repeat the call to continue.\n"
    )
    again = run(server, "set-up", *arguments)
    assert again.stdout.startswith(
        f"10 conferences set up, {done} of them from the journal; 0 failed; "
    )


def test_failures_are_named_and_counted(server, plans, tmp_path):
    """Each failure has a line with its key, and the exit code is 1."""
    finished = run(server, "set-up", plans, "--journal", tmp_path / "j", BW_PASSWORD="wrong")
    assert finished.returncode == 1
    assert finished.stdout.startswith("0 conferences set up; 10 failed; ")
    assert "visit-3: conference: the set-up failed. " in finished.stderr
    assert "The credentials were refused" not in finished.stdout


def test_a_terminal_shows_a_bar(server, plans, tmp_path):
    """A terminal shows a bar with the count."""
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "set-up", str(plans), "--journal", str(tmp_path / "j")],
        stdout=child,
        stderr=child,
        env=settings(server, TERM="xterm-256color", COLUMNS="100"),
    )
    os.close(child)
    shown = b""
    try:
        while chunk := os.read(parent, 4096):
            shown += chunk
    except OSError:
        pass  # Linux raises it when the last writer has closed
    os.close(parent)
    assert process.wait(30) == 0
    assert "10/10" in shown.decode()
    assert "━" in shown.decode()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_can_be_continued(server, tmp_path, sent):
    """After Ctrl-C or a kill, the next run leaves each plan set up once."""
    plans, journal = tmp_path / "plans", tmp_path / "journal"
    lines = [{"key": f"k{number}", "participants": ["a", "b"]} for number in range(60)]
    plans.write_text("\n".join(map(json.dumps, lines)))
    server.emulator.awaited = 100  # of 300 requests
    process = subprocess.Popen(
        [*COMMAND, "set-up", str(plans), "--journal", str(journal), "--concurrency", "4"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=settings(server),
    )
    assert server.emulator.has_come.wait(30)
    process.send_signal(sent)
    shown, warned = process.communicate(timeout=60)
    known = journal.read_text()
    if sent == signal.SIGINT:
        assert process.returncode == 130, shown + warned
        assert "Run the command again to continue" in warned
        # Exactly the conferences that the journal lists as finished remain.
        up = known.count('"done"')
        assert len(server.emulator.session_ids(ACCOUNT)) == up
        assert len(server.emulator.participant_ids(ACCOUNT)) == 2 * up
    again = run(server, "set-up", plans, "--journal", journal)
    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith("60 conferences set up, ")
    # Only now, because the server may handle a killed process's last requests after its end.
    known = journal.read_text()
    unknown = [each for each in server.emulator.session_ids(ACCOUNT) if each not in known]
    assert len(unknown) <= (4 if sent == signal.SIGKILL else 0)  # in flight when it was killed
    assert len(server.emulator.session_ids(ACCOUNT)) == 60 + len(unknown)
    torn = run(server, "tear-down", "--journal", journal)
    assert torn.stdout.startswith("60 conferences deleted; 0 failed; ")
    assert set(server.emulator.session_ids(ACCOUNT)) == set(unknown)
