"""The cost of importing, each time in a new interpreter with compiled modules."""

import os
import subprocess
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.environments import ROOT, default_python
from benchmarks.report import Spread, Target, conditions, publish, table, verdicts

PROGRAM = """
import sys, time
started = time.process_time()
{}
seconds = time.process_time() - started
print(seconds, sum(name.partition(".")[0] == "webrtc_async" for name in sys.modules))
"""
HTTPX = "import httpx"
REQUIRED = "import httpx, attrs, anyio, cattrs, asyncio"
PACKAGE = "import webrtc_async"
CLIENT = "from webrtc_async import AsyncWebRtcClient"
CONFERENCES = f"{CLIENT}, ConferencePlan, OAuth2ClientCredentials, read_plan"
IMPORTS = (HTTPX, REQUIRED, PACKAGE, CLIENT, CONFERENCES)
TARGETS = {
    PACKAGE: Target(f"`{PACKAGE}`, CPU time", f"`{HTTPX}`", 1.25),
    CLIENT: Target(
        f"`{CLIENT}`, CPU time",
        f"`{HTTPX}`",
        1.25,
        why="the packages that it requires take more by themselves",
    ),
}


def main(*, quick: bool = False) -> None:
    """Measure imports, and publish them as imports.md."""
    where = conditions()
    rounds = 2 if quick else 9
    times: dict[str, list[float]] = {each: [] for each in IMPORTS}
    modules = dict.fromkeys(IMPORTS, 0)
    with TemporaryDirectory() as cache:
        # An installer compiles modules; a checkout may have none compiled.
        environ = {**os.environ, "PYTHONPYCACHEPREFIX": cache, "PYTHONPATH": str(ROOT)}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        for each in IMPORTS:
            _import(each, environ)
        for _ in range(rounds):
            for each in IMPORTS:
                seconds, modules[each] = _import(each, environ)
                times[each].append(seconds)
    rows = [
        [
            f"`{each}`",
            f"{median(mine) * 1000:.0f} ms",
            str(Spread.of_ratios(mine, times[HTTPX])),
            str(modules[each] or ""),
        ]
        for each, mine in times.items()
    ]
    publish(
        "imports",
        f"# Imports\n\n{__doc__}\n\n{where}",
        verdicts(
            (target, Spread.of_ratios(times[each], times[HTTPX]))
            for each, target in TARGETS.items()
        ),
        f"CPU time. Medians of {rounds} rounds in which all take turns; ratios are of the same "
        "round, with lowest and highest.",
        table(["import", "time", "/ httpx", "modules of webrtc_async"], rows),
        quick=quick,
    )


def _import(statement: str, environ: dict[str, str]) -> tuple[float, int]:
    """Return the CPU seconds of an import, and the number of our modules that it loads."""
    command = [default_python(), "-c", PROGRAM.format(statement)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    seconds, modules = done.stdout.split()
    return float(seconds), int(modules)
