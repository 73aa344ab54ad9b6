"""The floor: a socket of asyncio's and as little HTTP as this one server needs; no client."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from benchmarks.contestants.service import ACCOUNT, PARTICIPANT, PASSWORD, USER, Place

HEAD = (
    f"POST /v1/accounts/{ACCOUNT}/participants HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    f"Authorization: Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}\r\n"
    "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
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
        if found and len(body) == int(head.partition(b"Content-Length: ")[2].partition(b"\r")[0]):
            self._received = b""
            self._answer.set_result(body)
        else:
            self._received = data

    def close(self) -> None:
        self._transport.close()


class BareSocket:
    def __init__(self, loop: asyncio.AbstractEventLoop, port: int) -> None:
        self._loop = loop
        self._port = port
        self.idle: list[Exchange] = []

    async def create_participant(self) -> str:
        if self.idle:
            connection = self.idle.pop()
        else:
            _, connection = await self._loop.create_connection(Exchange, "127.0.0.1", self._port)
        body = json.dumps(PARTICIPANT)
        answer: asyncio.Future[bytes] = self._loop.create_future()
        connection.send(((HEAD % len(body)) + body).encode(), answer)
        created = json.loads(await answer)
        self.idle.append(connection)
        return created["participant"]["id"]


@asynccontextmanager
async def connected(place: Place) -> AsyncIterator[BareSocket]:
    service = BareSocket(asyncio.get_running_loop(), urlsplit(place.url).port or 80)
    try:
        yield service
    finally:
        for each in service.idle:
            each.close()
