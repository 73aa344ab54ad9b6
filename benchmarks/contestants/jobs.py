"""What is measured, of any asynchronous contestant: each a new loop and a new client."""

import asyncio
import cProfile
import gc
import pstats
import random
import time
import tracemalloc
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.contestants.service import Place, Service

ROOT = Path(__file__).parents[2]

Connected = Callable[[Place], AbstractAsyncContextManager[Service]]
Result = dict[str, Any]


async def create(
    connected: Connected, place: Place, *, calls: int, tasks: int, warm: int = 0
) -> Result:
    """Measure creates by so many tasks, after so many others at once that open connections."""
    async with connected(place) as service:
        if warm:
            await _create(service, calls=warm, tasks=warm)
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        await _create(service, calls=calls, tasks=tasks)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        return {"cpu": cpu / calls, "wall": wall / calls}


async def profile(connected: Connected, place: Place, *, calls: int) -> Result:
    """Find in which functions the time of creates goes, one after the other."""
    async with connected(place) as service:
        await _create(service, calls=100, tasks=1)
        profiler = cProfile.Profile(time.process_time)  # waiting for the server costs nothing
        profiler.enable()
        await _create(service, calls=calls, tasks=1)
        profiler.disable()
    found = pstats.Stats(profiler)
    functions = [
        {
            "where": _where(*function),
            "calls": times / calls,
            "own": own / calls,
            "whole": whole / calls,
        }
        for function, (_, times, own, whole, _) in found.stats.items()
    ]
    return {
        "functions": functions,
        "function calls": found.total_calls / calls,
        "total": found.total_tt / calls,
    }


async def set_up(connected: Connected, place: Place, *, participants: int) -> Result:
    """Measure setting a session up and tearing it down, one task for each participant."""
    async with connected(place) as service:
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        session = await service.create_session()

        async def one() -> None:
            participant = await service.create_participant()
            await service.add(session, participant)
            await service.delete_participant(participant)

        async with asyncio.TaskGroup() as group:
            for _ in range(participants):
                group.create_task(one())
        await service.delete_session(session)
        return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


async def pending(connected: Connected, place: Place, *, tasks: int) -> Result:
    """Measure the memory that creates take while all wait for their answer."""
    async with connected(place) as service:
        gc.collect()
        tracemalloc.start()
        waiting = [asyncio.create_task(service.create_participant()) for _ in range(tasks)]
        await _quiet()
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return {"bytes": taken / tasks}


async def latency(
    connected: Connected, place: Place, *, tasks: int, calls: int, pause: float
) -> Result:
    """Measure how long a create takes, between whose calls each task pauses, at random."""
    taken: list[float] = []
    chance = random.Random(42)

    async with connected(place) as service:
        await _create(service, calls=tasks, tasks=tasks)

        async def caller() -> None:
            for _ in range(calls):
                await asyncio.sleep(chance.uniform(0, pause))
                began = time.perf_counter()
                await service.create_participant()
                taken.append(time.perf_counter() - began)

        gc.collect()
        cpu = time.process_time()
        async with asyncio.TaskGroup() as group:
            for _ in range(tasks):
                group.create_task(caller())
        cpu = time.process_time() - cpu
    return {"median": median(taken), "worst": max(taken), "cpu": cpu / len(taken)}


JOBS = {
    "create": create,
    "profile": profile,
    "set_up": set_up,
    "pending": pending,
    "latency": latency,
}


def _where(file: str, line: int, name: str) -> str:
    """Return a function's place without that of the environment."""
    if not line:
        return name.strip("<>")
    module = file.removeprefix(f"{ROOT}/").rpartition("site-packages/")[2].rpartition("/lib/")[2]
    return f"{module}:{line} {name}"


async def _create(service: Service, *, calls: int, tasks: int) -> None:
    """Make so many calls by so many tasks."""

    async def repeat(times: int) -> None:
        for _ in range(times):
            await service.create_participant()

    share, rest = divmod(calls, tasks)
    async with asyncio.TaskGroup() as group:
        for number in range(tasks):
            group.create_task(repeat(share + (number < rest)))


async def _quiet() -> None:
    """Wait until this process has nothing to do: it waits for its server."""
    while True:
        cpu = time.process_time()
        await asyncio.sleep(0.2)
        if time.process_time() - cpu < 0.01:
            return
