"""Where calls stand that a rate limiter will let go, and what those behind them wait for."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

from webrtc_async._tasks.slot import Slot
from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async._transport.rate_limiter import RateLimiter, wait_for_permit
from webrtc_async.errors.outcome import Stage


class Throttle:
    """Places of their own for throttled calls, so that permits nobody can use yet do not pile up.

    Args:
        places: How many calls at a time ask for a permit or use one.
    """

    def __init__(self, places: int) -> None:
        self._limiter = anyio.CapacityLimiter(places)
        self._asking = 0
        self._is_short = False

    @asynccontextmanager
    async def permit(
        self, rate_limiter: RateLimiter, state: AttemptState, holder: object
    ) -> AsyncGenerator[None]:
        """Wait for a place and a permit; the place is free again afterwards.

        Args:
            rate_limiter: Gives the permit.
            state: Told what is waited for.
            holder: Has the place.

        Raises:
            WebRtcError: There is no permit; nothing was sent.
        """
        has_place = False
        try:
            async with Slot(self._limiter, holder):
                has_place = True
                await self._ask(rate_limiter, state)
                yield
        except BaseException:
            if self._is_short and not has_place:
                state.stage = Stage.THROTTLED
            raise

    async def _ask(self, rate_limiter: RateLimiter, state: AttemptState) -> None:
        self._asking += 1
        self._is_short = True
        try:
            await wait_for_permit(rate_limiter, state)
        finally:
            self._asking -= 1
        # Not where it was cut off: then those behind it, cut off with it, still waited for the
        # limiter and not for a connection.
        self._is_short = self._asking > 0
