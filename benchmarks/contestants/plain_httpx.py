"""httpx: a dict goes in, a dict comes out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from benchmarks.contestants.service import (
    ACCOUNT,
    DEADLINE,
    NAMES,
    PARTICIPANT,
    PASSWORD,
    SESSION_ID,
    USER,
    ServiceAddress,
)


class PlainHttpx:
    def __init__(self, client: httpx.AsyncClient, address: ServiceAddress) -> None:
        self._client = client
        self._account = f"{address.url}/v1/accounts/{ACCOUNT}"
        self._participants = f"{self._account}/participants"
        self._list = f"{self._account}/sessions/{SESSION_ID}/participants"
        self._slots = asyncio.Semaphore(address.connections)

    async def create_participant(self) -> str:
        response = await self._client.post(self._participants, json=PARTICIPANT)
        return response.raise_for_status().json()["participant"]["id"]

    async def list_participants(self) -> int:
        return len((await self._client.get(self._list)).raise_for_status().json())

    async def run_conferences(self, count: int) -> None:
        """Loop by hand: no retry, no roll-back, no types."""
        await asyncio.gather(*(self._run_conference() for _ in range(count)))

    async def _run_conference(self) -> None:
        async with self._slots:
            session = (await self._ask("POST", "/sessions")).json()["id"]
            ids = []
            for _ in NAMES:
                created = (await self._ask("POST", "/participants")).json()
                ids.append(created["participant"]["id"])
                path = f"/sessions/{session}/participants/{ids[-1]}"
                await self._ask("PUT", path, {"sessionId": session})
        async with self._slots:
            for each in ids:
                await self._ask("DELETE", f"/participants/{each}")
            await self._ask("DELETE", f"/sessions/{session}")

    async def _ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        response = await self._client.request(method, f"{self._account}{path}", json=body)
        return response.raise_for_status()


@asynccontextmanager
async def connect(address: ServiceAddress) -> AsyncIterator[PlainHttpx]:
    limits = httpx.Limits(
        max_connections=address.connections, max_keepalive_connections=address.connections
    )
    async with httpx.AsyncClient(
        auth=(USER, PASSWORD),
        limits=limits,
        timeout=DEADLINE,
        trust_env=False,
        verify=address.ssl_context() or True,
    ) as client:
        yield PlainHttpx(client, address)
