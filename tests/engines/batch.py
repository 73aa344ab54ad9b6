"""A batch of plans as one job of an engine; the journal makes it one that may run again."""

import asyncio
from pathlib import Path

from webrtc_async import AsyncWebRtcClient, Conference, ConferencePlan, Journal


async def set_up_batch(
    base_url: str, journal: Path, plans: list[ConferencePlan]
) -> list[Conference]:
    """Set a batch up, going on where an earlier run of the same batch was ended."""
    async with AsyncWebRtcClient("9900000", auth=("user", "password"), base_url=base_url) as client:
        kept = Journal(journal, keep_tokens=True)
        return [
            result.get()
            async for result in client.set_up(plans, concurrency=4, on_error="stop", journal=kept)
        ]


def set_up_batch_blocking(
    base_url: str, journal: Path, plans: list[ConferencePlan]
) -> list[Conference]:
    """Do the same for an engine whose jobs are plain functions."""
    return asyncio.run(set_up_batch(base_url, journal, plans))
