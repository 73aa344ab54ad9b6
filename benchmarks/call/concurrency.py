"""CPU time of a call, as tasks grow."""

from statistics import median

from benchmarks.call.picture import draw
from benchmarks.environments import names_of_fast
from benchmarks.report import Measured, Section, table
from benchmarks.servers.process import serving
from benchmarks.target import Spread, Target
from benchmarks.workers import (
    AIOHTTP,
    FAST,
    FLOOR,
    HTTPX,
    OURS,
    OWN,
    Results,
    Worker,
    take_turns,
    working,
)

TASKS = (1, 10, 100, 1000)
CONNECTIONS = 100
SETTLING = 10
"""Calls that let httpx's pool bind_to_loop, which else costs ten times as much under many tasks."""

AGAINST_AIOHTTP = ((OURS, "a create", 0.80), (FAST, "a create with `[fast]`", 0.60))
GROWTH = 1.2


def measure(*, quick: bool = False) -> Section:
    rounds = 2 if quick else 11
    with serving("canned") as port, working([OURS, FAST, HTTPX, AIOHTTP, FLOOR]) as workers:
        place = {"job": "create", "url": f"http://127.0.0.1:{port}", "connections": CONNECTIONS}
        results = {
            tasks: take_turns(
                {
                    name: (worker, place | _load(name, tasks, quick=quick))
                    for name, worker in workers.items()
                },
                rounds,
            )
            for tasks in TASKS
        }
        loaded = _loaded(workers)
    if not quick:
        draw(
            {
                name: {tasks: median(_cpu(results[tasks], name)) * 1e6 for tasks in TASKS}
                for name in workers
            }
        )
    return Section(f"{_text(results, rounds)}\n\n{loaded}", tuple(_measured(results)))


def _load(name: str, tasks: int, *, quick: bool) -> dict[str, int]:
    calls = max(tasks, 100 if quick else 300 if name == HTTPX.name else 3000)
    warm = SETTLING if name == HTTPX.name else tasks
    return {"tasks": tasks, "calls": calls, "warm": min(tasks, warm)}


def _cpu(results: Results, name: str) -> list[float]:
    return [each["cpu"] for each in results[name]]


def _measured(results: dict[int, Results]) -> list[Measured]:
    rows = [
        (
            Target(f"{work}, CPU time, {tasks:,} tasks", AIOHTTP.name, bound),
            Spread.of_ratios(_cpu(results[tasks], own.name), _cpu(results[tasks], AIOHTTP.name)),
        )
        for own, work, bound in AGAINST_AIOHTTP
        for tasks in (10, 100, 1000)
    ]
    many, few = (_cpu(results[tasks], OWN) for tasks in (1000, 10))
    target = Target("a create, CPU time, 1,000 tasks", "10 tasks", GROWTH)
    rows.append((target, Spread.of_ratios(many, few)))
    return rows


def _loaded(workers: dict[str, Worker]) -> str:
    """Say what each install had loaded of what `[fast]` adds: whether it was used at all."""
    found = {
        own.name: workers[own.name].do({"job": "loaded", "names": names_of_fast()})["loaded"]
        for own in (OURS, FAST)
    }
    said = "; ".join(f"{name} {', '.join(each) or 'nothing'}" for name, each in found.items())
    return f"What each had loaded by then of what `[fast]` adds: {said}."


def _text(results: dict[int, Results], rounds: int) -> str:
    rows = []
    for tasks, result in results.items():
        for name in result:
            mine = _cpu(result, name)
            compared = (
                str(Spread.of_ratios(mine, _cpu(result, other.name))) for other in (HTTPX, AIOHTTP)
            )
            rows.append([f"{tasks:,}", name, f"{median(mine) * 1e6:.0f} µs", *compared])
    return f"""## CPU time, as tasks grow

At most {CONNECTIONS} connections. Medians of {rounds} rounds, in which all took turns; ratios of
each round, with their spread. As many calls as there are tasks go before and open connections; of
httpx {SETTLING} at most, since then its pool settles: else its call costs up to ten times as much.

![CPU time of a call against the number of tasks](call.svg)

{table(["tasks", "client", "a call", "/ httpx", "/ aiohttp"], rows)}"""
