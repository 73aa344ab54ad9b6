"""A process that creates sessions within a limit that it shares through Redis."""

import asyncio
import sys

from webrtc_async import AsyncWebRtcClient
from webrtc_async.redis import RedisRateLimiter


async def main(base_url: str, redis: str, amount: int, sessions: int, connections: int) -> None:
    """Create sessions as fast as the limit allows."""
    async with (
        RedisRateLimiter(redis, amount) as limiter,
        AsyncWebRtcClient(
            "9900000",
            auth=("user", "password"),
            base_url=base_url,
            max_connections=connections,
            rate_limiter=limiter,
        ) as client,
        asyncio.TaskGroup() as tasks,
    ):
        for _ in range(sessions):
            tasks.create_task(client.create_session())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])))
