"""Rate limits: the interface, a limit for one process, and the queue in front of it."""

import math
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, Protocol, runtime_checkable

import anyio
from anyio.lowlevel import RunVar
from attrs import define, field

from webrtc_async._config.validation import check_count, check_seconds
from webrtc_async._tasks.slot import Slot
from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async.errors import RateLimiterError, WebRtcError
from webrtc_async.errors.outcome import Stage

_RESOLUTION: Final = 1e-6
"""Seconds that a clock may be behind a timer that has just fired."""


@runtime_checkable
class RateLimiter(Protocol):
    """A limiter that tells each request when it may be sent.

    A client asks once for every request, retries included, when a connection is free for it. So at
    most `max_connections` requests have a permit and were not sent.
    """

    async def acquire(self) -> None:
        """Return when one more request may be sent.

        The wait is cancelled with the call and at its deadline.

        Raises:
            WebRtcError: There is no permit; nothing is sent. Any other exception becomes a
                `RateLimiterError`.
        """
        ...


@define(eq=False)
class LocalRateLimiter:
    """A limit for all clients of this process that share it: first come, first served.

    In any `per` seconds at most `amount` requests may be sent, possibly all at once, and one more
    if the event loop ended a wait late. Later requests do not lose the time that it was late.

    Attributes:
        amount: Requests in a period.
        per: Seconds of a period.
        clock: Returns the time in seconds, the same for all event loops; for tests.
        sleep: Sleeps for some seconds; for tests.

    Raises:
        ConfigurationError: The amount is not a whole number of at least 1, or per not above 0.
    """

    amount: int
    per: float = field(default=1.0, kw_only=True)
    clock: Callable[[], float] = field(default=time.monotonic, kw_only=True, repr=False)
    sleep: Callable[[float], Awaitable[None]] = field(default=anyio.sleep, kw_only=True, repr=False)
    _taken: deque[float] = field(init=False, repr=False)
    _guard: threading.Lock = field(factory=threading.Lock, init=False, repr=False)
    # One loop cannot wake the tasks of another, so each has a queue of its own.
    _queues: RunVar[anyio.Lock] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        check_count("LocalRateLimiter.amount", self.amount)
        check_seconds("LocalRateLimiter.per", self.per)
        self._taken = deque(maxlen=self.amount)
        self._queues = RunVar(f"queue of {id(self)}")

    async def acquire(self) -> None:
        """Return when one more request may be sent."""
        if (queue := self._queues.get(None)) is None:
            self._queues.set(queue := anyio.Lock())
        async with queue:
            arrived = self.clock()
            while (wait := self._take(arrived)) > 0:
                await self.sleep(wait)

    def _take(self, arrived: float) -> float:
        """Take a permit and return 0, or return the seconds until there is one."""
        with self._guard:
            is_full = len(self._taken) == self.amount
            due = self._taken[0] + self.per if is_full else -math.inf
            wait = due - self.clock()
            if wait > _RESOLUTION:
                return wait
            # The time that it was due, not the time that the sleeper woke: delays would add up.
            self._taken.append(max(due, arrived))
            return 0


class Throttle:
    """The queue in front of the rate limiter, so that permits that nobody can use do not pile up.

    Only so many calls as there are slots ask for a permit or use one at the same time.
    """

    def __init__(self, slots: int) -> None:
        self._limiter = anyio.CapacityLimiter(slots)
        self._asking = 0
        self._is_short = False

    @asynccontextmanager
    async def permit(
        self, rate_limiter: RateLimiter, state: AttemptState, holder: object
    ) -> AsyncGenerator[None]:
        """Hold a slot with a permit; wait until there is one.

        Raises:
            WebRtcError: There is no permit; nothing was sent.
        """
        has_slot = False
        try:
            async with Slot(self._limiter, holder):
                has_slot = True
                state.stage = Stage.THROTTLED
                await self._ask(rate_limiter)
                yield
        except BaseException:
            if self._is_short and not has_slot:
                state.stage = Stage.THROTTLED
            raise

    async def _ask(self, rate_limiter: RateLimiter) -> None:
        self._asking += 1
        self._is_short = True
        try:
            await rate_limiter.acquire()
        except WebRtcError:
            raise
        except Exception as error:  # a user's limiter may raise anything
            raise RateLimiterError(f"the rate limiter failed ({type(error).__name__}).") from error
        finally:
            self._asking -= 1
        # Not after a cancellation: calls that are cancelled with this one have waited for the rate
        # limiter, and not for a connection.
        self._is_short = self._asking > 0
