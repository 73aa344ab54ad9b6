"""A rate limit that processes share through Redis, built on the library `limits`.

It needs the extra `webrtc-async[redis]`, and asyncio, because redis-py does.

It uses the moving window of `limits`: Redis stores the times of the last requests, so no period
exceeds the limit, wherever it begins. A fixed window and a sliding window counter cost Redis less,
but allow nearly twice as many requests around the edge of a window. The processes provide the
times, so their clocks must agree.
"""

import logging
import time
from collections.abc import Awaitable
from types import TracebackType
from typing import Any, Final, Literal, NamedTuple, NoReturn, Self, TypeVar

import anyio
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from webrtc_async._config.validation import check_count, check_seconds
from webrtc_async._protocol.hidden_frames import hide_init_frames
from webrtc_async._tasks.event_loop import PerLoop, is_asyncio
from webrtc_async.errors import ConfigurationError, RateLimiterError

ReplyT = TypeVar("ReplyT")

_MIN_WAIT: Final = 0.001
"""Seconds before Redis is asked again, at least, if another process took the permit."""

_logger: Final = logging.getLogger("webrtc_async")


@hide_init_frames
class RedisRateLimiter:
    """A rate limiter for all clients, on any machine, that use the same Redis and key.

    Within a process, requests are served in order of arrival. A cancelled request does not return
    its permit. The limiter is an async context manager; close it after the clients that use it.

    Args:
        url: The URL of Redis, such as `redis://localhost:6379/0`; also `rediss://` or `unix://`.
        amount: Requests of all processes in any period, at most.
        per: The period in whole seconds.
        key: The name of the limit; limiters with the same key share it.
        on_failure: The effect on a request if Redis is down or silent. "fail" raises
            `RateLimiterError` before anything is sent, and the request is repeated like a failed
            connection. "pass" sends the request, and logs a warning once.
        timeout: Seconds to wait for Redis. With "pass" also the time until Redis is asked again
            after a failure.

    Raises:
        ConfigurationError: A setting is invalid.
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
        self._open_pool()  # rejects an invalid URL now; it does not connect
        self._item: RateLimitItem = RateLimitItemPerSecond(amount, per)
        self._key = key
        self._lets_pass = on_failure == "pass"
        self._timeout = timeout
        self._queues = PerLoop(self._make_queue, _close)
        self._failure: Exception | None = None
        self._failed_at = 0.0

    async def acquire(self) -> None:
        """Wait until one more request may be sent.

        Raises:
            RateLimiterError: Redis failed and on_failure is "fail".
            ConfigurationError: The event loop is not asyncio's.
        """
        queue = self._queues.get()
        arrived = time.monotonic()
        # One at a time: this keeps the order and needs one connection.
        async with queue.turn:
            if not self._is_down(arrived):
                try:
                    await self._take(queue.window)
                except (RedisError, OSError) as error:  # TimeoutError is an OSError
                    self._see_failure(error)
                else:
                    self._see_success()
        if self._failure is not None and not self._lets_pass:
            raise RateLimiterError(
                f"the rate limiter's Redis did not respond ({type(self._failure).__name__}). "
                'Check that it is reachable, or use on_failure="pass".'
            ) from self._failure

    async def aclose(self) -> None:
        """Close the connections to Redis; the next request opens new ones."""
        await self._queues.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _take(self, window: MovingWindowRateLimiter) -> None:
        while not await self._within_timeout(window.hit(self._item, self._key)):
            stats = window.get_window_stats(self._item, self._key)
            free_at = (await self._within_timeout(stats)).reset_time
            await anyio.sleep(max(_MIN_WAIT, free_at - time.time()))

    async def _within_timeout(self, command: Awaitable[ReplyT]) -> ReplyT:
        with anyio.fail_after(self._timeout):
            return await command

    def _is_down(self, arrived: float) -> bool:
        """Return True if Redis failed after this request arrived, or a moment before."""
        if self._failure is None:
            return False
        ends = self._failed_at + self._timeout if self._lets_pass else self._failed_at
        return arrived <= ends

    def _see_failure(self, error: Exception) -> None:
        if self._failure is None and self._lets_pass:
            _logger.warning(
                "The rate limiter's Redis did not respond (%s): requests are sent without a limit.",
                type(error).__name__,
            )
        self._failure, self._failed_at = error, time.monotonic()

    def _see_success(self) -> None:
        if self._failure is not None and self._lets_pass:
            _logger.warning("The rate limiter's Redis responds again: requests are limited.")
        self._failure = None

    def _make_queue(self) -> "_Queue":
        if not is_asyncio():
            raise ConfigurationError("A RedisRateLimiter needs asyncio, because redis-py does.")
        pool = self._open_pool()
        # limits passes these options on to redis-py, but does not declare their types.
        options: Any = {"connection_pool": pool}
        storage = RedisStorage("async+redis://", implementation="redispy", **options)
        return _Queue(pool, MovingWindowRateLimiter(storage), anyio.Lock())

    def _open_pool(self) -> ConnectionPool:
        try:
            pool: ConnectionPool = ConnectionPool.from_url(self._url)  # pyright: ignore[reportUnknownMemberType]
        except (ValueError, TypeError, AttributeError) as error:
            # Without the text of the error, which may contain a password.
            raise ConfigurationError(
                f"RedisRateLimiter.url is invalid ({type(error).__name__}): it must look like "
                "redis://localhost:6379/0."
            ) from None
        return pool

    def __repr__(self) -> str:
        return f"<RedisRateLimiter {self._item} for {self._key!r}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "A RedisRateLimiter cannot be pickled: its URL may hold a password. Make one with the "
            "same key in the other process."
        )


class _Queue(NamedTuple):
    """The requests of one event loop: its connections, the limit, and a turn for each request."""

    pool: ConnectionPool
    window: MovingWindowRateLimiter
    turn: anyio.Lock


async def _close(queue: _Queue) -> None:
    await queue.pool.disconnect()
