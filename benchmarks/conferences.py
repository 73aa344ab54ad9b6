"""Conferences per second, and what many of them cost.

    python -m benchmarks.conferences

Conferences of four are set up and torn down, at most 32 requests at a time. Each run is a process
of its own, pinned to a core, against a server in another process on another core: the emulator, or
canned answers for LiveKit's client. All take turns. The vendor's SDK is installed into an
environment of its own, because of what it brings along.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import httpx

from benchmarks.conference_ways import (
    ACCOUNT,
    PARTICIPANTS,
    PASSWORD,
    USER,
    WAYS,
    begin_peak_anew,
    peak_kib,
)
from benchmarks.environments import default_python, httpx_python, vendors_python
from benchmarks.report import HERE, conditions, keep, table
from benchmarks.target import Spread
from benchmarks.workers import ENVIRONMENT
from webrtc_async import AsyncWebRtcClient, ConferencePlan

ROUNDS = {10: 5, 100: 5, 1000: 3}
"""Rounds by conferences."""

PLANS = (100, 1_000, 10_000, 100_000)
REQUESTS = {"livekit-api": 2}
"""Requests for a conference, where they are not Bandwidth's fourteen."""

Runs = dict[str, list[dict[str, float]]]


@contextmanager
def served(*command: str) -> Iterator[str]:
    """Run a server, and give the URL that it prints first."""
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True, env=env
    ) as process:
        assert process.stdout is not None
        os.sched_setaffinity(process.pid, sorted(os.sched_getaffinity(0))[-1:])
        try:
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found is not None
            yield found[0]
        finally:
            process.terminate()


def run(python: str, way: str, url: str, count: int) -> dict[str, float]:
    """Have a process set up and tear down so many conferences."""
    command = [python, str(HERE / "conference_ways.py"), way, url, str(count)]
    shown = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, env=ENVIRONMENT
    ).stdout
    found: dict[str, float] = json.loads(shown)
    return found


def rates(count: int, rounds: int, pythons: dict[str, str], urls: dict[str, str]) -> str:
    """Compare all ways at a number of conferences."""
    runs: Runs = {way: [] for way in WAYS}
    for number in range(rounds):
        # Turned round each time, so that nobody always comes after the same one.
        for way in list(WAYS)[:: 1 if number % 2 else -1]:
            runs[way].append(run(pythons[way], way, urls[way], count))
    return table(
        [f"{count:,} conferences", "a second", "ours / theirs", "CPU each", "requests", "peak"],
        [row(way, count, runs) for way in WAYS],
    )


def row(way: str, count: int, runs: Runs) -> list[str]:
    seconds, ours = ([each["seconds"] for each in runs[name]] for name in (way, "webrtc_async"))
    return [
        way,
        f"{count / median(seconds):.0f}",
        # Of rates, which are the times upside down.
        "" if way == "webrtc_async" else str(Spread.of_ratios(seconds, ours)),
        f"{median(each['cpu'] for each in runs[way]) / count * 1e3:.1f} ms",
        str(REQUESTS.get(way, 2 + 3 * len(PARTICIPANTS))),
        f"{median(each['peak_kib'] for each in runs[way]) / 1024:.0f} MiB",
    ]


def compare(rounds: dict[int, int]) -> str:
    with ExitStack() as stack:
        pythons = {
            "webrtc_async": default_python(),
            "httpx": httpx_python(),
            "bandwidth-sdk": vendors_python(),
            "livekit-api": sys.executable,
        }
        emulator = stack.enter_context(served("webrtc_async.cli", "emulator", "--port", "0"))
        urls = dict.fromkeys(WAYS, emulator)
        urls["livekit-api"] = stack.enter_context(served("benchmarks.twirp_server"))
        return "\n\n".join(rates(*each, pythons, urls) for each in rounds.items())


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
    """Set plans of one up, and print what the process's memory grew by, and the time for each."""
    plans = (ConferencePlan(["a"], key=f"plan-{number}") for number in range(count))
    warm = (ConferencePlan(PARTICIPANTS) for _ in range(200))
    async with AsyncWebRtcClient(ACCOUNT, auth=(USER, PASSWORD), transport=Forgetful()) as client:
        async for _ in client.set_up(warm):
            pass
        begin_peak_anew()
        before = peak_kib()
        started = time.process_time()
        async for result in client.set_up(plans, journal=journal):
            assert result.error is None
        spent = time.process_time() - started
        print(json.dumps({"MiB": (peak_kib() - before) / 1024, "us": spent / count * 1e6}))


def growth(plans: tuple[int, ...]) -> str:
    """Run each number of plans in a process of its own, because a process's peak never falls."""
    rows = []
    for count in plans:
        columns = [f"{count:,}"]
        for name in ("", "journal.jsonl"):
            with tempfile.TemporaryDirectory() as folder:
                kept = [f"{folder}/{name}"] if name else []
                shown = subprocess.run(
                    [sys.executable, "-m", "benchmarks.conferences", "grow", str(count), *kept],
                    stdout=subprocess.PIPE,
                    text=True,
                    check=True,
                ).stdout
            found = json.loads(shown)
            columns += [f"{found['us']:.0f} us", f"{found['MiB']:.1f} MiB"]
        rows.append(columns)
    return table(["plans", "CPU each", "memory", "with a journal", "memory"], rows)


def main(*, quick: bool = False) -> None:
    rounds = {10: 1} if quick else ROUNDS
    where = conditions()
    keep(
        "conferences",
        f"""# Conferences

{(__doc__ or "").partition("conferences")[2].strip()}

{where}

## Against other ways

Medians of {", ".join(map(str, rounds.values()))} rounds; ratios of the rates of each round, with
their spread. Peak is the process's, interpreter and imports included.

{compare(rounds)}

LiveKit's participants are tokens that are made without a request, and go with their room: a
conference takes two requests there, and fourteen here.

## As plans grow

Plans of one, set up over a transport that keeps nothing: what grows is the client. Memory is what
the peak grew by. A journal keeps the keys of finished plans at hand.

{growth(PLANS[:1] if quick else PLANS)}""",
        quick=quick,
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["grow"]:
        asyncio.run(grow(int(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None))
    else:
        main()
