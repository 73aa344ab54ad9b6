"""Rate limits: the interface, and a limit for one process."""

import math
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, runtime_checkable

import anyio
from anyio.lowlevel import RunVar
from attrs import define, field

from webrtc_async._config.validation import check_count, check_seconds
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


class Turns:
    """A queue for each event loop, because one loop cannot wake the tasks of another."""

    def __init__(self) -> None:
        self._queues = RunVar[anyio.Lock](f"turns of {id(self)}")

    def here(self) -> anyio.Lock:
        """Return the queue of the running event loop."""
        queue = self._queues.get(None)
        if queue is None:
            queue = anyio.Lock()
            self._queues.set(queue)
        return queue


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
    _turns: Turns = field(factory=Turns, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        check_count("LocalRateLimiter.amount", self.amount)
        check_seconds("LocalRateLimiter.per", self.per)
        self._taken = deque(maxlen=self.amount)

    async def acquire(self) -> None:
        """Return when one more request may be sent."""
        async with self._turns.here():
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


async def wait_for_permit(limiter: RateLimiter, state: AttemptState) -> None:
    """Wait until a request may be sent.

    Raises:
        WebRtcError: It may not be sent; nothing was sent.
    """
    state.stage = Stage.THROTTLED
    try:
        await limiter.acquire()
    except WebRtcError:
        raise
    except Exception as error:  # a user's limiter may raise anything
        raise RateLimiterError(f"the rate limiter failed ({type(error).__name__}).") from error
