"""A bare asyncio socket with as little HTTP as this one server needs: the floor for any client."""

import asyncio
import base64
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from benchmarks.contestants.service import (
    ACCOUNT,
    PARTICIPANT,
    PASSWORD,
    SESSION_ID,
    USER,
    ServiceAddress,
)

ROOT = f"/v1/accounts/{ACCOUNT}"
HEAD = (
    "%s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    f"Authorization: Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}\r\n"
    "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
)


class Connection(asyncio.Protocol):
    """One connection; it reads responses with a Content-Length, whole or in pieces."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = b""

    def send(self, request: bytes, response: asyncio.Future[bytes]) -> None:
        self._response = response
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        data = self._received + data
        head, separator, body = data.partition(b"\r\n\r\n")
        length = head.partition(b"Content-Length: ")[2].partition(b"\r")[0]
        if separator and len(body) == int(length or 0):
            self._received = b""
            self._response.set_result(body)
        else:
            self._received = data

    def close(self) -> None:
        # Without the TLS handshake of a close, which the end of the event loop would cut off.
        self._transport.abort()


class BareSocket:
    """Calls over at most as many connections as the address allows."""

    def __init__(self, address: ServiceAddress) -> None:
        self._loop = asyncio.get_running_loop()
        self._port = urlsplit(address.url).port or 80
        self._context = address.ssl_context()
        self._unopened = address.connections
        self._waiting: deque[asyncio.Future[Connection]] = deque()
        self.idle: list[Connection] = []

    async def create_participant(self) -> str:
        body = json.dumps(PARTICIPANT)
        return json.loads(await self._ask(f"POST {ROOT}/participants", body))["participant"]["id"]

    async def list_participants(self) -> int:
        return len(json.loads(await self._ask(f"GET {ROOT}/sessions/{SESSION_ID}/participants")))

    async def _ask(self, line: str, body: str = "") -> bytes:
        connection = self.idle.pop() if self.idle else await self._take_connection()
        response: asyncio.Future[bytes] = self._loop.create_future()
        connection.send((HEAD % (line, len(body), body)).encode(), response)
        received = await response
        if self._waiting:
            self._waiting.popleft().set_result(connection)
        else:
            self.idle.append(connection)
        return received

    async def _take_connection(self) -> Connection:
        if not self._unopened:
            self._waiting.append(self._loop.create_future())
            return await self._waiting[-1]
        self._unopened -= 1
        _, connection = await self._loop.create_connection(
            Connection, "127.0.0.1", self._port, ssl=self._context
        )
        return connection


@asynccontextmanager
async def connect(address: ServiceAddress) -> AsyncIterator[BareSocket]:
    client = BareSocket(address)
    try:
        yield client
    finally:
        for each in client.idle:
            each.close()
        await asyncio.sleep(0)
