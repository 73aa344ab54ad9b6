"""CPU time of a call beside connections that do nothing."""

from contextlib import ExitStack
from statistics import median

from benchmarks.report import Section, table
from benchmarks.servers.process import serving
from benchmarks.target import Spread, Target
from benchmarks.workers import AIOHTTP, HTTPX, OURS, OWN, take_turns, working

IDLE = (1, 100, 1000)
BOUND = 1.10
HTTPX_IDLE = 100
"""As many as httpx is measured with: with 1,000 its first calls alone take minutes."""


def measure(*, quick: bool = False) -> Section:
    rounds, calls = (2, 50) if quick else (7, 500)
    ours = OURS
    with ExitStack() as stack:
        # Its first answers come when all connections have asked, so there are as many as it says.
        ports = {n: stack.enter_context(serving("canned", gather=n)) for n in IDLE}
        workers = stack.enter_context(working([ours, HTTPX, AIOHTTP]))
        turns = {}
        for name, worker in workers.items():
            for n in IDLE:
                if name == HTTPX.name and n > HTTPX_IDLE:
                    continue
                job = {"job": "create", "url": f"http://127.0.0.1:{ports[n]}", "connections": n}
                number = calls // 10 if name == HTTPX.name else calls
                turns[f"{name} {n}"] = worker, job | {"warm": n, "calls": number, "tasks": 1}
        results = take_turns(turns, rounds)
    times = {turn: [each["cpu"] for each in result] for turn, result in results.items()}
    rows = []
    for turn, mine in times.items():
        name, _, number = turn.rpartition(" ")
        compared = Spread.of_ratios(mine, times[f"{name} 1"])
        rows.append([name, f"{int(number):,}", f"{median(mine) * 1e6:.0f} µs", str(compared)])
    measured = [
        (
            Target(f"a create, CPU time, {n:,} idle connections", "1 idle connection", BOUND),
            Spread.of_ratios(times[f"{OWN} {n}"], times[f"{OWN} 1"]),
        )
        for n in IDLE[1:]
    ]
    return Section(
        f"""## CPU time, beside idle connections

One task. Medians of {rounds} rounds, in which all took turns.

{table(["client", "idle connections", "a call", "/ 1 idle"], rows)}""",
        tuple(measured),
    )
