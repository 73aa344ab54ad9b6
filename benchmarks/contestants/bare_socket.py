"""The floor: a socket of asyncio's and as little HTTP as this one server needs; no client."""

import asyncio
import base64
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from benchmarks.contestants.service import ACCOUNT, PARTICIPANT, PASSWORD, USER, Place

ROOT = f"/v1/accounts/{ACCOUNT}"
HEAD = (
    "%s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    f"Authorization: Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}\r\n"
    "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
)


class Exchange(asyncio.Protocol):
    """One connection; it reads answers that have a length and come whole or in pieces."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = b""

    def send(self, content: bytes, answer: asyncio.Future[bytes]) -> None:
        self._answer = answer
        self._transport.write(content)

    def data_received(self, data: bytes) -> None:
        data = self._received + data
        head, found, body = data.partition(b"\r\n\r\n")
        length = head.partition(b"Content-Length: ")[2].partition(b"\r")[0]
        if found and len(body) == int(length or 0):
            self._received = b""
            self._answer.set_result(body)
        else:
            self._received = data

    def close(self) -> None:
        self._transport.close()


class BareSocket:
    def __init__(self, place: Place) -> None:
        self._loop = asyncio.get_running_loop()
        self._port = urlsplit(place.url).port or 80
        self._context = place.context()
        self._left = place.connections
        self._waiting: deque[asyncio.Future[Exchange]] = deque()
        self.idle: list[Exchange] = []

    async def create_session(self) -> str:
        return json.loads(await self._ask(f"POST {ROOT}/sessions", {"tag": "visit-42"}))["id"]

    async def create_participant(self) -> str:
        created = json.loads(await self._ask(f"POST {ROOT}/participants", PARTICIPANT))
        return created["participant"]["id"]

    async def add(self, session: str, participant: str) -> None:
        line = f"PUT {ROOT}/sessions/{session}/participants/{participant}"
        await self._ask(line, {"sessionId": session})

    async def delete_participant(self, participant: str) -> None:
        await self._ask(f"DELETE {ROOT}/participants/{participant}")

    async def delete_session(self, session: str) -> None:
        await self._ask(f"DELETE {ROOT}/sessions/{session}")

    async def _ask(self, line: str, content: object = None) -> bytes:
        connection = self.idle.pop() if self.idle else await self._another()
        body = "" if content is None else json.dumps(content)
        answer: asyncio.Future[bytes] = self._loop.create_future()
        connection.send((HEAD % (line, len(body), body)).encode(), answer)
        answered = await answer
        if self._waiting:
            self._waiting.popleft().set_result(connection)
        else:
            self.idle.append(connection)
        return answered

    async def _another(self) -> Exchange:
        if not self._left:
            self._waiting.append(self._loop.create_future())
            return await self._waiting[-1]
        self._left -= 1
        _, connection = await self._loop.create_connection(
            Exchange, "127.0.0.1", self._port, ssl=self._context
        )
        return connection


@asynccontextmanager
async def connected(place: Place) -> AsyncIterator[BareSocket]:
    service = BareSocket(place)
    try:
        yield service
    finally:
        for each in service.idle:
            each.close()
