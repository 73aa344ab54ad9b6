"""Instructions of a call, by cachegrind: the same on a busy machine."""

import os
from concurrent.futures import ThreadPoolExecutor

from benchmarks import counting
from benchmarks.report import Section, table
from benchmarks.servers.process import serving
from benchmarks.target import Spread, Target
from benchmarks.workers import AIOHTTP, FAST, FLOOR, HTTPX, OURS

BOUNDS = (
    (OURS, "a create, instructions", {HTTPX: 0.14, AIOHTTP: 0.70}),
    (FAST, "a create with `[fast]`, instructions", {HTTPX: 0.10, AIOHTTP: 0.50}),
)


def measure(*, quick: bool = False) -> Section:
    calls = 40 if quick else 200
    clients = (OURS, FAST, HTTPX, AIOHTTP, FLOOR)
    # Side by side, since nothing else on the machine changes the count.
    with serving("canned") as port, ThreadPoolExecutor(os.cpu_count()) as pool:
        url = f"http://127.0.0.1:{port}"
        counts = pool.map(lambda each: counting.instructions(each, url, calls=calls), clients)
        counted = {each.name: n for each, n in zip(clients, counts, strict=True)}
    measured = [
        (Target(work, other.name, bound), Spread.of([counted[own.name] / counted[other.name]]))
        for own, work, bounds in BOUNDS
        for other, bound in bounds.items()
    ]
    rows = [
        [name, f"{count / 1000:,.0f} k"]
        + [f"{count / counted[other.name]:.3f}" for other in (HTTPX, AIOHTTP)]
        for name, count in counted.items()
    ]
    return Section(
        f"""## Instructions

Of creates one after the other, in user space of the client's process, by cachegrind; two runs
subtracted. A bare socket sends ready bytes and reads the one answer there is: no client can cost
less.

{table(["client", "a call", "/ httpx", "/ aiohttp"], rows)}""",
        tuple(measured),
    )
