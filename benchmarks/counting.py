"""What a loaded machine cannot change: instructions by valgrind, system calls by strace.

Each is the difference of two runs that differ only in their number of calls, so starting up counts
for nothing; and only the client's process counts.
"""

import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from benchmarks.workers import ENVIRONMENT, Contestant

LONGEST = 300
"""Seconds that a run may take; under valgrind it takes some fifty times as long as it should."""


def check_tools() -> None:
    """Say what is missing before anything has been measured."""
    for tool in ("valgrind", "strace"):
        if shutil.which(tool) is None:
            raise SystemExit(f"{tool} is needed, and is not installed here")


def instructions(contestant: Contestant, url: str, *, calls: int) -> float:
    """Return the instructions of a create, in user space."""
    return _per_call(_count_instructions, contestant, url, calls)["instructions"]


def system_calls(contestant: Contestant, url: str, *, calls: int) -> dict[str, float]:
    """Return how often a create makes each system call, by their names."""
    return _per_call(_count_system_calls, contestant, url, calls)


def _per_call(
    count: Callable[[list[str]], Counter[str]],
    contestant: Contestant,
    url: str,
    calls: int,
) -> dict[str, float]:
    few, many = (
        count(
            contestant.command(
                {"job": "create", "url": url, "connections": 100, "calls": n, "tasks": 1}
            )
        )
        for n in (calls, 3 * calls)
    )
    return {name: (many[name] - few[name]) / (2 * calls) for name in many}


def _count_instructions(command: list[str]) -> Counter[str]:
    valgrind = [
        "valgrind",
        "--tool=cachegrind",
        "--cache-sim=no",
        "--cachegrind-out-file=/dev/null",
    ]
    said = _run([*valgrind, *command]).stderr
    found = re.search(r"I\s+refs:\s+([\d,]+)", said)
    assert found is not None, said
    return Counter(instructions=int(found[1].replace(",", "")))


def _count_system_calls(command: list[str]) -> Counter[str]:
    with tempfile.NamedTemporaryFile() as table:
        _run(["strace", "-f", "-c", "-o", table.name, *command])
        rows = (line.split() for line in Path(table.name).read_text("utf-8").splitlines())
        return Counter({row[-1]: int(row[3]) for row in rows if len(row) > 4 and row[3].isdigit()})


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, capture_output=True, text=True, env=ENVIRONMENT, timeout=LONGEST, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done
