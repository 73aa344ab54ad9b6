"""Instructions of a call, by cachegrind: the same on a busy machine."""

import os
from concurrent.futures import ThreadPoolExecutor

from benchmarks import counting
from benchmarks.report import Measured, Section, table
from benchmarks.servers.process import serving
from benchmarks.target import Spread, Target
from benchmarks.workers import AIOHTTP, FAST, FLOOR, HTTPX, OWN, own

TASKS = (1, 10)
WORK = "a create, instructions"
BOUNDS = {
    OWN: {"httpx": 0.14, "aiohttp": 0.70},
    FAST: {"httpx": 0.10, "aiohttp": 0.50},
}


def measure(*, quick: bool = False) -> Section:
    calls = 40 if quick else 200
    tasks_of_a_run = TASKS[:1] if quick else TASKS
    clients = (*own(), HTTPX, AIOHTTP, FLOOR)
    runs = [(each, tasks) for each in clients for tasks in tasks_of_a_run]
    # Side by side, since nothing else on the machine changes the count.
    with serving("canned") as port, ThreadPoolExecutor(os.cpu_count()) as pool:
        url = f"http://127.0.0.1:{port}"
        counts = pool.map(
            lambda run: counting.instructions(run[0], url, tasks=run[1], calls=calls), runs
        )
        counted = {(each.name, tasks): n for (each, tasks), n in zip(runs, counts, strict=True)}
    return Section(_text(counted), tuple(_measured(counted)))


def _measured(counted: dict[tuple[str, int], float]) -> list[Measured]:
    rows = []
    for each in own():
        for other, bound in BOUNDS[each.name].items():
            install = "[fast]" if each.name == FAST else "default"
            compared = counted[each.name, 1] / counted[other, 1]
            rows.append((Target(WORK, other, bound, install), Spread.of([compared])))
    return rows


def _text(counted: dict[tuple[str, int], float]) -> str:
    rows = [
        [name, str(tasks), f"{count / 1000:,.0f} k"]
        + [f"{count / counted[other, tasks]:.3f}" for other in ("httpx", "aiohttp")]
        for (name, tasks), count in counted.items()
    ]
    return f"""## Instructions

User space of the client's process, by cachegrind; two runs subtracted. A bare socket sends ready
bytes and reads the one answer there is: no client can cost less.

{table(["client", "tasks", "a call", "/ httpx", "/ aiohttp"], rows)}"""
