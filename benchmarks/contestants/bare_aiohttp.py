"""aiohttp: a dict goes in, a dict comes out."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from benchmarks.contestants.service import (
    ACCOUNT,
    DEADLINE,
    PARTICIPANT,
    PASSWORD,
    SESSION_ID,
    USER,
    ServiceAddress,
)


class BareAiohttp:
    def __init__(self, client: aiohttp.ClientSession, url: str) -> None:
        self._client = client
        account = f"{url}/v1/accounts/{ACCOUNT}"
        self._participants = f"{account}/participants"
        self._list = f"{account}/sessions/{SESSION_ID}/participants"

    async def create_participant(self) -> str:
        async with self._client.post(self._participants, json=PARTICIPANT) as response:
            return (await response.json())["participant"]["id"]

    async def list_participants(self) -> int:
        async with self._client.get(self._list) as response:
            return len(await response.json())


@asynccontextmanager
async def connect(address: ServiceAddress) -> AsyncIterator[BareAiohttp]:
    # aiohttp deprecates its BasicAuth in favour of the header itself.
    credentials = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    connector = aiohttp.TCPConnector(limit=address.connections, ssl=address.ssl_context() or True)
    async with aiohttp.ClientSession(
        headers={"Authorization": f"Basic {credentials}"},
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=DEADLINE),
        raise_for_status=True,
    ) as client:
        yield BareAiohttp(client, address.url)
        # Without the TLS handshake of a close, which the end of the event loop would cut off.
        await connector.close(abort_ssl=True)
    await asyncio.sleep(0)
