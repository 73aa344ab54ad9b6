"""httpx: a dict goes in, a dict comes out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from benchmarks.contestants.service import ACCOUNT, DEADLINE, PARTICIPANT, PASSWORD, USER, Place


class PlainHttpx:
    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        self._account = f"{url}/v1/accounts/{ACCOUNT}"
        self._participants = f"{self._account}/participants"

    async def create_session(self) -> str:
        created = await self._client.post(f"{self._account}/sessions", json={"tag": "visit-42"})
        return created.raise_for_status().json()["id"]

    async def create_participant(self) -> str:
        created = await self._client.post(self._participants, json=PARTICIPANT)
        return created.raise_for_status().json()["participant"]["id"]

    async def add(self, session: str, participant: str) -> None:
        url = f"{self._account}/sessions/{session}/participants/{participant}"
        (await self._client.put(url, json={"sessionId": session})).raise_for_status()

    async def delete_participant(self, participant: str) -> None:
        (await self._client.delete(f"{self._participants}/{participant}")).raise_for_status()

    async def delete_session(self, session: str) -> None:
        (await self._client.delete(f"{self._account}/sessions/{session}")).raise_for_status()


@asynccontextmanager
async def connected(place: Place) -> AsyncIterator[PlainHttpx]:
    limits = httpx.Limits(
        max_connections=place.connections, max_keepalive_connections=place.connections
    )
    async with httpx.AsyncClient(
        auth=(USER, PASSWORD),
        limits=limits,
        timeout=DEADLINE,
        trust_env=False,
        verify=place.context() or True,
    ) as client:
        yield PlainHttpx(client, place.url)
