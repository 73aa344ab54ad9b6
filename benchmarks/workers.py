"""The contestants, their processes, and rounds in which they take turns."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from attrs import define, field, frozen

from benchmarks.environments import ROOT, default_python, httpx_python, vendor_python
from benchmarks.servers.process import CLIENT_CPU
from webrtc_async import AsyncWebRtcClient

Job = Mapping[str, object]
"""The name of a function of benchmarks.contestants.jobs as "job", and its arguments."""

Results = dict[str, list[dict[str, float]]]


@frozen
class Contestant:
    """A client that is measured.

    Attributes:
        name: Its name in the tables.
        module: Its module in benchmarks.contestants.
        python: Returns its interpreter; this process's by default.
    """

    name: str
    module: str
    python: Callable[[], str] = lambda: sys.executable

    def command(self, *jobs: Job, cpu: int | None = None) -> list[str]:
        """Return the command of a process that does these jobs, or reads jobs without any."""
        options = [] if cpu is None else [f"--cpu={cpu}"]
        worker = [self.python(), "-m", "benchmarks.contestants.worker", *options, self.module]
        return [*worker, *(json.dumps(job) for job in jobs)]


OURS = Contestant("webrtc_async", "webrtc_async_client", default_python)
HOOKED = Contestant("webrtc_async, hooked", "hooked_client", default_python)
HTTPX = Contestant("httpx", "plain_httpx", httpx_python)
AIOHTTP = Contestant("aiohttp", "bare_aiohttp")
FLOOR = Contestant("a bare socket", "bare_socket", default_python)
BANDWIDTH = Contestant("bandwidth-sdk", "bandwidth_sdk", vendor_python)
LIVEKIT = Contestant("livekit-api", "livekit_sdk")
MANY_PLANS = Contestant("many plans", "many_plans", default_python)

CALLING = (
    OURS,
    *([HOOKED] if hasattr(AsyncWebRtcClient, "http_client") else []),
    HTTPX,
    AIOHTTP,
    FLOOR,
)
"""The clients that make single calls."""

ENVIRONMENT = {
    **os.environ,
    "PYTHONHASHSEED": "0",
    "PYTHONPATH": str(ROOT),
    "NO_PROXY": "127.0.0.1",
}


@define
class Worker:
    """A contestant's process."""

    contestant: Contestant
    _process: subprocess.Popen[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._process = subprocess.Popen(
            self.contestant.command(cpu=CLIENT_CPU),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )

    def do(self, job: Job) -> dict[str, Any]:
        """Do a job and return its result.

        Raises:
            RuntimeError: The process ended; its traceback is on stderr.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(job), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.contestant.name} failed at {job}")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.communicate()


@contextmanager
def working(contestants: Iterable[Contestant]) -> Iterator[dict[str, Worker]]:
    """Run a process for each contestant until the block ends, by name."""
    with ExitStack() as stack:
        workers = {}
        for each in contestants:
            worker = workers[each.name] = Worker(each)
            stack.callback(worker.close)
        yield workers


def take_turns(turns: Mapping[str, tuple[Worker, Job]], rounds: int) -> Results:
    """Do all jobs in every round, and return their results by turn.

    The order is reversed in every second round, so that no job always follows the same one.
    """
    results: Results = {name: [] for name in turns}
    for number in range(rounds):
        for name in list(turns)[:: -1 if number % 2 else 1]:
            worker, job = turns[name]
            results[name].append(worker.do(job))
    return results
