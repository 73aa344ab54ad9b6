"""A rate limit that processes share through Redis, on the storage of the library `limits`.

It needs the extra `webrtc-async[redis]`, and asyncio, because redis-py does.

Of the strategies of `limits` it is the moving window: Redis keeps the time of each of the last
requests, so that no period has more than may be, wherever it begins. A fixed window and the sliding
window counter cost Redis less, and let nearly twice as many through around the edge of a window.
The times are the processes' own, so their clocks have to agree.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable
from types import TracebackType
from typing import Any, Final, Literal, NoReturn, Self, TypeVar

import anyio
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from webrtc_async._config.validation import check_count, check_seconds
from webrtc_async._tasks.event_loop import current_event_loop, forks
from webrtc_async.errors import ConfigurationError, RateLimiterError

AnswerT = TypeVar("AnswerT")

_SHORTEST_WAIT: Final = 0.001
"""Seconds after which Redis is asked again at the earliest, when another process was faster."""

_log: Final = logging.getLogger("webrtc_async")


class RedisRateLimiter:
    """A limit for all clients, in any process on any machine, that use the same Redis and key.

    Within a process it is first come, first served. A permit that was taken for a request which was
    then cancelled is not given back. Close it after the clients that use it: it is a context
    manager for `async with`.

    Args:
        url: Such as `redis://localhost:6379/0`, or `rediss://` or `unix://`.
        amount: Requests in any period, all processes together.
        per: Seconds, whole ones.
        key: Names the limit; others who use the key share it.
        on_failure: What a Redis that is down or silent does to a request: "fail" has it fail with a
            `RateLimiterError`, before anything of it was sent, and be repeated as a lost connection
            is; "pass" lets it through, and logs a warning when that begins.
        timeout: Seconds that Redis may take for an answer; with "pass" also the time after which a
            Redis that failed is asked again.

    Raises:
        ConfigurationError: A setting cannot work.
    """

    def __init__(
        self,
        url: str,
        amount: int,
        *,
        per: int = 1,
        key: str = "webrtc-async",
        on_failure: Literal["fail", "pass"] = "fail",
        timeout: float = 1.0,
    ) -> None:
        check_count("RedisRateLimiter.amount", amount)
        check_count("RedisRateLimiter.per", per)
        check_seconds("RedisRateLimiter.timeout", timeout)
        if on_failure not in ("fail", "pass"):
            raise ConfigurationError('RedisRateLimiter.on_failure is "fail" or "pass".')
        self._url = url
        self._open_pool()  # so that a wrong URL is refused here; nothing is connected
        self._item: RateLimitItem = RateLimitItemPerSecond(amount, per)
        self._key = key
        self._lets_pass = on_failure == "pass"
        self._timeout = timeout
        self._home: tuple[object, int] | None = None
        self._pool: ConnectionPool | None = None
        self._window: MovingWindowRateLimiter
        self._turn: anyio.Lock
        self._failure: Exception | None = None
        self._failed_at = 0.0
        self._pools: list[ConnectionPool] = []

    async def acquire(self) -> None:
        """Return when one more request may be sent.

        Raises:
            RateLimiterError: Redis failed, and on_failure is "fail".
            ConfigurationError: The event loop is not asyncio's.
        """
        self._settle()
        arrived = time.monotonic()
        # One at a time, which keeps the order, and one connection.
        async with self._turn:
            if not self._is_down(arrived):
                try:
                    await self._take()
                except (RedisError, OSError) as error:  # of which TimeoutError is one
                    self._see_failure(error)
                else:
                    self._see_success()
        if self._failure is not None and not self._lets_pass:
            raise RateLimiterError(
                f"the Redis of the rate limiter gave no answer ({type(self._failure).__name__})."
            ) from self._failure

    async def aclose(self) -> None:
        """Close the connections to Redis; another request opens them anew."""
        pool, self._pool, home, self._home = self._pool, None, self._home, None
        if pool is not None and home == (current_event_loop(), forks()):
            self._pools.remove(pool)
            await pool.disconnect()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _take(self) -> None:
        while not await self._within_timeout(self._window.hit(self._item, self._key)):
            stats = self._window.get_window_stats(self._item, self._key)
            free_at = (await self._within_timeout(stats)).reset_time
            await anyio.sleep(max(_SHORTEST_WAIT, free_at - time.time()))

    async def _within_timeout(self, question: Awaitable[AnswerT]) -> AnswerT:
        with anyio.fail_after(self._timeout):
            return await question

    def _is_down(self, arrived: float) -> bool:
        """Whether Redis is not asked, because it has failed since, or has just failed."""
        if self._failure is None:
            return False
        ends = self._failed_at + self._timeout if self._lets_pass else self._failed_at
        return arrived <= ends

    def _see_failure(self, error: Exception) -> None:
        if self._failure is None and self._lets_pass:
            _log.warning(
                "The Redis of the rate limiter gave no answer (%s): requests pass unlimited.",
                type(error).__name__,
            )
        self._failure, self._failed_at = error, time.monotonic()

    def _see_success(self) -> None:
        if self._failure is not None and self._lets_pass:
            _log.warning("The Redis of the rate limiter answers again.")
        self._failure = None

    def _settle(self) -> None:
        """Make sure that the connections belong to this event loop and process."""
        home = (current_event_loop(), forks())
        if home == self._home:
            return
        if not isinstance(home[0], asyncio.AbstractEventLoop):
            raise ConfigurationError("A RedisRateLimiter needs asyncio, because redis-py does.")
        self._home, self._pool, self._turn = home, self._open_pool(), anyio.Lock()
        # Kept, because collecting what a parent process still uses would end its connections.
        self._pools.append(self._pool)
        # Beyond its declared kinds of options, which it hands on to redis-py.
        options: Any = {"connection_pool": self._pool}
        storage = RedisStorage("async+redis://", implementation="redispy", **options)
        self._window = MovingWindowRateLimiter(storage)

    def _open_pool(self) -> ConnectionPool:
        try:
            pool: ConnectionPool = ConnectionPool.from_url(self._url)  # pyright: ignore[reportUnknownMemberType]
        except (ValueError, TypeError, AttributeError) as error:
            # Not its text, which may repeat a password.
            raise ConfigurationError(
                f"RedisRateLimiter.url cannot be used ({type(error).__name__}): it must look like "
                "redis://localhost:6379/0."
            ) from None
        return pool

    def __repr__(self) -> str:
        return f"<RedisRateLimiter {self._item} for {self._key!r}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "A RedisRateLimiter is not pickled: its URL may hold a password. Make one with the "
            "same key in the other process."
        )
