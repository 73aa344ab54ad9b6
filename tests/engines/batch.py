"""A batch of plans as one job; its journal makes the job safe to retry."""

import asyncio
from pathlib import Path

from webrtc_async import AsyncWebRtcClient, Conference, ConferencePlan, Journal


async def set_up_batch(
    base_url: str, journal: Path, plans: list[ConferencePlan]
) -> list[Conference]:
    """Set up a batch, and continue where an earlier run of it ended."""
    async with AsyncWebRtcClient("9900000", auth=("user", "password"), base_url=base_url) as client:
        kept = Journal(journal, keep_tokens=True)
        return [
            result.get()
            async for result in client.set_up(plans, concurrency=4, on_error="stop", journal=kept)
        ]


def set_up_batch_blocking(
    base_url: str, journal: Path, plans: list[ConferencePlan]
) -> list[Conference]:
    """Set up a batch as a plain function, for engines without async jobs."""
    return asyncio.run(set_up_batch(base_url, journal, plans))
