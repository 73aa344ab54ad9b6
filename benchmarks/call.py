"""One create of a participant against untyped calls through httpx and aiohttp.

Ours is typed both ways, strict, with retry, deadline, caps and redaction on.
"""

import asyncio
import os
import time
from statistics import median

from benchmarks.canned_server import serving
from benchmarks.clients import CLIENTS, work
from benchmarks.instructions import per_call
from benchmarks.report import keep, machine, ratio, table

ROUNDS = 7
TASKS = (1, 10, 100, 1000)
IDLE = (1, 100, 1000)
OTHERS = ("httpx", "aiohttp")
Times = dict[str, list[float]]


async def cpu(name: str, port: int, *, tasks: int, calls: int, idle: int = 0) -> float:
    """Return the CPU seconds of one call, connections made beforehand."""
    connections = max(idle, min(tasks, 100))
    async with CLIENTS[name](port, connections) as call:
        warm = max(idle, min(tasks, 10 if name == "httpx" else tasks))
        await work(call, calls=warm, tasks=warm)
        started = time.process_time()
        await work(call, calls=calls, tasks=tasks)
        return (time.process_time() - started) / calls


def rounds(port: int, **settings: int) -> Times:
    """Measure every client in turn, so often, each time in a new event loop."""
    times: Times = {name: [] for name in CLIENTS}
    for _ in range(ROUNDS):
        for name in CLIENTS:
            times[name].append(asyncio.run(cpu(name, port, **settings)))
    return times


def against_others(times: Times) -> list[str]:
    ours = times["webrtc_async"]
    return [f"{median(ours) * 1e6:.0f} us", *(ratio(ours, times[other]) for other in OTHERS)]


def instructions(port: int) -> str:
    counted = {
        name: {tasks: per_call(name, port, tasks=tasks, connections=100) for tasks in (1, 10)}
        for name in CLIENTS
    }
    rows = [
        [str(tasks), f"{counted['webrtc_async'][tasks] / 1000:.0f} k"]
        + [f"{counted['webrtc_async'][tasks] / counted[other][tasks]:.3f}" for other in OTHERS]
        for tasks in (1, 10)
    ]
    return table(["tasks", "a call", "/ httpx", "/ aiohttp"], rows)


def concurrency(port: int) -> str:
    rows = [
        [str(tasks), *against_others(rounds(port, tasks=tasks, calls=max(300, tasks)))]
        for tasks in TASKS
    ]
    return table(["tasks", "a call", "/ httpx", "/ aiohttp"], rows)


def idle(port: int) -> str:
    times: dict[int, list[float]] = {number: [] for number in IDLE}
    for _ in range(ROUNDS):
        for number in IDLE:
            seconds = asyncio.run(cpu("webrtc_async", port, tasks=1, calls=300, idle=number))
            times[number].append(seconds)
    rows = [
        [str(number), f"{median(times[number]) * 1e6:.0f} us", ratio(times[number], times[1])]
        for number in IDLE
    ]
    return table(["idle connections", "a call", "/ one idle"], rows)


def main() -> None:
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cpus[:1])
    with serving(cpus[-1]) as port:
        keep(
            "call",
            f"""# One call

{__doc__}
{machine()}

## Instructions of a call, by cachegrind

User space of the client's process; two runs subtracted; the same on a busy machine.

{instructions(port)}

## CPU time of a call, as tasks grow

At most 100 connections. Medians of {ROUNDS} rounds, interleaved; ratios of each round, with their
spread.
httpx is measured at its best: its pool settled by ten calls before.

{concurrency(port)}

## CPU time of a call beside idle connections

{idle(port)}""",
        )


if __name__ == "__main__":
    main()
