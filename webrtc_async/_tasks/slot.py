"""A slot of a limiter."""

import anyio


class Slot:
    """Holds one slot of the limiter while entered; entering waits until one is free.

    Args:
        limiter: The limiter.
        holder: The object that the limiter counts as the holder, instead of the current task.
    """

    def __init__(self, limiter: anyio.CapacityLimiter, holder: object) -> None:
        self._limiter = limiter
        self._holder = holder

    async def __aenter__(self) -> None:
        if self._limiter.available_tokens > 0:
            self._limiter.acquire_on_behalf_of_nowait(self._holder)
        else:
            await self._limiter.acquire_on_behalf_of(self._holder)

    async def __aexit__(self, *_: object) -> None:
        self._limiter.release_on_behalf_of(self._holder)
