"""The contestants' processes, and rounds in which they take turns."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from attrs import define, field, frozen

from benchmarks.environments import (
    ROOT,
    default_python,
    fast_python,
    httpx_python,
    vendors_python,
)
from benchmarks.servers.process import CLIENTS_CPU

Job = Mapping[str, object]
Results = dict[str, list[dict[str, float]]]

OWN, OWN_FAST = "webrtc_async", "webrtc_async[fast]"


@frozen
class Contestant:
    """Who is measured.

    Attributes:
        module: The one of benchmarks.contestants that does the work.
        python: What returns its interpreter; this process's, unless it is told.
    """

    name: str
    module: str
    python: Callable[[], str] = lambda: sys.executable

    def command(self, *jobs: Job, cpu: int | None = None) -> list[str]:
        """Return the command of a process that does these jobs, or those that it is given."""
        options = [] if cpu is None else [f"--cpu={cpu}"]
        worker = [self.python(), "-m", "benchmarks.contestants.worker", *options, self.module]
        return [*worker, *(json.dumps(job) for job in jobs)]


OURS = Contestant(OWN, "own", default_python)
FAST = Contestant(OWN_FAST, "own", fast_python)
HTTPX = Contestant("httpx", "plain_httpx", httpx_python)
DEFAULT_HTTPX = Contestant("httpx, as it comes", "default_httpx", httpx_python)
AIOHTTP = Contestant("aiohttp", "bare_aiohttp")
LIVEKIT = Contestant("livekit-api", "livekit_sdk")
BANDWIDTH = Contestant("bandwidth-sdk", "bandwidth_sdk", vendors_python)
FLOOR = Contestant("a bare socket", "bare_socket", default_python)

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
            self.contestant.command(cpu=CLIENTS_CPU),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )

    def do(self, job: Job) -> dict[str, Any]:
        """Have a job done, and return what came of it.

        Raises:
            RuntimeError: The process ended; it has said why.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(job), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.contestant.name} did not do {job}")
        return json.loads(answer)

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate()


@contextmanager
def working(contestants: Iterable[Contestant]) -> Iterator[dict[str, Worker]]:
    """Have a process of each contestant while the body runs, by their names."""
    with ExitStack() as stack:
        workers = {}
        for each in contestants:
            worker = workers[each.name] = Worker(each)
            stack.callback(worker.close)
        yield workers


def take_turns(turns: Mapping[str, tuple[Worker, Job]], rounds: int) -> Results:
    """Have all jobs done in each round, and return their results by the turns' names.

    The order turns round each time, so that nobody always comes after the same one.
    """
    results: Results = {name: [] for name in turns}
    for number in range(rounds):
        for name in list(turns)[:: -1 if number % 2 else 1]:
            worker, job = turns[name]
            results[name].append(worker.do(job))
    return results
