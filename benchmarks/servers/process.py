"""A server's process: start it, ask it for its connections, end it."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from attrs import frozen

ROOT = Path(__file__).parents[2]
CPUS = sorted(os.sched_getaffinity(0))
CLIENT_CPU, SERVER_CPU = CPUS[0], CPUS[-1]


@frozen
class Server:
    """A server in another process."""

    port: int
    _process: subprocess.Popen[str]

    def connections_opened(self) -> int:
        """Return the number of connections that clients have opened so far."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())


@contextmanager
def serving(module: str, **options: object) -> Iterator[Server]:
    """Run a module of benchmarks.servers in another process, until the block ends."""
    given = [f"--{name}={value}" for name, value in options.items() if value is not None]
    command = [sys.executable, "-m", f"benchmarks.servers.{module}", *given]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        try:
            yield Server(int(process.stdout.readline()), process)
        finally:
            process.terminate()


def prepare(connections_opened: Callable[[], int] = lambda: 0) -> None:
    """Pin this process, raise its descriptor limit, and end it with its parent."""
    os.sched_setaffinity(0, [SERVER_CPU])
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    Thread(target=_answer_parent, args=(connections_opened,), daemon=True).start()


def _answer_parent(connections_opened: Callable[[], int]) -> None:
    for _ in sys.stdin:
        print(connections_opened(), flush=True)
    os._exit(0)
