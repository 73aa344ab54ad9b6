"""The README's promises about deployment, with real servers, workers and signals."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import anyio
import httpx
import pytest
import trio
import trio.testing

from webrtc_async import AsyncWebRtcClient, ClientClosedError, TeardownError
from webrtc_async.emulator import Emulator, EmulatorTransport
from webrtc_async.emulator.doors.server import EmulatorServer
from webrtc_async.route_table import CREATE_SESSION

TESTS = Path(__file__).parent


@pytest.fixture
def service() -> Iterator[EmulatorServer]:
    with EmulatorServer(Emulator()) as server:
        yield server


def started(service: EmulatorServer, *command: str) -> subprocess.Popen[str]:
    """Start a Python program with the service in its environment."""
    return subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=TESTS,
        env={
            **os.environ,
            "BW_ACCOUNT_ID": "9900000",
            "BW_USERNAME": "user",
            "BW_PASSWORD": "password",
            "BW_WEBRTC_BASE_URL": service.base_url,
            "PYTHONPATH": os.pathsep.join([str(TESTS / "recipes"), str(TESTS / "engines")]),
            "PYTHONUNBUFFERED": "1",
            "HOME": os.devnull,  # where gunicorn would put a socket
        },
    )


def read_until(process: subprocess.Popen[str], *said: str) -> str:
    """Return a program's output until it contains all of these texts, in any order."""
    assert process.stdout is not None
    shown = ""
    for line in process.stdout:
        shown += line
        if all(shown.count(each) >= said.count(each) for each in said):
            return shown
    raise AssertionError(shown)


def address_of(process: subprocess.Popen[str], workers: int) -> str:
    """Return the address of a server, once all its workers listen."""
    ready = ["Application startup complete"] * workers
    return re.findall(r"http://[\d.:]+", read_until(process, "http://", *ready))[0]


UVICORN = ("uvicorn", "--port", "0", "--workers")
GUNICORN = ("gunicorn", "-k", "uvicorn_worker.UvicornWorker", "-b", "127.0.0.1:0", "--workers")


@pytest.mark.parametrize(
    ("server", "workers"),
    [(UVICORN, 1), (UVICORN, 2), pytest.param(GUNICORN, 2, marks=pytest.mark.engines)],
)
def test_a_worker_finishes_its_calls_on_sigterm(service, server, workers):
    """On SIGTERM a call in flight gets its result, and the workers' clients close."""
    process = started(service, "-m", *server, str(workers), "fastapi_app:app")
    try:
        url = address_of(process, workers)
        begun = threading.Event()
        service.emulator.faults.add(CREATE_SESSION, delay=0.5)
        answers: list[httpx.Response] = []

        def ask() -> None:
            with httpx.Client(trust_env=False, timeout=30) as caller:
                request = caller.build_request("POST", f"{url}/rooms")
                begun.set()
                answers.append(caller.send(request))

        asking = threading.Thread(target=ask)
        asking.start()
        begun.wait(10)
        while not service.emulator.session_ids("9900000"):
            asking.join(0.01)
        process.send_signal(signal.SIGTERM)
        asking.join(30)
        [answer] = answers
        assert answer.status_code == 200
        assert service.emulator.session_ids("9900000") == (answer.json()["id"],)
        shown, _ = process.communicate(timeout=30)
        assert shown.count("Application shutdown complete") == workers
        assert "never closed" not in shown
        assert "Traceback" not in shown
    finally:
        process.kill()
        process.communicate()


@pytest.mark.engines
def test_a_preloaded_client_serves_every_worker(service):
    """A client used before gunicorn forks works in each worker, and closes there."""
    process = started(service, "-m", *GUNICORN, "2", "--preload", "preloaded_app:app")
    try:
        url = address_of(process, 2)
        made: dict[int, list[str]] = {}
        while len(made) < 2 or min(map(len, made.values())) < 2:
            answer = httpx.post(f"{url}/rooms", trust_env=False)
            assert answer.status_code == 200
            worker, room = answer.json()
            made.setdefault(worker, []).append(room)
        # One session is from before the fork.
        rooms = {room for each in made.values() for room in each}
        assert len(service.emulator.session_ids("9900000")) == len(rooms) + 1
        assert rooms < set(service.emulator.session_ids("9900000"))
        process.send_signal(signal.SIGTERM)
        shown, _ = process.communicate(timeout=30)
        assert shown.count("Application shutdown complete") == 2
        assert "never closed" not in shown
    finally:
        process.kill()
        process.communicate()


PROGRAM = """
import signal
import sys
import anyio
from webrtc_async import AsyncWebRtcClient

async def main():
    async with AsyncWebRtcClient.from_env() as client:
        async with client.conference(["agent", "caller"]):
            print("it is up")
            await anyio.sleep_forever()

signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
try:
    anyio.run(main, backend=sys.argv[1])
except KeyboardInterrupt:
    print("it is down")
"""


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_program_that_takes_sigterm_for_ctrl_c_leaves_nothing(service, backend):
    """With the guide's line, SIGTERM ends a program's blocks and deletes their resources."""
    process = started(service, "-c", PROGRAM, backend)
    try:
        read_until(process, "it is up")
        assert len(service.emulator.participant_ids("9900000")) == 2
        process.send_signal(signal.SIGTERM)
        shown, _ = process.communicate(timeout=30)
        assert shown == "it is down\n"
        assert process.returncode == 0
        assert service.emulator.session_ids("9900000") == ()
        assert service.emulator.participant_ids("9900000") == ()
    finally:
        process.kill()
        process.communicate()


WRITES_NOTHING = """
import os, sys

def watch(event, arguments):
    changes = {"os.mkdir", "os.rename", "os.remove", "os.link", "os.symlink", "os.truncate"}
    if is_over:
        pass
    elif event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        print("opens", arguments)
    elif event in changes:
        print(event, arguments)

is_over = False
sys.addaudithook(watch)

import anyio
from webrtc_async import AsyncWebRtcClient

async def main():
    async with AsyncWebRtcClient.from_env() as client:
        async with client.conference(["agent", "caller"]):
            print("it is up")

anyio.run(main)
is_over = True
"""


def test_a_read_only_file_system_is_enough(service):
    """A program that uses a client opens, makes and renames no file for writing."""
    process = started(service, "-B", "-c", WRITES_NOTHING)
    shown, _ = process.communicate(timeout=60)
    assert shown == "it is up\n"
    assert process.returncode == 0


class Stuck(EmulatorTransport):
    """A service that responds until it is stuck, and then never."""

    is_stuck = False

    async def handle_async_request(self, request):
        if self.is_stuck:
            await anyio.sleep_forever()
        return await super().handle_async_request(request)


def test_closing_a_stuck_client_takes_13_seconds(caplog):
    """With the defaults, the client of a stuck service closes in 13 s, and names what remains."""
    transport = Stuck(Emulator())

    async def close() -> float:
        client = AsyncWebRtcClient("9900000", auth=("user", "password"), transport=transport)

        async def confer() -> None:
            async with client.conference(["agent", "caller"]):
                is_up.set()
                await is_over.wait()

        async def confer_in_vain() -> None:
            with pytest.raises(TeardownError):
                await confer()

        async def create() -> None:
            with pytest.raises(ClientClosedError):
                await client.create_session()

        is_up, is_over = anyio.Event(), anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(confer_in_vain)
            await is_up.wait()
            transport.is_stuck = True
            is_over.set()
            tasks.start_soon(create)
            await anyio.wait_all_tasks_blocked()
            began = anyio.current_time()
            await client.aclose()
            return anyio.current_time() - began

    took = trio.run(close, clock=trio.testing.MockClock(autojump_threshold=0))
    assert 10 <= took <= 13
    assert "closed before these ended" in caplog.text
