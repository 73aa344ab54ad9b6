"""Instructions by valgrind and system calls by strace: other load does not change either.

Each number is the difference of two runs with different numbers of calls, so starting up does not
count. Only the client's process counts.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.workers import ENVIRONMENT, Contestant, Job

TIMEOUT = 300
"""Seconds for a run; valgrind makes it fifty times as slow."""


def check_tools() -> None:
    """Exit if a tool is missing."""
    for tool in ("valgrind", "strace"):
        if shutil.which(tool) is None:
            raise SystemExit(f"{tool} is missing: install it with your system's package manager.")


def instructions(turns: Mapping[str, tuple[Contestant, Job]]) -> dict[str, float]:
    """Return the instructions of a call in user space, by turn.

    Runs share the machine, because nothing else on it changes the count.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = pool.map(
            lambda turn: _per_call(_count_instructions, *turn)["instructions"], turns.values()
        )
        return dict(zip(turns, counts, strict=True))


def system_calls(contestant: Contestant, job: Job) -> dict[str, float]:
    """Return the number of each system call in a call, by name."""
    return _per_call(_count_system_calls, contestant, job)


def _per_call(
    count: Callable[[list[str]], Counter[str]], contestant: Contestant, job: Job
) -> dict[str, float]:
    calls = int(str(job["calls"]))
    few, many = (count(contestant.command({**job, "calls": n})) for n in (calls, 2 * calls))
    return {name: (many[name] - few[name]) / calls for name in many}


def _count_instructions(command: list[str]) -> Counter[str]:
    options = ["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    output = _run(["valgrind", *options, *command]).stderr
    found = re.search(r"I\s+refs:\s+([\d,]+)", output)
    assert found is not None, output
    return Counter(instructions=int(found[1].replace(",", "")))


def _count_system_calls(command: list[str]) -> Counter[str]:
    with tempfile.NamedTemporaryFile() as table:
        _run(["strace", "-f", "-c", "-o", table.name, *command])
        rows = (line.split() for line in Path(table.name).read_text("utf-8").splitlines())
        return Counter({row[-1]: int(row[3]) for row in rows if len(row) > 4 and row[3].isdigit()})


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, capture_output=True, text=True, env=ENVIRONMENT, timeout=TIMEOUT, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done
