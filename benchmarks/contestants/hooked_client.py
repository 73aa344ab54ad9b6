"""webrtc_async with an event hook, so that every call passes `httpx.AsyncClient.send`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.contestants import webrtc_async_client
from benchmarks.contestants.service import ServiceAddress


async def see(request: object) -> None:
    """Do nothing with a request."""


@asynccontextmanager
async def connect(
    address: ServiceAddress,
) -> AsyncIterator[webrtc_async_client.WebrtcAsyncClient]:
    async with webrtc_async_client.connect(address) as contestant:
        contestant.client.http_client.event_hooks["request"].append(see)
        yield contestant
