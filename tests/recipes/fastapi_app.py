"""FastAPI: one client for the life of the application, passed by a dependency."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from webrtc_async import AsyncWebRtcClient, InvalidArgumentError, Session, from_wire, to_wire


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, AsyncWebRtcClient]]:
    async with AsyncWebRtcClient.from_env() as client:
        yield {"webrtc": client}


app = FastAPI(lifespan=lifespan)


def webrtc(request: Request) -> AsyncWebRtcClient:
    return request.state.webrtc


WebRtc = Annotated[AsyncWebRtcClient, Depends(webrtc)]


@app.exception_handler(InvalidArgumentError)
async def reject(_: Request, error: InvalidArgumentError) -> JSONResponse:
    return JSONResponse({"detail": error.message}, 422)


@app.post("/rooms")
async def open_room(client: WebRtc, room: dict[str, object] | None = None) -> dict[str, object]:
    return to_wire(await client.create_session(from_wire(Session, room or {})))


@app.get("/rooms/{room}")
async def show_room(client: WebRtc, room: str) -> dict[str, object]:
    return to_wire(await client.get_session(room))
