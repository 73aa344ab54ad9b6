"""How many requests may be sent in a time: the seam for limits, and the limit of one process."""

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
"""Seconds that a clock may be behind a timer that it has just run."""


@runtime_checkable
class RateLimiter(Protocol):
    """Tells each request when it may be sent.

    A client asks once for every request, repeated ones included, when a connection is free for it:
    so at most `max_connections` requests that may be sent have not been.
    """

    async def acquire(self) -> None:
        """Return when one more request may be sent.

        Who waits is cancelled when the call is, or its deadline passes.

        Raises:
            WebRtcError: It cannot be said; nothing is sent. Anything else that is raised becomes a
                `RateLimiterError`.
        """
        ...


class Turns:
    """A queue for each event loop, because waking those of another one takes its own means."""

    def __init__(self) -> None:
        self._queues = RunVar[anyio.Lock](f"turns of {id(self)}")

    def here(self) -> anyio.Lock:
        """Return the queue of the event loop that runs."""
        queue = self._queues.get(None)
        if queue is None:
            queue = anyio.Lock()
            self._queues.set(queue)
        return queue


@define(eq=False)
class LocalRateLimiter:
    """A limit for all clients of this process that are given it, first come, first served.

    In any period of that length at most so many requests are let go, which may be all at once; one
    more after a wait that the event loop was late to end. The time that it was late is not lost to
    those who follow.

    Attributes:
        amount: Requests in a period.
        per: Seconds.
        clock: Tells the seconds since some moment, the same for all event loops; for tests.
        sleep: Pauses for seconds; for tests.

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
            # When it was due, and not when the sleeper awoke: lateness would add up.
            self._taken.append(max(due, arrived))
            return 0


async def wait_for_permit(limiter: RateLimiter, state: AttemptState) -> None:
    """Wait until a request may be sent.

    Raises:
        WebRtcError: It may not be; nothing of it was sent.
    """
    state.stage = Stage.THROTTLED
    try:
        await limiter.acquire()
    except WebRtcError:
        raise
    except Exception as error:  # a user's own limiter may raise anything
        raise RateLimiterError(f"the rate limiter failed ({type(error).__name__}).") from error
