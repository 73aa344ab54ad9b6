"""A Celery worker with a client that is used before the prefork pool forks."""

import asyncio
import os

from celery import Celery

from webrtc_async import AsyncWebRtcClient

client = AsyncWebRtcClient.from_env()
lobby = asyncio.run(client.create_session()).id
app = Celery(
    broker="filesystem://",
    broker_transport_options=dict.fromkeys(
        ["data_folder_in", "data_folder_out", "control_folder"], os.environ["MESSAGES"]
    ),
    worker_prefetch_multiplier=1,
    task_ignore_result=True,
)


@app.task(name="open_room")
def open_room() -> None:
    """Create a session in an event loop of this task."""

    async def create() -> None:
        await client.get_session(lobby)
        await client.create_session()

    asyncio.run(create())
