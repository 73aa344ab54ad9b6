"""Memory of calls that wait for their answers."""

from statistics import median

from benchmarks.report import Section, table
from benchmarks.servers.canned import NEVER
from benchmarks.servers.process import serving
from benchmarks.target import Spread, Target
from benchmarks.workers import AIOHTTP, HTTPX, OURS, OWN, take_turns, working

PENDING = 500
POOLS = (500, 100)
BOUND = 0.6


def measure(*, quick: bool = False) -> Section:
    rounds = 1 if quick else 3  # it is counted, not timed
    with serving("canned", gather=NEVER) as port, working([OURS, HTTPX, AIOHTTP]) as workers:
        place = {"job": "pending", "url": f"http://127.0.0.1:{port}", "tasks": PENDING}
        results = {
            pool: take_turns(
                {name: (worker, place | {"connections": pool}) for name, worker in workers.items()},
                rounds,
            )
            for pool in POOLS
        }
    taken = {
        (pool, name): [each["bytes"] for each in result]
        for pool in POOLS
        for name, result in results[pool].items()
    }
    rows = [
        [str(pool), name, f"{median(mine) / 1000:.1f} kB",
         str(Spread.of_ratios(mine, taken[pool, "httpx"]))]
        for (pool, name), mine in taken.items()
    ]  # fmt: skip
    measured = [
        (
            Target(f"memory of a create, {PENDING} pending on {pool} connections", "httpx", BOUND),
            Spread.of_ratios(taken[pool, OWN], taken[pool, "httpx"]),
        )
        for pool in POOLS
    ]
    return Section(
        f"""## Memory of pending calls

{PENDING} creates at once, none of which is answered: what Python allocates for each, tasks and
connections included. With fewer connections, the others wait for one. Medians of {rounds} rounds.

{table(["connections", "client", "a call", "/ httpx"], rows)}""",
        tuple(measured),
    )
