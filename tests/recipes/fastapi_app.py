"""FastAPI: one client for the life of the application, passed by a dependency."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Request

from webrtc_async import AsyncWebRtcClient


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, AsyncWebRtcClient]]:
    async with AsyncWebRtcClient.from_env() as client:
        yield {"webrtc": client}


app = FastAPI(lifespan=lifespan)


def webrtc(request: Request) -> AsyncWebRtcClient:
    return request.state.webrtc


@app.post("/rooms")
async def open_room(client: Annotated[AsyncWebRtcClient, Depends(webrtc)]) -> str:
    return (await client.create_session()).id
