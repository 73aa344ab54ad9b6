"""Faults of the process around the client: descriptors, clocks, interrupts."""

import contextlib
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import anyio
import pytest
from faults.matrix import TRANSPORTS
from faults.scene import GOOD
from faults.storm import client_of as client_over
from support.scripted import serving

import webrtc_async

TESTS = Path(__file__).parent


def program(text: str) -> list[str]:
    """Return a command that runs a program with the tests' modules on its path."""
    start = f"import sys; sys.path.insert(0, {str(TESTS)!r})\n"
    return [sys.executable, "-W", "error", "-c", start + textwrap.dedent(text)]


EXHAUSTED = """
    import os, resource
    import anyio
    from faults.scene import GOOD
    from faults.storm import client_of
    from support.scripted import ONCE, serving
    from webrtc_async import ConnectionFailedError

    async def main():
        async with serving(GOOD) as server, client_of(server, {transport!r}, retry=ONCE) as client:
            await client.get_session("s-1")
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
            held = []
            try:
                while True:
                    held.append(os.dup(0))
            except OSError:
                pass
            try:
                await client.create_session()
            except ConnectionFailedError as error:
                print(error.outcome.name)
            for each in held:
                os.close(each)
            print((await client.create_session()).id)

    anyio.run(main)
"""


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_process_without_free_descriptors(transport):
    """Without a free descriptor a call fails to connect; with one it works again."""
    ran = subprocess.run(
        program(EXHAUSTED.format(transport=transport)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stdout.split() == ["NOT_SENT", "s-1"], ran.stderr


INTERRUPTED = """
    import anyio
    from faults.storm import client_of
    from support.scripted import serving

    async def main():
        async def wait(stream, request):
            print("waiting", flush=True)
            await anyio.sleep_forever()

        async with serving(wait) as server, client_of(server, {transport!r}) as client:
            await client.create_session()

    anyio.run(main)
"""


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_an_interrupt_ends_a_program_as_ever(transport):
    """Ctrl-C in a call is a KeyboardInterrupt with the usual exit code and no warning."""
    running = subprocess.Popen(
        program(INTERRUPTED.format(transport=transport)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout.readline() == "waiting\n"
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert running.returncode in {-signal.SIGINT, 130, 1}
    assert said.rstrip().endswith("KeyboardInterrupt")
    assert "Warning" not in said
    assert "ignored" not in said


def test_only_the_monotonic_clock_counts():
    """The system clock is read only for dates to show or compare, and for Redis."""
    found = {
        path.stem
        for path in Path(webrtc_async.__file__).parent.rglob("*.py")
        if not {"emulator", "cli"} & set(path.parts)
        and re.search(r"\btime\.time\(|\bdatetime\.now\(|\butcnow\(", path.read_text("utf-8"))
    }
    assert found == {"retry_after", "device_token", "create_call", "redis"}


@pytest.mark.anyio
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_failing_groups_lose_no_connection(transport):
    """Repeated task groups that one failure cancels lose no connection."""
    async with serving(GOOD, keeps_alive=True) as server, client_over(server, transport) as client:

        async def fail(after):
            for _ in range(after):
                await anyio.lowlevel.checkpoint()
            raise LookupError

        for number in range(40):
            with contextlib.suppress(ExceptionGroup):
                async with anyio.create_task_group() as tasks:
                    for _ in range(30):
                        tasks.start_soon(client.create_session)
                    tasks.start_soon(fail, number)
        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                for _ in range(30):
                    tasks.start_soon(client.get_session, "s-1")
