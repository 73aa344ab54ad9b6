"""A server's process: how one is started and ended, and what it does first."""

import asyncio
import os
import resource
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
CPUS = sorted(os.sched_getaffinity(0))
CLIENTS_CPU, SERVERS_CPU = CPUS[0], CPUS[-1]


@contextmanager
def serving(module: str, **options: object) -> Iterator[int]:
    """Serve in another process while the body runs, and give the port."""
    given = [f"--{name}={value}" for name, value in options.items() if value is not None]
    command = [sys.executable, "-m", f"benchmarks.servers.{module}", f"--cpu={SERVERS_CPU}"]
    with subprocess.Popen(
        [*command, *given], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def prepare(cpu: int | None) -> None:
    """Keep to one processor, and have as many descriptors as there may be."""
    if cpu is not None:
        os.sched_setaffinity(0, [cpu])
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def serve(
    protocol: Callable[[], asyncio.Protocol], context: ssl.SSLContext | None = None
) -> None:
    """Print the port, and serve until whoever started this process has gone."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0, backlog=4096, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    gone = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(gone), sys.stdin)
    await gone.read()
    server.close()
