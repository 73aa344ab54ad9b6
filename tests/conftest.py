"""What every test can ask for."""

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import trio.testing

import webrtc_async

pytest.register_assert_rewrite("faults.matrix", "faults.row", "scripted", "speaking")


def pytest_report_header() -> str:
    """Name the versions that decide what a test sees."""
    packages = ("httpx", "attrs", "cattrs", "anyio", "tenacity", "trio")
    return f"webrtc-async {webrtc_async.__version__}; " + ", ".join(
        f"{package} {version(package)}" for package in packages
    )


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer instead of waiting for it.

    It serves tests without sockets only: with nothing else to do, a timer is due at once.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ahead = 0.0
        self._real_select = self._selector.select
        self._selector.select = self._jump  # type: ignore[method-assign]

    def time(self) -> float:
        return super().time() + self._ahead

    def _jump(self, timeout: float | None = None) -> list[tuple[object, int]]:
        if timeout is None:
            return self._real_select(None)
        events = self._real_select(0)
        if not events:
            self._ahead += timeout
        return events


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run the test on asyncio and on trio."""
    return request.param


def jumping_backends() -> pytest.MarkDecorator:
    """Run a test on both backends with clocks that jump over every wait."""
    clock = trio.testing.MockClock(autojump_threshold=0)
    return pytest.mark.parametrize(
        "anyio_backend",
        [
            pytest.param(("asyncio", {"loop_factory": JumpingLoop}), id="asyncio-jumping"),
            pytest.param(("trio", {"clock": clock}), id="trio-jumping"),
        ],
    )


@pytest.fixture
def redis_port(tmp_path: Path) -> Iterator[int]:
    """A Redis server of the test's own."""
    found = shutil.which("redis-server")
    assert found is not None, "redis-server is not installed"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = [found, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", "."]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    assert process.stdout is not None
    for line in process.stdout:
        if "Ready to accept connections" in line:
            break
    yield port
    process.terminate()
    process.communicate()
