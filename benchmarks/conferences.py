"""Conferences per second and the memory that they take.

    python benchmarks/conferences.py rate --conferences 10 100 1000
    python benchmarks/conferences.py memory --plans 1000 10000 100000

`rate` sets up and tears down conferences of four against an emulator in a process of its own, by
`client.set_up` and by the loop that one writes by hand with httpx, in turns, and prints the median
of the ratios with their spread. `memory` sets plans up against a transport that keeps nothing, so
that what grows is the client, without a journal and with one.
"""

import argparse
import asyncio
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from webrtc_async import AsyncWebRtcClient, Conference, ConferencePlan

ACCOUNT, AUTH = "9900000", ("user", "password")
SEATS = ("a", "b", "c", "d")
AT_A_TIME = 32


def plans(count: int) -> Iterator[ConferencePlan]:
    """Make plans of four."""
    for number in range(count):
        yield ConferencePlan(SEATS, key=f"plan-{number}")


async def by_client(url: str, count: int) -> float:
    """Set up and tear down by this package; return the seconds."""
    began = time.perf_counter()
    async with AsyncWebRtcClient(
        ACCOUNT, auth=AUTH, base_url=url, max_connections=AT_A_TIME
    ) as client:
        up: list[Conference] = [
            result.get() async for result in client.set_up(plans(count), concurrency=AT_A_TIME)
        ]
        async for gone in client.tear_down(up, concurrency=AT_A_TIME):
            assert gone.error is None
    return time.perf_counter() - began


async def by_hand(url: str, count: int) -> float:
    """Set up and tear down by the loop that one writes with httpx; return the seconds."""
    began = time.perf_counter()
    base = f"{url}/accounts/{ACCOUNT}"
    limits = httpx.Limits(max_connections=AT_A_TIME, max_keepalive_connections=AT_A_TIME)
    turn = asyncio.Semaphore(AT_A_TIME)
    async with httpx.AsyncClient(auth=AUTH, limits=limits, timeout=60, trust_env=False) as http:

        async def ask(method: str, path: str, body: object = None) -> httpx.Response:
            answer = await http.request(method, f"{base}{path}", json=body)
            return answer.raise_for_status()

        async def one() -> None:
            async with turn:
                session = (await ask("POST", "/sessions")).json()["id"]
                ids = []
                for _ in SEATS:
                    created = (await ask("POST", "/participants")).json()
                    ids.append(created["participant"]["id"])
                    path = f"/sessions/{session}/participants/{ids[-1]}"
                    await ask("PUT", path, {"sessionId": session})
            async with turn:
                for each in ids:
                    await ask("DELETE", f"/participants/{each}")
                await ask("DELETE", f"/sessions/{session}")

        await asyncio.gather(*(one() for _ in range(count)))
    return time.perf_counter() - began


@asynccontextmanager
async def emulator() -> AsyncIterator[str]:
    """Serve an emulator in another process, and give its base URL."""
    command = [sys.executable, "-m", "webrtc_async.cli", "emulator", "--port", "0"]
    process = subprocess.Popen(  # noqa: ASYNC220  # before anything is measured
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    assert process.stdout is not None
    try:
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        yield found[0]
    finally:
        process.terminate()
        process.wait()


async def compare(counts: list[int], rounds: int) -> None:
    """Print the rate of both, in turns, and the ratio."""
    async with emulator() as url:
        await by_client(url, 10)
        await by_hand(url, 10)
        for count in counts:
            ratios, ours, theirs = [], [], []
            for _ in range(rounds):
                ours.append(count / await by_client(url, count))
                theirs.append(count / await by_hand(url, count))
                ratios.append(ours[-1] / theirs[-1])
            print(
                f"{count:5} conferences of {len(SEATS)}: client.set_up "
                f"{statistics.median(ours):6.1f}/s, by hand {statistics.median(theirs):6.1f}/s, "
                f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}, "
                f"{rounds} rounds)"
            )


class Forgetful(httpx.AsyncBaseTransport):
    """Answers as the service would, and keeps nothing."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        made = str(uuid.uuid4())
        if request.method != "POST":
            return httpx.Response(204)
        if request.url.path.endswith("/sessions"):
            return httpx.Response(200, json={"id": made})
        return httpx.Response(200, json={"participant": {"id": made}, "token": "t" * 200})


async def grow(count: int, journal: Path | None) -> None:
    """Set plans up and print what the process's memory grew by, and the time for each."""
    one_seat = (ConferencePlan(["a"], key=f"plan-{number}") for number in range(count))
    async with AsyncWebRtcClient(ACCOUNT, auth=AUTH, transport=Forgetful()) as client:
        async for _ in client.set_up(plans(200)):
            pass
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        done = 0
        async for result in client.set_up(one_seat, journal=journal):
            done += result.error is None
        spent = time.perf_counter() - began
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        print(json.dumps({"done": done, "KiB": grown, "us": round(spent / count * 1e6)}))


def measure_memory(counts: list[int]) -> None:
    """Run each count in a process of its own, because a process's peak never falls."""
    for count in counts:
        for kept in (False, True):
            with tempfile.TemporaryDirectory() as folder:
                extra = [f"{folder}/journal.jsonl"] if kept else []
                shown = subprocess.run(
                    [sys.executable, __file__, "grow", str(count), *extra],
                    stdout=subprocess.PIPE,
                    text=True,
                    check=True,
                ).stdout
            found = json.loads(shown)
            assert found["done"] == count
            print(
                f"{count:7} plans {'with' if kept else 'without'} a journal: the peak grew by "
                f"{found['KiB'] / 1024:.1f} MiB; {found['us']} us for each"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    what = parser.add_subparsers(dest="what", required=True)
    rate = what.add_parser("rate")
    rate.add_argument("--conferences", type=int, nargs="+", default=[10, 100, 1000])
    rate.add_argument("--rounds", type=int, default=5)
    memory = what.add_parser("memory")
    memory.add_argument("--plans", type=int, nargs="+", default=[1000, 10_000, 100_000])
    growing = what.add_parser("grow")
    growing.add_argument("count", type=int)
    growing.add_argument("journal", type=Path, nargs="?")
    chosen = parser.parse_args()
    if chosen.what == "rate":
        asyncio.run(compare(chosen.conferences, chosen.rounds))
    elif chosen.what == "memory":
        measure_memory(chosen.plans)
    else:
        asyncio.run(grow(chosen.count, chosen.journal))


if __name__ == "__main__":
    main()
