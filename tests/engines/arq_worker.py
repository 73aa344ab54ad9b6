"""A worker of arq's whose job sets up a batch of plans; arq runs it again if the worker dies."""

import os
from pathlib import Path
from typing import Any

from arq.connections import RedisSettings
from batch import set_up_batch

from webrtc_async import Conference, ConferencePlan


async def set_up(_: dict[Any, Any], batch: int, plans: list[ConferencePlan]) -> list[Conference]:
    """Set up a batch."""
    journal = Path(os.environ["JOURNALS"]) / str(batch)
    return await set_up_batch(os.environ["BASE_URL"], journal, plans)


class WorkerSettings:
    """What arq reads."""

    functions = (set_up,)
    redis_settings = RedisSettings(port=int(os.environ.get("REDIS_PORT", "6379")))
    max_jobs = 1
    poll_delay = 0.05
    # The job of a worker that died is free again when this and ten seconds have passed.
    job_timeout = 15
