"""aiohttp: one client for the life of the application, by cleanup_ctx."""

from collections.abc import AsyncIterator

from aiohttp import web

from webrtc_async import AsyncWebRtcClient, Session, to_wire

WEBRTC = web.AppKey("webrtc", AsyncWebRtcClient)


async def webrtc(app: web.Application) -> AsyncIterator[None]:
    async with AsyncWebRtcClient.from_env() as client:
        app[WEBRTC] = client
        yield


async def open_room(request: web.Request) -> web.Response:
    session = await request.app[WEBRTC].create_session(Session(tag=request.match_info["tag"]))
    return web.json_response(to_wire(session))


app = web.Application()
app.cleanup_ctx.append(webrtc)
app.router.add_post("/rooms/{tag}", open_room)
