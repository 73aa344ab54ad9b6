"""arq: one client for each worker process, closed when the worker stops."""

from typing import Any, ClassVar

from webrtc_async import AsyncWebRtcClient, Session


async def open_client(context: dict[str, Any]) -> None:
    context["webrtc"] = AsyncWebRtcClient.from_env()


async def close_client(context: dict[str, Any]) -> None:
    await context["webrtc"].aclose()


async def open_room(context: dict[str, Any], tag: str) -> str:
    return (await context["webrtc"].create_session(Session(tag=tag))).id


class WorkerSettings:
    functions: ClassVar = [open_room]
    on_startup = open_client
    on_shutdown = close_client
