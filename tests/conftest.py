"""Fixtures of all tests."""

import signal
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from support.backends import BACKENDS
from support.redis_server import RedisServer

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


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> Iterator[None]:
    """Start programs that Ctrl-C ends, although a shell ignores SIGINT in a background job."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(params=BACKENDS)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Run the test on asyncio and on trio, or on the event loop of a set-up."""
    return request.param


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
