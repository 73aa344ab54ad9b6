"""What importing costs, each time in a new interpreter with everything compiled before."""

import os
import subprocess
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.environments import ROOT, default_python
from benchmarks.report import conditions, keep, table, verdicts
from benchmarks.target import Spread, Target

ROUNDS = 9
PROGRAM = """
import sys, time
began = time.process_time()
{}
took = time.process_time() - began
print(took, sum(name.partition(".")[0] == "webrtc_async" for name in sys.modules))
"""
ALONE = "import httpx"
PACKAGE = "import webrtc_async"
CLIENT = "from webrtc_async import AsyncWebRtcClient"
IMPORTS = (
    ALONE,
    "import httpx, attrs, anyio, cattrs",
    "import httpx, attrs, anyio, cattrs, asyncio",
    PACKAGE,
    CLIENT,
    f"{CLIENT}, ConferencePlan, OAuth2ClientCredentials, read_plan",
)
MOST_TIMES, MOST_MORE, MOST_MODULES = 1.25, 0.080, 60
BOUNDS = {
    PACKAGE: Target("`import webrtc_async`, CPU time", "`import httpx`", MOST_TIMES),
    CLIENT: Target(
        "`from webrtc_async import AsyncWebRtcClient`, CPU time",
        "`import httpx`",
        MOST_TIMES,
        why="httpx, attrs, anyio, cattrs and asyncio alone are over it",
    ),
}


def measured(statement: str, environ: dict[str, str]) -> tuple[float, int]:
    """Return the CPU seconds of an import, and how many modules of ours it loads."""
    command = [default_python(), "-c", PROGRAM.format(statement)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    seconds, modules = done.stdout.split()
    return float(seconds), int(modules)


def verdict(times: list[float], alone: list[float], modules: int) -> str:
    """Return which of the budgets an import keeps."""
    pairs = list(zip(times, alone, strict=True))
    factor = median(mine / other for mine, other in pairs)
    more = median(mine - other for mine, other in pairs)
    budgets = {
        f"{MOST_TIMES} times": factor <= MOST_TIMES,
        f"{MOST_MORE * 1000:.0f} ms more": more <= MOST_MORE,
        f"{MOST_MODULES} modules": modules <= MOST_MODULES,
    }
    return ", ".join(
        f"{name}: {'kept' if is_kept else 'missed'}" for name, is_kept in budgets.items()
    )


def main(*, quick: bool = False) -> None:
    rounds = 2 if quick else ROUNDS
    where = conditions()
    times: dict[str, list[float]] = {each: [] for each in IMPORTS}
    modules = dict.fromkeys(IMPORTS, 0)
    with TemporaryDirectory() as cache:
        # An installer compiles what it installs; a checkout may never have been.
        environ = {**os.environ, "PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
        environ["PYTHONPATH"] = str(ROOT)
        for each in IMPORTS:
            measured(each, environ)
        for _ in range(rounds):
            for each in IMPORTS:
                seconds, modules[each] = measured(each, environ)
                times[each].append(seconds)
    rows = [
        [
            f"`{each}`",
            f"{median(took) * 1000:.0f} ms",
            str(Spread.of_ratios(took, times[ALONE])),
            f"{modules[each]}" if modules[each] else "",
            verdict(took, times[ALONE], modules[each]) if modules[each] else "",
        ]
        for each, took in times.items()
    ]
    keep(
        "imports",
        f"""# Importing

{__doc__}
{where}

{verdicts((target, Spread.of_ratios(times[each], times[ALONE])) for each, target in BOUNDS.items())}

CPU time. Medians of {rounds} rounds, interleaved; ratios of each round, with their spread.
The budgets: at most {MOST_TIMES} times httpx, at most {MOST_MORE * 1000:.0f} ms more, and at most
{MOST_MODULES} own modules.

{table(["import", "time", "/ httpx", "own modules", "budgets"], rows)}

`import webrtc_async` loads names, and each name loads its module when it is first asked for. The
client's class needs httpx, attrs, anyio and cattrs, and asyncio is loaded by whoever runs it there:
the third row is its floor, and is over {MOST_TIMES} by itself. What neither making a client nor a
call needs comes later: tenacity with the first repetition, the rooms of conferences with the first
conference, OAuth2 with the first credentials of that kind.""",
        quick=quick,
    )


if __name__ == "__main__":
    main()
