"""The queue in front of the rate limiter."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

from webrtc_async._tasks.slot import Slot
from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async._transport.rate_limiter import RateLimiter, wait_for_permit
from webrtc_async.errors.outcome import Stage


class Throttle:
    """The queue in front of the rate limiter, so that permits that nobody can use do not pile up.

    Args:
        slots: Calls that ask for a permit or use one at the same time, at most.
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

        Args:
            rate_limiter: The rate limiter.
            state: Told the stage.
            holder: The holder of the slot.

        Raises:
            WebRtcError: There is no permit; nothing was sent.
        """
        has_slot = False
        try:
            async with Slot(self._limiter, holder):
                has_slot = True
                await self._ask(rate_limiter, state)
                yield
        except BaseException:
            if self._is_short and not has_slot:
                state.stage = Stage.THROTTLED
            raise

    async def _ask(self, rate_limiter: RateLimiter, state: AttemptState) -> None:
        self._asking += 1
        self._is_short = True
        try:
            await wait_for_permit(rate_limiter, state)
        finally:
            self._asking -= 1
        # Not after a cancellation: calls that are cancelled with this one have waited for the rate
        # limiter, and not for a connection.
        self._is_short = self._asking > 0
