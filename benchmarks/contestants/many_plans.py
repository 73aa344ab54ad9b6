"""webrtc_async over a transport that keeps nothing, so that only the client can grow."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from benchmarks.contestants.service import ACCOUNT, PASSWORD, USER, ServiceAddress
from webrtc_async import AsyncWebRtcClient, ConferencePlan


class ForgetfulTransport(httpx.AsyncBaseTransport):
    """Responds as the service does, and keeps nothing."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        created = str(uuid.uuid4())
        if request.method != "POST":
            return httpx.Response(204)
        if request.url.path.endswith("/sessions"):
            return httpx.Response(200, json={"id": created})
        return httpx.Response(200, json={"participant": {"id": created}, "token": "t" * 200})


class ManyPlans:
    def __init__(self, client: AsyncWebRtcClient) -> None:
        self._client = client

    async def set_up(self, count: int, journal: str | None = None) -> None:
        plans = (ConferencePlan(["a"], key=f"visit-{number}") for number in range(count))
        async for result in self._client.set_up(plans, journal=journal):
            result.get()


@asynccontextmanager
async def connect(_: ServiceAddress) -> AsyncIterator[ManyPlans]:
    transport = ForgetfulTransport()
    async with AsyncWebRtcClient(ACCOUNT, auth=(USER, PASSWORD), transport=transport) as client:
        yield ManyPlans(client)
