"""A rate limit that processes share through Redis, with Redis up and down."""

import asyncio
import logging
import pickle
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest
from redis import Redis
from support.scripted import SESSION, answer, client_of, policy

from webrtc_async import RateLimiterError
from webrtc_async.emulator import Emulator
from webrtc_async.emulator.doors.server import EmulatorServer
from webrtc_async.errors import ConfigurationError, DeadlineExceededError
from webrtc_async.errors.outcome import Outcome, Stage
from webrtc_async.redis import RedisRateLimiter

pytestmark = pytest.mark.anyio

SENDER = Path(__file__).parent / "engines" / "limited_sender.py"

redis = pytest.mark.engines
"""Marks a test that needs redis-server."""


@pytest.fixture
def anyio_backend() -> str:
    """The only event loop that redis-py supports."""
    return "asyncio"


@pytest.fixture
def closed_port() -> str:
    """The URL of a port that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return f"redis://127.0.0.1:{port}"


@pytest.fixture
def silent():
    """The URL of a server that never responds."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}"


# With Redis


@redis
def test_processes_together_stay_within_the_limit(redis_server) -> None:
    """Three busy processes: no second has more requests than the limit."""
    amount, sessions, processes, connections = 40, 60, 3, 2
    emulator = Emulator()
    with EmulatorServer(emulator) as server:
        settings = [redis_server.url, amount, sessions, connections]
        command = [sys.executable, str(SENDER), server.base_url, *map(str, settings)]
        senders = [subprocess.Popen(command) for _ in range(processes)]
        assert [sender.wait(60) for sender in senders] == [0] * processes
    times = sorted(exchange.at for exchange in emulator.exchanges)
    assert len(times) == len(emulator.session_ids("9900000")) == processes * sessions
    # Each connection can have one request with an early permit and a late arrival.
    late = processes * connections
    in_a_second = [sum(begin <= at < begin + 1 for at in times) for begin in times]
    assert amount - late <= max(in_a_second) <= amount + late


@redis
async def test_a_process_waits_in_order_for_the_next_window(redis_server) -> None:
    """Requests beyond the limit wait for the moving window, in order of arrival."""
    order = list[int]()
    async with RedisRateLimiter(redis_server.url, 3) as limiter, anyio.create_task_group() as tasks:
        began = time.monotonic()

        async def one(number: int) -> None:
            await limiter.acquire()
            order.append(number)

        for number in range(7):
            tasks.start_soon(one, number)
    assert order == list(range(7))
    assert time.monotonic() - began >= 2 - 0.01


@redis
async def test_limits_of_other_names_are_other_limits(redis_server) -> None:
    """A limiter with another key does not wait."""
    async with (
        RedisRateLimiter(redis_server.url, 1, per=1000) as one,
        RedisRateLimiter(redis_server.url, 1, per=1000, key="other") as other,
    ):
        await one.acquire()
        await other.acquire()
        with anyio.move_on_after(0.05) as scope:
            await one.acquire()
        assert scope.cancelled_caught


@redis
async def test_a_call_s_deadline_covers_the_wait(redis_server) -> None:
    """A call that waits until its deadline fails, and sent nothing."""
    async with (
        RedisRateLimiter(redis_server.url, 1, per=1000) as limiter,
        client_of(answer(200, SESSION), rate_limiter=limiter, deadline=0.2) as client,
    ):
        await client.with_options(deadline=10).get_session("s-1")
        with pytest.raises(DeadlineExceededError) as caught:
            await client.create_session()
        assert (caught.value.stage, caught.value.outcome) == (Stage.THROTTLED, Outcome.NOT_SENT)
        assert client.requests_sent == 1


@redis
async def test_requests_continue_when_redis_is_back(redis_server) -> None:
    """A Redis that hung, or was restarted without its scripts, is used again."""
    async with RedisRateLimiter(redis_server.url, 1000, timeout=0.2) as limiter:
        await limiter.acquire()
        redis_server.process.send_signal(signal.SIGSTOP)
        with pytest.raises(RateLimiterError, match="TimeoutError"):
            await limiter.acquire()
        redis_server.process.send_signal(signal.SIGCONT)
        await limiter.acquire()
        redis_server.stop()
        with pytest.raises(RateLimiterError, match="ConnectionError"):
            await limiter.acquire()
        redis_server.start()
        await limiter.acquire()


@redis
async def test_a_cancelled_request_leaves_the_limiter_usable(redis_server) -> None:
    """After cancellations at any moment, each reply belongs to its command."""
    async with RedisRateLimiter(redis_server.url, 100_000) as limiter:
        for number in range(200):
            with anyio.move_on_after(number * 2e-5):
                await limiter.acquire()
        with anyio.fail_after(5):
            await limiter.acquire()


@redis
def test_a_limiter_works_in_consecutive_event_loops(redis_server) -> None:
    """A limiter whose event loop ended opens a new connection in the next loop."""
    limiter = RedisRateLimiter(redis_server.url, 1000)

    async def once() -> None:
        async with limiter:
            await limiter.acquire()

    asyncio.run(once())
    asyncio.run(once())


@redis
def test_the_end_of_an_event_loop_closes_its_connections(redis_server) -> None:
    """A limiter that nobody closes has no connection to Redis after its event loops."""
    limiter = RedisRateLimiter(redis_server.url, 1000)
    for _ in range(5):
        asyncio.run(limiter.acquire())
    with Redis.from_url(redis_server.url) as observer:
        assert observer.info("clients")["connected_clients"] == 1


FORKED = """
import asyncio, os, sys
from webrtc_async.redis import RedisRateLimiter

limiter = RedisRateLimiter(sys.argv[1], 1000)
with asyncio.Runner() as runner:
    runner.run(limiter.acquire())
    if (pid := os.fork()) == 0:
        asyncio.run(limiter.acquire())
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    runner.run(limiter.acquire())
    runner.run(limiter.aclose())
"""


@redis
def test_a_fork_shares_no_connection(redis_server) -> None:
    """A forked child opens its own connection, and the parent's still works."""
    command = [sys.executable, "-W", "error", "-c", FORKED, redis_server.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# Without Redis


@pytest.mark.parametrize("kind", ["closed_port", "silent"])
async def test_a_redis_that_is_down_fails_the_call(kind, request) -> None:
    """By default the call is repeated, then fails and says that nothing was sent."""
    url = request.getfixturevalue(kind)
    async with (
        RedisRateLimiter(url, 5, timeout=0.05) as limiter,
        client_of(answer(200, SESSION), rate_limiter=limiter, retry=policy()) as client,
    ):
        with pytest.raises(
            RateLimiterError, match="rate limiter's Redis did not respond"
        ) as caught:
            await client.create_session()
        assert client.requests_sent == 0
    assert (caught.value.outcome, caught.value.attempts) == (Outcome.NOT_SENT, 3)
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("kind", ["closed_port", "silent"])
async def test_a_redis_that_is_down_may_let_pass(kind, request, caplog) -> None:
    """With on_failure="pass" requests are sent, and one warning is logged."""
    url = request.getfixturevalue(kind)
    async with (
        RedisRateLimiter(url, 1, timeout=0.05, on_failure="pass") as limiter,
        client_of(answer(200, SESSION), rate_limiter=limiter) as client,
    ):
        for _ in range(4):
            await client.get_session("s-1")
        assert client.requests_sent == 4
    [record] = [each for each in caplog.records if each.name == "webrtc_async"]
    assert record.levelno == logging.WARNING
    assert "requests are sent without a limit" in record.getMessage()


@redis
async def test_after_letting_pass_it_limits_again(redis_server, caplog) -> None:
    """A Redis that responds again limits again, and a warning says so."""
    async with RedisRateLimiter(
        redis_server.url, 1, per=1000, timeout=0.1, on_failure="pass"
    ) as limiter:
        redis_server.stop()
        await limiter.acquire()
        await limiter.acquire()
        redis_server.start()
        with anyio.move_on_after(10) as scope:
            while "responds again" not in caplog.text:
                await limiter.acquire()
        assert not scope.cancelled_caught
        with anyio.move_on_after(0.05) as scope:
            await limiter.acquire()
        assert scope.cancelled_caught


async def test_waiting_requests_fail_with_the_first_one(silent) -> None:
    """Fifty calls that wait for a hanging Redis fail together with the first one."""
    async with RedisRateLimiter(silent, 5, timeout=0.2) as limiter:
        began = time.monotonic()
        failures = list[RateLimiterError]()

        async def one() -> None:
            try:
                await limiter.acquire()
            except RateLimiterError as error:
                failures.append(error)

        async with anyio.create_task_group() as tasks:
            for _ in range(50):
                tasks.start_soon(one)
        assert len(failures) == 50
        assert time.monotonic() - began < 50 * 0.2 / 2


def test_a_limiter_may_always_be_closed(closed_port) -> None:
    """A limiter that is unused, already closed, or of an ended event loop closes silently."""
    limiter = RedisRateLimiter(closed_port, 1, on_failure="pass")
    asyncio.run(limiter.aclose())
    asyncio.run(limiter.acquire())
    asyncio.run(limiter.aclose())
    asyncio.run(limiter.aclose())


def test_trio_is_refused(closed_port) -> None:
    """On trio the limiter raises an error that names asyncio."""

    async def acquire() -> None:
        with pytest.raises(ConfigurationError, match="needs asyncio"):
            await RedisRateLimiter(closed_port, 1).acquire()

    anyio.run(acquire, backend="trio")


@pytest.mark.parametrize("url", ["http://user:hidden@host", "redis://user:hidden@[::1", 5])
def test_a_wrong_url_is_refused_and_not_shown(url) -> None:
    """An invalid URL is rejected when the limiter is made; a password is not shown."""
    with pytest.raises(ConfigurationError, match="must look like redis://") as caught:
        RedisRateLimiter(url, 1)
    assert "hidden" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "settings",
    [{"amount": 0}, {"per": 0.5}, {"per": 0}, {"timeout": 0}, {"on_failure": "wait"}],
)
def test_an_invalid_setting_is_named(settings, closed_port) -> None:
    """The error names an invalid setting; the period has whole seconds."""
    [name] = settings
    with pytest.raises(ConfigurationError, match=rf"RedisRateLimiter\.{name}"):
        RedisRateLimiter(closed_port, **{"amount": 1, **settings})


def test_no_text_shows_the_password() -> None:
    """Neither the repr nor a pickle has the URL's password."""
    limiter = RedisRateLimiter("redis://user:hidden@localhost", 5, per=60)
    assert repr(limiter) == "<RedisRateLimiter 5 per 60 second for 'webrtc-async'>"
    with pytest.raises(TypeError, match="may hold a password"):
        pickle.dumps(limiter)
