"""Many calls, one in ten with a fault: memory, descriptors and tasks do not grow.

python -m faults.soak [calls]
"""

import gc
import itertools
import os
import sys
import time
from pathlib import Path

import anyio
from attrs import define
from support.scripted import hang_up, raw, serving

from webrtc_async import RetryPolicy, WebRtcError

from .behaviours import HEAD, answered, reset_after
from .matrix import TRANSPORTS
from .scene import GOOD
from .sinks import left_open
from .storm import SCHEMES, client_of

FAULTS = (
    hang_up,
    reset_after(),
    raw(HEAD + b"Content-Length: 99\r\n\r\n{"),
    raw(b"\x00garbage\r\n\r\n"),
    answered(b"<h1>no</h1>", status=b"503 No"),
    answered(b"{}", status=b"404 Not Found"),
    answered(b'{"id": 5}'),
    answered(b"", b"Location: /elsewhere", status=b"302 Moved"),
)


@define
class Level:
    """The resources of the process at one moment."""

    kib: int
    descriptors: int
    tasks: int
    objects: int

    @classmethod
    def now(cls) -> "Level":
        """Measure the current level."""
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        descriptors, tasks = left_open()
        return cls(
            pages * os.sysconf("SC_PAGE_SIZE") // 1024, descriptors, tasks, len(gc.get_objects())
        )


async def soak(calls: int, scheme: str, transport: str) -> tuple[Level, Level, int]:
    """Return the levels after a tenth of the calls and after all of them, and the failures."""
    faults, failures, done = itertools.cycle(FAULTS), 0, 0
    async with serving(GOOD, tls=SCHEMES[scheme](), keeps_alive=True) as server:

        async def serve(stream, request):
            nonlocal done
            done += 1
            server.requests.clear()
            if done % 10:
                await GOOD(stream, request)
            else:
                await next(faults)(stream, request)
                await stream.aclose()
                raise anyio.ClosedResourceError

        server.behaviours = [serve]
        # The tests' recorder would grow, because it keeps a list of its pauses.
        retry = RetryPolicy(attempts=3, first_wait=0)
        async with client_of(server, transport, retry=retry) as client:

            async def some(count: int) -> None:
                nonlocal failures
                for number in range(count):
                    try:
                        await (client.get_session("s-1") if number % 4 else client.create_session())
                    except WebRtcError:
                        failures += 1

            async def all_of(count: int) -> Level:
                async with anyio.create_task_group() as tasks:
                    for _ in range(8):
                        tasks.start_soon(some, count // 8)
                await anyio.sleep(0.1)
                return Level.now()

            first = await all_of(calls // 10)
            last = await all_of(calls - calls // 10)
    return first, last, failures


def main() -> int:
    """Run the whole soak, and print a line for each scheme and transport."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    for scheme, transport in itertools.product(SCHEMES, TRANSPORTS):
        started = time.monotonic()
        first, last, failures = anyio.run(soak, calls, scheme, transport)
        print(
            f"soak {scheme:5} {transport:7} {calls} calls, {failures} of our errors; "
            "from a tenth to the end: "
            f"memory {first.kib} -> {last.kib} KiB, descriptors {first.descriptors} -> "
            f"{last.descriptors}, tasks {first.tasks} -> {last.tasks}, objects {first.objects} -> "
            f"{last.objects}; {time.monotonic() - started:.0f} s",
            flush=True,
        )
        if not is_flat(first, last):
            return 1
    return 0


def is_flat(first: Level, last: Level) -> bool:
    """Return True if no resource has grown by more than a pool's worth."""
    return (
        last.kib - first.kib < 4096
        and last.descriptors - first.descriptors <= 20
        and last.tasks - first.tasks <= 20
        and last.objects - first.objects < 2000
    )


if __name__ == "__main__":
    sys.exit(main())
