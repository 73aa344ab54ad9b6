"""webrtc_async with everything on: typed both ways, strict, with retry, deadline and caps."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.contestants.service import (
    ACCOUNT,
    DEADLINE,
    NAMES,
    PASSWORD,
    SESSION_ID,
    USER,
    ServiceAddress,
)
from webrtc_async import AsyncWebRtcClient, ConferencePlan, Participant


class WebrtcAsyncClient:
    def __init__(self, client: AsyncWebRtcClient, connections: int) -> None:
        self.client = client
        self._connections = connections
        self._participant = Participant(
            callback_url="https://example.com/callbacks/webrtc",
            publish_permissions=["AUDIO", "VIDEO"],
            tag="visit-42-doctor",
            device_api_version="V3",
        )

    async def create_participant(self) -> str:
        return (await self.client.create_participant(self._participant)).participant.id

    async def list_participants(self) -> int:
        return len(await self.client.list_session_participants(SESSION_ID))

    async def run_conferences(self, count: int) -> None:
        """Use `set_up` and `tear_down`, with all their promises."""
        plans = (ConferencePlan(NAMES, key=f"visit-{number}") for number in range(count))
        results = self.client.set_up(plans, concurrency=self._connections)
        conferences = [result.get() async for result in results]
        async for gone in self.client.tear_down(conferences, concurrency=self._connections):
            assert gone.error is None


@asynccontextmanager
async def connect(address: ServiceAddress) -> AsyncIterator[WebrtcAsyncClient]:
    async with AsyncWebRtcClient(
        ACCOUNT,
        auth=(USER, PASSWORD),
        base_url=f"{address.url}/v1",
        deadline=DEADLINE,
        max_connections=address.connections,
        ssl_context=address.ssl_context(),
    ) as client:
        yield WebrtcAsyncClient(client, address.connections)
