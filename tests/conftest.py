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

pytest.register_assert_rewrite(
    "faults.matrix", "faults.row", "support.scripted", "support.speaking"
)


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


class RedisServer:
    """A Redis server on a port of its own, which can be stopped and started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])

    @property
    def url(self) -> str:
        """Where clients of Redis find it."""
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and return when it takes connections."""
        found = shutil.which("redis-server")
        assert found is not None, "redis-server is not installed"
        where = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", "."]
        self.process = subprocess.Popen(
            [found, *where, "--save", ""], stdout=subprocess.PIPE, text=True, cwd=self.folder
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if "Ready to accept connections" in line:
                break

    def stop(self) -> None:
        """Kill it; it keeps nothing."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server of the test's own."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_port(redis_server: RedisServer) -> int:
    """The port of a Redis server of the test's own."""
    return redis_server.port
