"""aiohttp: a dict goes in, a dict comes out."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from benchmarks.contestants.service import ACCOUNT, DEADLINE, PARTICIPANT, PASSWORD, USER, Place


class BareAiohttp:
    def __init__(self, client: aiohttp.ClientSession, url: str) -> None:
        self._client = client
        self._account = f"{url}/v1/accounts/{ACCOUNT}"
        self._participants = f"{self._account}/participants"

    async def create_session(self) -> str:
        url = f"{self._account}/sessions"
        async with self._client.post(url, json={"tag": "visit-42"}) as created:
            return (await created.json())["id"]

    async def create_participant(self) -> str:
        async with self._client.post(self._participants, json=PARTICIPANT) as created:
            return (await created.json())["participant"]["id"]

    async def add(self, session: str, participant: str) -> None:
        url = f"{self._account}/sessions/{session}/participants/{participant}"
        async with self._client.put(url, json={"sessionId": session}):
            pass

    async def delete_participant(self, participant: str) -> None:
        async with self._client.delete(f"{self._participants}/{participant}"):
            pass

    async def delete_session(self, session: str) -> None:
        async with self._client.delete(f"{self._account}/sessions/{session}"):
            pass


@asynccontextmanager
async def connected(place: Place) -> AsyncIterator[BareAiohttp]:
    # Its BasicAuth is deprecated in favour of the header itself.
    encoded = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    async with aiohttp.ClientSession(
        headers={"Authorization": f"Basic {encoded}"},
        connector=aiohttp.TCPConnector(limit=place.connections, ssl=place.context() or True),
        timeout=aiohttp.ClientTimeout(total=DEADLINE),
        raise_for_status=True,
    ) as client:
        yield BareAiohttp(client, place.url)
