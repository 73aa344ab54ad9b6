"""How long a create takes over a network of 20 ms there and back.

A process between client and server keeps all bytes back for 10 ms each way. The floor is a bare
socket that sends ready bytes over the same way. Callers pause at random between their calls.
"""

from statistics import median

from benchmarks.report import conditions, keep, table, verdicts
from benchmarks.servers.process import serving
from benchmarks.target import Spread, Target
from benchmarks.workers import AIOHTTP, FLOOR, HTTPX, OURS, OWN, take_turns, working

DELAY = 0.010
CONNECTIONS = 8
TASKS = (1, 4, 8)
PAUSE = 0.010
BOUND = 1.01


def main(*, quick: bool = False) -> None:
    rounds, calls = (2, 5) if quick else (7, 25)
    where = conditions()
    with (
        serving("canned") as server,
        serving("delaying_proxy", delay=DELAY, to=server) as proxy,
        working([OURS, HTTPX, AIOHTTP, FLOOR]) as workers,
    ):
        place = {"job": "latency", "url": f"http://127.0.0.1:{proxy}", "connections": CONNECTIONS}
        results = {
            tasks: take_turns(
                {
                    name: (worker, place | {"tasks": tasks, "calls": calls, "pause": PAUSE})
                    for name, worker in workers.items()
                },
                rounds,
            )
            for tasks in TASKS
        }
    taken, busy = (
        {
            (tasks, name): [each[what] for each in result]
            for tasks in TASKS
            for name, result in results[tasks].items()
        }
        for what in ("median", "cpu")
    )
    measured = [
        (
            Target(
                f"latency of a create, 20 ms away, {tasks} at once", FLOOR.name, BOUND,
                why=_why(busy[tasks, OWN], busy[tasks, FLOOR.name], taken[tasks, FLOOR.name]),
            ),
            Spread.of_ratios(taken[tasks, OWN], taken[tasks, FLOOR.name]),
        )
        for tasks in TASKS
    ]  # fmt: skip
    rows = [
        [str(tasks), name, f"{median(mine) * 1000:.2f} ms"]
        + [str(Spread.of_ratios(mine, taken[tasks, other.name])) for other in (FLOOR, HTTPX)]
        + [f"{median(busy[tasks, name]) * 1e6:.0f} µs"]
        for (tasks, name), mine in taken.items()
    ]
    keep(
        "network",
        f"""# Over a network

{__doc__}
{where}

{verdicts(measured)}

At most {CONNECTIONS} connections. Medians of {calls} calls of each task, and of {rounds} rounds in
which all took turns. CPU time is the client's, pauses included; what a bare socket takes above the
delay is the system's, the server's and the proxy's.

{table(["at once", "client", "a call", "/ a bare socket", "/ httpx", "CPU time"], rows)}""",
        quick=quick,
    )


def _why(mine: list[float], floors: list[float], whole: list[float]) -> str:
    """Say how much of the latency is CPU time that this package takes and the floor does not."""
    more = median((a - b) / c for a, b, c in zip(mine, floors, whole, strict=True))
    return f"its CPU time is {more:.1%} of the floor more"


if __name__ == "__main__":
    main()
