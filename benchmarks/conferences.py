"""Conferences of four, set up and torn down, at most 32 requests at a time.

All take turns against the emulator in another process on another core; LiveKit's client against
canned responses. Its participants are tokens made without a request and deleted with their room:
2 requests a conference, where Bandwidth's API takes 14.
"""

import json
import subprocess
from statistics import median

from benchmarks.report import Spread, column, conditions, publish, table
from benchmarks.servers.process import serving
from benchmarks.workers import (
    BANDWIDTH,
    ENVIRONMENT,
    HTTPX,
    LIVEKIT,
    MANY_PLANS,
    OURS,
    Results,
    take_turns,
    working,
)

CLIENTS = (OURS, HTTPX, BANDWIDTH, LIVEKIT)
CONNECTIONS = 32
PLANS = (100, 1_000, 10_000)


def main(*, quick: bool = False) -> None:
    """Measure conferences, and publish them as conferences.md."""
    where = conditions()
    count, rounds = (10, 1) if quick else (100, 5)
    publish(
        "conferences",
        f"# Conferences\n\n{__doc__}\n{where}",
        f"""## Beside other clients

{count} conferences. Medians of {rounds} rounds; ratios are of the same round, with lowest and
highest.

{_rates(_take_turns(count, rounds))}""",
        f"""## By number of plans

Plans of one, set up over a transport that keeps nothing, so that only the client can grow. Memory
is the growth of the process's peak. A journal keeps the keys of finished plans in memory.

{_growth(PLANS[:1] if quick else PLANS)}""",
        quick=quick,
    )


def _take_turns(count: int, rounds: int) -> Results:
    with serving("emulator") as emulator, serving("canned") as canned, working(CLIENTS) as workers:
        job = {"job": "conferences", "connections": CONNECTIONS, "count": count}
        ports = {each.name: emulator.port for each in CLIENTS} | {LIVEKIT.name: canned.port}
        turns = {
            name: (workers[name], job | {"url": f"http://127.0.0.1:{port}"})
            for name, port in ports.items()
        }
        return take_turns(turns, rounds)


def _rates(results: Results) -> str:
    ours = column(results[OURS.name], "wall")
    rows = [
        [
            name,
            f"{1 / median(column(each, 'wall')):.0f}",
            str(Spread.of_ratios(column(each, "wall"), ours)),
            f"{median(column(each, 'cpu')) * 1e3:.1f} ms",
        ]
        for name, each in results.items()
    ]
    return table(["client", "conferences a second", f"time / {OURS.name}", "CPU each"], rows)


def _growth(numbers: tuple[int, ...]) -> str:
    """Run each number of plans in a process of its own, because a peak never falls."""
    rows = []
    for count in numbers:
        cells = [f"{count:,}"]
        for has_journal in (False, True):
            job = {"job": "plans", "count": count, "has_journal": has_journal}
            command = MANY_PLANS.command(job)
            done = subprocess.run(command, capture_output=True, check=True, env=ENVIRONMENT)
            result = json.loads(done.stdout)
            cells += [f"{result['cpu'] * 1e6:.0f} µs", f"{result['bytes'] / 2**20:.1f} MiB"]
        rows.append(cells)
    return table(["plans", "CPU each", "memory", "CPU with a journal", "memory"], rows)
