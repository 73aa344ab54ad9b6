"""Types are an interface: two checkers judge right and wrong uses."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

TYPING = Path(__file__).parent
MUST_PASS, MUST_FAIL = TYPING / "must_pass.py", TYPING / "must_fail.py"
MARKED = {
    number
    for number, line in enumerate(MUST_FAIL.read_text("utf-8").splitlines(), 1)
    if line.endswith("# error")
}

pytestmark = pytest.mark.types


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=TYPING.parent.parent,
    )


def lines_by_mypy(file: Path) -> set[int]:
    """Return the lines that mypy reports."""
    shown = run("mypy", "--strict", "--enable-error-code", "unused-awaitable", str(file)).stdout
    return {int(line) for line in re.findall(rf"{file.name}:(\d+): error:", shown)}


def lines_by_pyright(file: Path) -> set[int]:
    """Return the lines that pyright reports."""
    shown = run("pyright", "--outputjson", "--pythonpath", sys.executable, str(file)).stdout
    found = json.loads(shown)["generalDiagnostics"]
    return {each["range"]["start"]["line"] + 1 for each in found if each["severity"] == "error"}


@pytest.mark.parametrize("lines", [lines_by_mypy, lines_by_pyright])
def test_right_uses_are_accepted(lines):
    """No checker reports the uses that the documentation shows."""
    assert lines(MUST_PASS) == set()


@pytest.mark.parametrize("lines", [lines_by_mypy, lines_by_pyright])
def test_each_wrong_use_is_refused(lines):
    """Each checker reports every wrong use, and nothing else."""
    assert lines(MUST_FAIL) == MARKED
