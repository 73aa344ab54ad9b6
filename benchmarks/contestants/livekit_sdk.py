"""LiveKit's API client: its participants are tokens made without a request, deleted with the room.

A conference takes 2 requests where Bandwidth's API takes 14.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from livekit import api

from benchmarks.contestants.service import NAMES, ServiceAddress

KEY, SECRET = "key", "a secret of thirty-two characters"


class LiveKit:
    def __init__(self, client: api.LiveKitAPI, connections: int) -> None:
        self._room = client.room
        self._slots = asyncio.Semaphore(connections)

    async def run_conferences(self, count: int) -> None:
        await asyncio.gather(*(self._run_conference(number) for number in range(count)))

    async def _run_conference(self, number: int) -> None:
        room = f"room-{number}"
        async with self._slots:
            await self._room.create_room(api.CreateRoomRequest(name=room))
            grants = api.VideoGrants(room_join=True, room=room)
            for name in NAMES:
                api.AccessToken(KEY, SECRET).with_identity(name).with_grants(grants).to_jwt()
        async with self._slots:
            await self._room.delete_room(api.DeleteRoomRequest(room=room))


@asynccontextmanager
async def connect(address: ServiceAddress) -> AsyncIterator[LiveKit]:
    async with api.LiveKitAPI(address.url, KEY, SECRET) as client:
        yield LiveKit(client, address.connections)
