"""The emulator's speed and size.

Sessions are created, read and deleted: in process by calls or by httpx, and over TCP by 8
connections of bare sockets to a server in another process. All take turns.
"""

import asyncio
import base64
import gc
import os
import re
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median

import httpx
from attrs import define, field

from benchmarks.report import Spread, conditions, publish, table
from benchmarks.servers.process import serving
from webrtc_async._protocol.wire import WireRequest
from webrtc_async.emulator import Emulator, EmulatorTransport

REQUESTS = 1_200
CONNECTIONS = 8
SESSIONS = 10_000
PATH = "/v1/accounts/9900000/sessions"
BODY = b'{"tag":"visit-42"}'
HEADERS = {"authorization": "Basic " + base64.b64encode(b"user:password").decode()}

Ask = Callable[[str, str, bytes], Awaitable[bytes]]
"""Sends a method, a path and a body, and returns the response's body."""


@define
class Contender:
    """A way to reach the emulator, or one to compare it with.

    Attributes:
        name: Its name in the table.
        run: Makes this many requests.
        seconds: The time that each round took.
    """

    name: str
    run: Callable[[int], Awaitable[None]]
    seconds: list[float] = field(factory=list)

    async def measure(self) -> None:
        gc.collect()
        started = time.perf_counter()
        await self.run(REQUESTS)
        self.seconds.append(time.perf_counter() - started)

    def row(self, beside: "Contender | None" = None) -> list[str]:
        ratio = "" if beside is None else str(Spread.of_ratios(self.seconds, beside.seconds))
        return [self.name, f"{REQUESTS / median(self.seconds):,.0f}", ratio]


async def make_requests(ask: Ask, number: int) -> None:
    """Create, read and delete sessions, one request after the other."""
    for _ in range(number // 3):
        created = await ask("POST", PATH, BODY)
        path = f"{PATH}/{created[7:43].decode()}"
        await ask("GET", path, b"")
        await ask("DELETE", path, b"")


def by_call(emulator: Emulator) -> Callable[[int], Awaitable[None]]:
    """Return requests that call `Emulator.handle`."""

    async def ask(method: str, path: str, content: bytes) -> bytes:
        return handle(emulator, method, path, content)

    return lambda number: make_requests(ask, number)


def handle(emulator: Emulator, method: str, path: str, content: bytes) -> bytes:
    """Return the body of the emulator's response."""
    request = WireRequest(method=method, target=path, headers=HEADERS, content=content)
    return emulator.handle(request).content


def by_httpx(client: httpx.AsyncClient) -> Callable[[int], Awaitable[None]]:
    """Return requests that httpx makes."""

    async def ask(method: str, path: str, content: bytes) -> bytes:
        url = f"http://emulator{path}"
        return (await client.request(method, url, content=content, headers=HEADERS)).content

    return lambda number: make_requests(ask, number)


def respond(_: httpx.Request) -> httpx.Response:
    """Return a session to every request."""
    return httpx.Response(200, json={"id": "75c21163-e110-41bc-bd76-1bb428ec85d5"})


def over_tcp(port: int) -> Callable[[int], Awaitable[None]]:
    """Return requests over several connections, whose client costs almost nothing."""
    head = f"host: x\r\nauthorization: {HEADERS['authorization']}\r\n"

    async def connection(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def ask(method: str, path: str, content: bytes) -> bytes:
            length = f"content-length: {len(content)}\r\n" if content else ""
            writer.write(f"{method} {path} HTTP/1.1\r\n{head}{length}\r\n".encode() + content)
            response = (await reader.readuntil(b"\r\n\r\n")).lower()
            found = re.search(rb"content-length: (\d+)", response)
            return await reader.readexactly(int(found[1]) if found else 0)

        await make_requests(ask, number)
        writer.close()
        await writer.wait_closed()

    async def run(number: int) -> None:
        share = number // CONNECTIONS
        await asyncio.gather(*(connection(share) for _ in range(CONNECTIONS)))

    return run


async def measure_speed(rounds: int) -> str:
    """Return the table of requests per second."""
    with serving("emulator") as served, serving("starlette_route") as bare:
        async with (
            httpx.AsyncClient(transport=EmulatorTransport(Emulator())) as emulated,
            httpx.AsyncClient(transport=httpx.MockTransport(respond)) as mocked,
        ):
            call = Contender("`Emulator.handle`", by_call(Emulator()))
            mock = Contender("httpx, `MockTransport`", by_httpx(mocked))
            transport = Contender("httpx, `EmulatorTransport`", by_httpx(emulated))
            route = Contender("uvicorn, a bare Starlette route", over_tcp(bare.port))
            tcp = Contender("uvicorn, the emulator", over_tcp(served.port))
            contenders = (call, mock, transport, route, tcp)
            for each in contenders:
                await each.run(CONNECTIONS * 3)
            for number in range(rounds):
                for each in contenders[:: 1 if number % 2 else -1]:
                    await each.measure()
    rows = [call.row(), mock.row(), transport.row(mock), route.row(), tcp.row(route)]
    return table(["server", "requests a second", "time / the line above"], rows)


def measure_memory() -> str:
    """Return the memory that a session takes in the emulator."""
    emulator = Emulator()
    gc.collect()
    before = resident_memory()
    for _ in range(SESSIONS):
        handle(emulator, "POST", PATH, BODY)
    gc.collect()
    each = (resident_memory() - before) / SESSIONS
    return f"{SESSIONS:,} sessions take {each:,.0f} bytes each."


def resident_memory() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main(*, quick: bool = False) -> None:
    """Measure the emulator, and publish it as emulator.md."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("starlette", "uvicorn"))
    where = f"{conditions()} {packages}."
    memory = measure_memory()
    speed = asyncio.run(measure_speed(2 if quick else 11))
    publish("emulator", f"# The emulator\n\n{__doc__}\n{where}", speed, memory, quick=quick)
