"""The cost of a create as concurrent tasks, idle connections and pending calls grow."""

from contextlib import ExitStack
from statistics import median

from benchmarks import counting
from benchmarks.report import Measured, Spread, Target, column, conditions, publish, table, verdicts
from benchmarks.servers.canned import NEVER
from benchmarks.servers.process import serving
from benchmarks.workers import AIOHTTP, HTTPX, OURS, Contestant, Job, take_turns, working

TASKS = (1, 100, 1000)
IDLE = (1, 1000)
CONNECTIONS = 100
PENDING = 500
FLAT = 1.1
MEMORY = 0.6


def main(*, quick: bool = False) -> None:
    """Measure growth, and publish it as load.md."""
    where = conditions()
    with ExitStack() as stack:
        server = stack.enter_context(serving("canned"))
        # This server responds only once all connections are open, so that none is used twice.
        gathering = {n: stack.enter_context(serving("canned", gather=n)).port for n in IDLE}
        counts = counting.instructions(
            {
                **{f"{n} tasks": (OURS, _tasks(server.port, n, quick=quick)) for n in TASKS},
                **{
                    f"{n} idle connections": (OURS, _idle(port, n)) for n, port in gathering.items()
                },
            }
        )
    rounds = 1 if quick else 3
    memory = _memory(rounds)
    publish(
        "load",
        f"# Cost under load\n\n{__doc__}\n\n{where}",
        verdicts(_measured(counts, memory)),
        f"""## Instructions, by concurrent tasks

In user space of the client's process, by cachegrind; at most {CONNECTIONS} connections.

{_growth(counts, TASKS, "tasks")}""",
        f"""## Instructions, by idle connections

One task.

{_growth(counts, IDLE, "idle connections")}""",
        f"""## Memory of pending calls

{PENDING} creates at once, none of them answered: Python's allocations for each, with its task and
its share of the connections. Medians of {rounds} rounds.

{_memory_table(memory)}""",
        quick=quick,
    )


def _tasks(port: int, tasks: int, *, quick: bool) -> Job:
    calls = max(tasks, 30 if quick else 100)
    job = {"job": "calls", "url": f"http://127.0.0.1:{port}", "connections": CONNECTIONS}
    return job | {"calls": calls, "tasks": tasks, "warm": tasks}


def _idle(port: int, idle: int) -> Job:
    job = {"job": "calls", "url": f"http://127.0.0.1:{port}", "connections": idle}
    return job | {"calls": 100, "warm": idle}


def _memory(rounds: int) -> dict[str, list[float]]:
    clients: tuple[Contestant, ...] = (OURS, HTTPX, AIOHTTP)
    with serving("canned", gather=NEVER) as server, working(clients) as workers:
        job = {"job": "pending", "url": f"http://127.0.0.1:{server.port}", "tasks": PENDING}
        job["connections"] = PENDING
        turns = {each.name: (workers[each.name], job) for each in clients}
        results = take_turns(turns, rounds)
    return {name: column(each, "bytes") for name, each in results.items()}


def _measured(counts: dict[str, float], memory: dict[str, list[float]]) -> list[Measured]:
    return [
        *(
            (
                Target(f"create, instructions, {kind}: {most:,}", f"{kind}: {least}", FLAT),
                Spread.of([counts[f"{most} {kind}"] / counts[f"{least} {kind}"]]),
            )
            for kind, (least, *_, most) in (("tasks", TASKS), ("idle connections", IDLE))
        ),
        (
            Target(f"create, memory, {PENDING} pending", HTTPX.name, MEMORY),
            Spread.of_ratios(memory[OURS.name], memory[HTTPX.name]),
        ),
    ]


def _growth(counts: dict[str, float], numbers: tuple[int, ...], kind: str) -> str:
    mine = [counts[f"{n} {kind}"] for n in numbers]
    rows = [
        [f"{n:,}", f"{count / 1000:,.0f} k", f"{count / mine[0]:.2f}"]
        for n, count in zip(numbers, mine, strict=True)
    ]
    return table([kind, "a call", f"/ {kind}: 1"], rows)


def _memory_table(memory: dict[str, list[float]]) -> str:
    rows = [
        [name, f"{median(mine) / 1000:.1f} kB", str(Spread.of_ratios(mine, memory[HTTPX.name]))]
        for name, mine in memory.items()
    ]
    return table(["client", "a call", "/ httpx"], rows)
