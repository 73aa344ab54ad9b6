"""A place of a limiter, held by an object."""

import anyio


class Slot:
    """Entered with a free place, or once one is free."""

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
