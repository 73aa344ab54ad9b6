"""Instructions per call, by valgrind: two runs that differ only in their number of calls.

Instructions are what a loaded machine cannot change; only those of the client's process count.
"""

import os
import re
import subprocess
import sys
import tempfile


def count(name: str, port: int, calls: int, tasks: int, connections: int) -> int:
    """Return the instructions of one run, in user space."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                "valgrind",
                "--tool=cachegrind",
                "--cache-sim=no",
                f"--cachegrind-out-file={folder}/out",
                sys.executable,
                "-m",
                "benchmarks.clients",
                name,
                str(port),
                str(calls),
                str(tasks),
                str(connections),
            ],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": "0"},
        )
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    assert found is not None, done.stderr
    return int(found[1].replace(",", ""))


def per_call(name: str, port: int, *, tasks: int, connections: int, calls: int = 400) -> float:
    """Return the instructions of one call."""
    short, long = (count(name, port, n, tasks, connections) for n in (calls, 3 * calls))
    return (long - short) / (2 * calls)
