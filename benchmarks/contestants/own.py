"""This package: typed both ways, strict, with retry, deadline, caps and errors on.

Nothing is turned off.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.contestants.service import ACCOUNT, DEADLINE, PASSWORD, USER, Place
from webrtc_async import AsyncWebRtcClient, Participant, Session, Subscriptions


class Own:
    def __init__(self, client: AsyncWebRtcClient) -> None:
        self._client = client
        self._session = Session(tag="visit-42")
        self._participant = Participant(
            callback_url="https://example.com/callbacks/webrtc",
            publish_permissions=["AUDIO", "VIDEO"],
            tag="visit-42-doctor",
            device_api_version="V3",
        )

    async def create_session(self) -> str:
        return (await self._client.create_session(self._session)).id

    async def create_participant(self) -> str:
        return (await self._client.create_participant(self._participant)).participant.id

    async def add(self, session: str, participant: str) -> None:
        await self._client.add_participant_to_session(
            session_id=session,
            participant_id=participant,
            subscriptions=Subscriptions.everyone(session),
        )

    async def delete_participant(self, participant: str) -> None:
        await self._client.delete_participant(participant)

    async def delete_session(self, session: str) -> None:
        await self._client.delete_session(session)


@asynccontextmanager
async def connected(place: Place) -> AsyncIterator[Own]:
    async with AsyncWebRtcClient(
        ACCOUNT,
        auth=(USER, PASSWORD),
        base_url=f"{place.url}/v1",
        deadline=DEADLINE,
        max_connections=place.connections,
        ssl_context=place.context(),
    ) as client:
        yield Own(client)


def loaded(_: Place, *, names: list[str]) -> dict[str, list[str]]:
    """Return which of these modules the jobs before have loaded."""
    return {"loaded": [name for name in names if name in sys.modules]}
