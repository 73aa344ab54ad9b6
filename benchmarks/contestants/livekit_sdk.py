"""LiveKit's API client: as many calls of its own room service, typed, with a token for each."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from livekit import api

from benchmarks.contestants.service import DEADLINE, Place


class LiveKit:
    def __init__(self, client: api.LiveKitAPI) -> None:
        self._room = client.room

    async def create_session(self) -> str:
        return (await self._room.create_room(api.CreateRoomRequest(name="visit-42"))).sid

    async def create_participant(self) -> str:
        wanted = api.CreateRoomRequest(
            name="visit-42-doctor", empty_timeout=300, max_participants=20, metadata="AUDIO VIDEO"
        )
        return (await self._room.create_room(wanted)).sid

    async def add(self, session: str, participant: str) -> None:
        await self._room.update_participant(
            api.UpdateParticipantRequest(room=session, identity=participant, metadata=session)
        )

    async def delete_participant(self, participant: str) -> None:
        await self._room.remove_participant(
            api.RoomParticipantIdentity(room="visit-42", identity=participant)
        )

    async def delete_session(self, session: str) -> None:
        await self._room.delete_room(api.DeleteRoomRequest(room=session))


@asynccontextmanager
async def connected(place: Place) -> AsyncIterator[LiveKit]:
    async with (
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=place.connections, ssl=place.context() or True),
            timeout=aiohttp.ClientTimeout(total=DEADLINE),
        ) as session,
        api.LiveKitAPI(place.url, "APIkey", "secret" * 8, session=session) as client,
    ):
        yield LiveKit(client)
