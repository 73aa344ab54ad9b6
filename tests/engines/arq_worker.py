"""An arq worker with a job that sets up a batch of plans; arq retries it if the worker dies."""

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
    """The settings that arq reads."""

    functions = (set_up,)
    redis_settings = RedisSettings(port=int(os.environ.get("REDIS_PORT", "6379")))
    max_jobs = 1
    poll_delay = 0.05
    # arq retries the job of a dead worker after this time plus ten seconds.
    job_timeout = 15
