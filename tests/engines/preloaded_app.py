"""An app with a client that is used before the server forks, as with gunicorn --preload."""

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
    """Close the client when its worker ends."""
    async with client:
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/rooms")
async def open_room() -> tuple[int, str]:
    """Return this process and a new session; find the session from before the fork."""
    await client.get_session(lobby)
    return os.getpid(), (await client.create_session()).id
