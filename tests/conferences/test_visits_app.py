"""The recipe for web applications: one conference, several requests, two worker processes."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from support.redis_server import RedisServer

from webrtc_async.device_token import DeviceTokenClaims
from webrtc_async.emulator import Emulator
from webrtc_async.emulator.doors.server import EmulatorServer

ACCOUNT = "9900000"
APP = Path(__file__).with_name("visits_app.py")


class Worker:
    """A uvicorn process that serves the application.

    Attributes:
        url: Its address.
        process: The process.
    """

    def __init__(self, port: int, environ: dict[str, str]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "--port", str(port), "visits_app:app"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=APP.parent,
            env={**os.environ, **environ},
        )

    def wait(self) -> None:
        """Return when the worker accepts requests."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if "Uvicorn running on" in line:
                return
        raise AssertionError("the worker did not start")

    def post(self, path: str) -> dict[str, str]:
        """Post to the worker, and return the JSON of a successful response."""
        response = httpx.post(self.url + path, trust_env=False, timeout=30)
        assert response.status_code == 200, response.text
        answer: dict[str, str] = response.json()
        return answer

    def kill(self) -> None:
        """Kill the process."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def free_ports() -> tuple[int, int]:
    """Return two ports that nobody uses."""
    with (
        socket.create_server(("127.0.0.1", 0)) as first,
        socket.create_server(("127.0.0.1", 0)) as second,
    ):
        return int(first.getsockname()[1]), int(second.getsockname()[1])


@contextmanager
def two_workers(service: EmulatorServer, redis: RedisServer) -> Iterator[tuple[Worker, Worker]]:
    """Start two workers of one application; the service posts its events to the second."""
    ports = free_ports()
    environ = {
        "BW_ACCOUNT_ID": ACCOUNT,
        "BW_USERNAME": "user",
        "BW_PASSWORD": "password",
        "BW_WEBRTC_BASE_URL": service.base_url,
        "REDIS_URL": redis.url,
        "WEBHOOK_SECRET": "0123456789abcdef",
        "PUBLIC_URL": f"http://127.0.0.1:{ports[1]}",
    }
    with ExitStack() as stack:
        workers = Worker(ports[0], environ), Worker(ports[1], environ)
        for worker in workers:
            stack.callback(worker.kill)
        for worker in workers:
            worker.wait()
        yield workers


def wait_until(is_so: Callable[[], bool]) -> None:
    """Return when the workers have brought something about."""
    until = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < until, "it did not happen"
        threading.Event().wait(0.01)


@pytest.mark.engines
@pytest.mark.parametrize("dies", [False, True], ids=["both live", "one is killed"])
def test_a_conference_over_two_workers(tmp_path, dies):
    """Two workers open a visit, hand out two tokens, and end it when the last person leaves."""
    redis = RedisServer(tmp_path)
    redis.start()
    emulator = Emulator()
    try:
        with EmulatorServer(emulator) as service, two_workers(service, redis) as (first, second):
            visit = first.post("/visits")["visit"]
            agent = first.post(f"/visits/{visit}/people/agent")["token"]
            assert emulator.session_ids(ACCOUNT) == (visit,)
            if dies:
                first.kill()
            caller = second.post(f"/visits/{visit}/people/caller")["token"]
            ids = [DeviceTokenClaims.read(each).participant_id for each in (agent, caller)]
            receives = emulator.subscribed_to(ACCOUNT, visit)
            assert receives == {ids[0]: {ids[1]}, ids[1]: {ids[0]}}
            for each in ids:
                emulator.devices.connect(each)
            emulator.devices.leave(ids[0])
            wait_until(lambda: emulator.participant_ids(ACCOUNT) == (ids[1],))
            assert emulator.session_ids(ACCOUNT) == (visit,)
            emulator.devices.leave(ids[1])
            wait_until(lambda: not emulator.session_ids(ACCOUNT))
            assert emulator.participant_ids(ACCOUNT) == ()
    finally:
        redis.stop()
