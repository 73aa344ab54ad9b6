"""An app whose client is made and used before its server forks, as by gunicorn's --preload."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from webrtc_async import AsyncWebRtcClient

client = AsyncWebRtcClient.from_env()
lobby = asyncio.run(client.create_session()).id


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Close each worker's connections with it."""
    async with client:
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/rooms")
async def open_room() -> tuple[int, str]:
    """Tell which process made which session; it must still find the one from before the fork."""
    await client.get_session(lobby)
    return os.getpid(), (await client.create_session()).id
