"""The pool without sockets: the order of waiters, and connection slots that are never lost."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.backends import JumpingLoop
from support.strategies import USUALLY

from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async._transport.http1.connection import Origin
from webrtc_async._transport.http1.pool import Http1Pool

HERE, THERE = Origin("http", "here", 80), Origin("https", "there", 443)


class FakeConnection:
    """A connection without a socket; the test decides its state."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.owner: Any = None
        self.retires = 0.0
        self.is_closed = False
        self.is_silent = True

    def is_quiet(self) -> bool:
        return self.is_silent and not self.is_closed

    def abort(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            if self.owner is not None:
                self.owner.discard(self)


class Fakes:
    """A factory of connections; the test decides their delay and failure."""

    def __init__(self) -> None:
        self.made: list[FakeConnection] = []
        self.turns = 0
        self.failure: Exception | None = None
        self.is_dead = False

    async def connect(self, origin: Origin, _: float | None) -> Any:
        for _turn in range(self.turns):
            await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        self.made.append(FakeConnection(origin))
        self.made[-1].is_closed = self.is_dead
        return self.made[-1]


def on_a_jumping_loop(test: Callable[[], Awaitable[None]]) -> None:
    """Run a test on a loop whose clock jumps."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(test())


def idle_in(pool: Http1Pool) -> int:
    """Return the number of idle connections of a pool."""
    return sum(map(len, vars(pool)["_idle"].values()))


def waiting_for(pool: Http1Pool) -> int:
    """Return the number of callers that wait for a connection."""
    return len(vars(pool)["_waiters"])


def pool_of(fakes: Fakes, *, most: int = 2, **settings: Any) -> Http1Pool:
    settings = {"max_connections": most, "keep_alive": 20.0, **settings}
    return Http1Pool(asyncio.get_running_loop(), fakes.connect, **settings)


def test_the_most_recently_used_is_taken_first() -> None:
    """The pool takes the most recently returned connection first, so that others can expire."""

    async def test() -> None:
        pool = pool_of(Fakes())
        first, second = [await pool.acquire(HERE, None, AttemptState("")) for _ in range(2)]
        pool.release(first)
        await asyncio.sleep(10)
        pool.release(second)
        assert await pool.acquire(HERE, None, AttemptState("")) is second
        pool.release(second)
        await asyncio.sleep(15)
        assert (first.is_closed, second.is_closed, pool.size) == (True, False, 1)
        await asyncio.sleep(15)
        assert (second.is_closed, pool.size, idle_in(pool)) == (True, 0, 0)

    on_a_jumping_loop(test)


def test_an_old_connection_carries_no_further_request() -> None:
    """A connection is closed after the response that outlives its age, and not used when idle."""

    async def test() -> None:
        fakes = Fakes()
        pool = pool_of(fakes, max_age=30, keep_alive=60)
        first: Any = await pool.acquire(HERE, None, AttemptState(""))
        await asyncio.sleep(29)
        pool.release(first)
        assert await pool.acquire(HERE, None, AttemptState("")) is first
        await asyncio.sleep(2)
        pool.release(first)
        assert (first.is_closed, pool.size) == (True, 0)
        second: Any = await pool.acquire(HERE, None, AttemptState(""))
        pool.release(second)
        await asyncio.sleep(31)
        assert await pool.acquire(HERE, None, AttemptState("")) is not second
        assert (second.is_closed, pool.size) == (True, 1)

    on_a_jumping_loop(test)


def test_a_caller_waits_for_no_old_connection() -> None:
    """A caller in the queue gets a new connection in the place of an old one."""

    async def test() -> None:
        pool = pool_of(Fakes(), most=1, max_age=30)
        first: Any = await pool.acquire(HERE, None, AttemptState(""))
        waiting = asyncio.ensure_future(pool.acquire(HERE, None, AttemptState("")))
        await asyncio.sleep(31)
        pool.release(first)
        assert await waiting is not first
        assert (first.is_closed, pool.size) == (True, 1)

    on_a_jumping_loop(test)


def test_a_connection_that_has_ended_is_not_taken() -> None:
    """The pool replaces a closed or readable connection before it sends a request."""

    async def test() -> None:
        fakes = Fakes()
        pool = pool_of(fakes)
        for spoil in ("abort", "silence"):
            connection: Any = await pool.acquire(HERE, None, AttemptState(""))
            pool.release(connection)
            if spoil == "abort":
                connection.abort()
            else:
                connection.is_silent = False
            another = await pool.acquire(HERE, None, AttemptState(""))
            assert another is not connection
            assert connection.is_closed
            assert pool.size == 1
            another.abort()
        assert (pool.size, idle_in(pool), len(fakes.made)) == (0, 0, 4)

    on_a_jumping_loop(test)


def test_a_full_pool_closes_another_origin_s_idle_connection() -> None:
    """A full pool closes the oldest idle connection of another origin, and never one in use."""

    async def test() -> None:
        pool = pool_of(Fakes())
        old, used = (
            await pool.acquire(HERE, None, AttemptState("")),
            await pool.acquire(HERE, None, AttemptState("")),
        )
        pool.release(old)
        new = await pool.acquire(THERE, None, AttemptState(""))
        assert (old.is_closed, used.is_closed, pool.size) == (True, False, 2)
        waiting = asyncio.create_task(pool.acquire(HERE, None, AttemptState("")))
        await asyncio.sleep(0)
        assert waiting_for(pool) == 1
        pool.release(new)
        handed = await waiting
        assert (new.is_closed, handed.origin, pool.size) == (True, HERE, 2)

    on_a_jumping_loop(test)


def test_a_connection_that_closes_during_its_handover_is_not_used() -> None:
    """If a connection closes while it is handed over, its waiter stays first in line."""

    async def test() -> None:
        fakes = Fakes()
        pool = pool_of(fakes, most=1)
        for silence in (True, False):
            connection: Any = await pool.acquire(HERE, None, AttemptState(""))
            waiting = asyncio.create_task(pool.acquire(HERE, None, AttemptState("")))
            await asyncio.sleep(0)
            pool.release(connection)
            if silence:
                connection.abort()
            else:
                connection.is_silent = False
            handed = await waiting
            assert handed is not connection
            assert pool.size == 1
            handed.abort()
        assert pool.size == 0

    on_a_jumping_loop(test)


@pytest.mark.parametrize("end", ["released", "aborted", "released and aborted"])
def test_a_waiter_cancelled_in_its_turn_passes_the_connection_on(end: str) -> None:
    """A waiter that is cancelled as it is served passes its connection or slot to the next."""

    async def test() -> None:
        fakes = Fakes()
        pool = pool_of(fakes, most=1)
        held: Any = await pool.acquire(HERE, None, AttemptState(""))
        waits = [pool.acquire(HERE, None, AttemptState("")) for _ in range(2)]
        first, second = map(asyncio.create_task, waits)
        await asyncio.sleep(0)
        if "released" in end:
            pool.release(held)
        if "aborted" in end:
            held.abort()
        first.cancel()
        served = await second
        assert first.cancelled()
        assert (served is held) is (end == "released")
        assert (pool.size, waiting_for(pool)) == (1, 0)

    on_a_jumping_loop(test)


def test_a_failed_connection_frees_its_slot() -> None:
    """The next waiter gets the slot of a connection that could not be made."""

    async def test() -> None:
        fakes = Fakes()
        pool = pool_of(fakes, most=1)
        fakes.failure, fakes.turns = ConnectionError("boom"), 3
        failing = [
            asyncio.create_task(pool.acquire(HERE, None, AttemptState(""))) for _ in range(3)
        ]
        found = await asyncio.gather(*failing, return_exceptions=True)
        assert [type(each) for each in found] == [ConnectionError] * 3
        assert pool.size == 0

    on_a_jumping_loop(test)


def test_a_server_that_closes_at_once_is_a_failed_connection() -> None:
    """A connection that closes before its first use is given to nobody, and frees its slot."""

    async def test() -> None:
        fakes = Fakes()
        pool = pool_of(fakes, most=1)
        fakes.is_dead, fakes.turns = True, 3
        failing = [
            asyncio.create_task(pool.acquire(HERE, None, AttemptState(""))) for _ in range(2)
        ]
        for each in failing:
            with pytest.raises(httpx.ConnectError, match="closed the connection at once"):
                await each
        assert (pool.size, idle_in(pool), waiting_for(pool)) == (0, 0, 0)

    on_a_jumping_loop(test)


@pytest.mark.parametrize("when", ["before", "while connecting", "in line"])
def test_a_closed_pool_gives_out_no_connection(when: str) -> None:
    """Closing the pool ends idle, active and pending connections, and all waiters."""

    async def test() -> None:
        fakes = Fakes()
        pool = pool_of(fakes, most=1)
        fakes.turns = 2
        if when == "before":
            pool.release(await pool.acquire(HERE, None, AttemptState("")))
            pool.close()
        elif when == "in line":
            await pool.acquire(HERE, None, AttemptState(""))
        task = asyncio.create_task(pool.acquire(HERE, None, AttemptState("")))
        await asyncio.sleep(0)
        pool.close()
        with pytest.raises(Exception, match="closed"):
            await task
        assert all(each.is_closed for each in fakes.made)
        assert (pool.size, idle_in(pool)) == (0, 0)

    on_a_jumping_loop(test)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["ask", "ask", "ask", "return", "return", "abort", "cancel", "turn", "die"]
        ),
        st.integers(0, 9),
    ),
    max_size=60,
)


@USUALLY
@given(STEPS, st.integers(0, 2))
def test_a_storm_loses_no_slot(steps: list[tuple[str, int]], turns: int) -> None:
    """The pool keeps its bounds and its order through random requests, failures and cancels.

    The pool never has more connections than allowed, and no request waits while a connection is
    idle or a slot is free. In the end every slot is free, and every request has ended.
    """

    async def test() -> None:
        fakes = Fakes()
        fakes.turns = turns
        pool = pool_of(fakes, most=2)
        tasks: list[asyncio.Task[Any]] = []
        held: list[Any] = []

        async def ask(origin: Origin) -> None:
            held.append(await pool.acquire(origin, None, AttemptState("")))

        def check() -> None:
            # Between turns of the loop, a served waiter may still be in the queue.
            assert 0 <= pool.size <= 2
            assert sum(not each.is_closed for each in fakes.made) <= 2
            if sum(1 for each in vars(pool)["_waiters"] if not each.future.done()):
                assert (idle_in(pool), pool.size) == (0, 2)

        for step, number in steps:
            match step:
                case "ask":
                    tasks.append(asyncio.create_task(ask(HERE if number % 2 else THERE)))
                case "return" if held:
                    connection = held.pop(number % len(held))
                    if not connection.is_closed:
                        pool.release(connection)
                case "abort" if held:
                    held.pop(number % len(held)).abort()
                case "cancel" if tasks:
                    tasks[number % len(tasks)].cancel()
                case "die" if fakes.made:
                    fakes.made[number % len(fakes.made)].is_silent = False
                case _:
                    await asyncio.sleep(0)
            check()
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0)
            for connection in held:
                if not connection.is_closed:
                    pool.release(connection)
            held.clear()
            check()
        for connection in held:
            connection.abort()
        await asyncio.sleep(30)
        assert (pool.size, idle_in(pool), waiting_for(pool)) == (0, 0, 0)
        await asyncio.gather(*tasks, return_exceptions=True)

    on_a_jumping_loop(test)
