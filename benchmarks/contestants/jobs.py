"""The jobs that a contestant's process does, each with a new event loop and a new client."""

import asyncio
import cProfile
import gc
import pstats
import re
import tempfile
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from benchmarks.contestants.service import (
    CallingClient,
    ConferenceClient,
    PlanClient,
    ServiceAddress,
)

ROOT = Path(__file__).parents[2]
WARM_UP = 10

Connect = Callable[[ServiceAddress], AbstractAsyncContextManager[Any]]
Result = dict[str, Any]


async def calls(
    connect: Connect,
    address: ServiceAddress,
    *,
    calls: int,
    operation: str = "create_participant",
    tasks: int = 1,
    warm: int = 0,
) -> Result:
    """Measure the seconds of CPU that a call takes, spread over tasks.

    Args:
        connect: Makes the client.
        address: The service's.
        calls: Calls to measure.
        operation: Name of the client's method.
        tasks: Concurrent callers.
        warm: Concurrent calls beforehand, which open connections.
    """
    async with connect(address) as client:
        call = getattr(client, operation)
        if warm:
            await _repeat(call, calls=warm, tasks=warm)
        gc.collect()
        started = time.process_time()
        await _repeat(call, calls=calls, tasks=tasks)
        return {"cpu": (time.process_time() - started) / calls}


async def profile(connect: Connect, address: ServiceAddress, *, calls: int) -> Result:
    """Measure the functions that a create passes, one create after the other."""
    client: CallingClient
    async with connect(address) as client:
        await _repeat(client.create_participant, calls=100, tasks=1)
        profiler = cProfile.Profile(time.process_time)  # no time while the server works
        profiler.enable()
        await _repeat(client.create_participant, calls=calls, tasks=1)
        profiler.disable()
    stats = pstats.Stats(profiler)
    functions = [
        {"name": _name(*key), "calls": n / calls, "own": own / calls, "total": total / calls}
        for key, (_, n, own, total, _) in stats.stats.items()
    ]
    return {
        "functions": functions,
        "calls": stats.total_calls / calls,
        "seconds": stats.total_tt / calls,
    }


async def pending(connect: Connect, address: ServiceAddress, *, tasks: int) -> Result:
    """Measure the memory of a create while all creates wait for their response."""
    client: CallingClient
    async with connect(address) as client:
        gc.collect()
        tracemalloc.start()
        waiting = [asyncio.create_task(client.create_participant()) for _ in range(tasks)]
        await _wait_until_idle()
        gc.collect()
        allocated, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return {"bytes": allocated / tasks}


async def conferences(connect: Connect, address: ServiceAddress, *, count: int) -> Result:
    """Measure setting conferences up and tearing them down, after a few as a warm-up."""
    client: ConferenceClient
    async with connect(address) as client:
        await client.run_conferences(WARM_UP)
        wall, cpu = time.perf_counter(), time.process_time()
        await client.run_conferences(count)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        return {"wall": wall / count, "cpu": cpu / count}


async def plans(
    connect: Connect, address: ServiceAddress, *, count: int, has_journal: bool
) -> Result:
    """Measure the CPU that a plan takes, and the growth of this process's peak memory."""
    client: PlanClient
    async with connect(address) as client:
        with tempfile.TemporaryDirectory() as folder:
            await client.set_up(200)
            _reset_peak_memory()
            before, started = _peak_memory(), time.process_time()
            await client.set_up(count, f"{folder}/journal.jsonl" if has_journal else None)
            cpu = time.process_time() - started
        return {"cpu": cpu / count, "bytes": _peak_memory() - before}


JOBS = {
    "calls": calls,
    "profile": profile,
    "pending": pending,
    "conferences": conferences,
    "plans": plans,
}


async def _repeat(call: Callable[[], Awaitable[object]], *, calls: int, tasks: int) -> None:
    """Make calls, spread evenly over tasks."""

    async def repeat(times: int) -> None:
        for _ in range(times):
            await call()

    share, rest = divmod(calls, tasks)
    async with asyncio.TaskGroup() as group:
        for number in range(tasks):
            group.create_task(repeat(share + (number < rest)))


def _name(file: str, line: int, name: str) -> str:
    """Return a function's name and module, without the path of the environment."""
    if not line:
        return name.strip("<>")
    module = file.removeprefix(f"{ROOT}/").rpartition("site-packages/")[2].rpartition("/lib/")[2]
    return f"{module}:{line} {name}"


def _peak_memory() -> int:
    [kilobytes] = re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text("ascii"))
    return int(kilobytes) * 1024


def _reset_peak_memory() -> None:
    Path("/proc/self/clear_refs").write_text("5", "ascii")


async def _wait_until_idle() -> None:
    """Wait until this process only waits for its server."""
    while True:
        cpu = time.process_time()
        await asyncio.sleep(0.2)
        if time.process_time() - cpu < 0.01:
            return
