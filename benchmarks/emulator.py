"""How fast and how small the emulator is.

All is measured in one run, in rounds that take turns, and compared by medians. What counts is the
ratios: other work on the machine slows down whatever takes turns alike.
"""

import asyncio
import base64
import contextlib
import gc
import multiprocessing
import os
import re
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path

import httpx
import uvicorn
from attrs import define, field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.report import keep, machine
from webrtc_async._protocol.wire import WireRequest
from webrtc_async.emulator import Emulator, EmulatorTransport
from webrtc_async.emulator.doors.server import bind, serve

ROUNDS = 11
IN_PROCESS, OVER_TCP = 1_200, 960
"""Requests in a round."""

CONNECTIONS = 8
SESSIONS = 100_000
PATH = "/v1/accounts/9900000/sessions"
HEADERS = {"authorization": "Basic " + base64.b64encode(b"user:password").decode()}

Counted = Callable[[int], Awaitable[None]]
"""Makes a number of requests."""


@define
class Contender:
    """Something that takes a number of requests, and how many a second it took in each round."""

    name: str
    take: Counted
    requests: int
    rates: list[float] = field(factory=list)

    async def run(self) -> None:
        gc.collect()
        started = time.perf_counter()
        await self.take(self.requests)
        self.rates.append(self.requests / (time.perf_counter() - started))

    @property
    def median(self) -> float:
        return statistics.median(self.rates)

    def row(self, beside: "Contender | None" = None) -> str:
        ratio = "" if beside is None else f"{ratio_of(self, beside):.2f}"
        spread = f"{min(self.rates):,.0f} to {max(self.rates):,.0f}"
        return f"| {self.name} | {self.median:,.0f} | {spread} | {ratio} |"


def ratio_of(one: Contender, other: Contender) -> float:
    """Return how many times as fast one is, by the median of the rounds' own ratios."""
    return statistics.median(a / b for a, b in zip(one.rates, other.rates, strict=True))


def handled_directly() -> Counted:
    """Create, get and delete sessions by calls of `Emulator.handle`."""
    emulator = Emulator()

    async def take(requests: int) -> None:
        for _ in range(requests // 3):
            made = emulator.handle(ask("POST", PATH, b'{"tag":"visit-42"}'))
            path = f"{PATH}/{made.content[7:43].decode()}"
            emulator.handle(ask("GET", path))
            emulator.handle(ask("DELETE", path))

    return take


def ask(method: str, path: str, content: bytes = b"") -> WireRequest:
    return WireRequest(method=method, target=path, headers=HEADERS, content=content)


def asked_by(client: httpx.AsyncClient) -> Counted:
    """Create, get and delete sessions by an HTTP client."""

    async def take(requests: int) -> None:
        for _ in range(requests // 3):
            made = await client.post(
                f"http://x{PATH}", content=b'{"tag":"visit-42"}', headers=HEADERS
            )
            path = f"http://x{PATH}/{made.json()['id']}"
            await client.get(path, headers=HEADERS)
            await client.delete(path, headers=HEADERS)

    return take


def answers_at_once(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"id": "75c21163-e110-41bc-bd76-1bb428ec85d5"})


def asked_over_tcp(port: int) -> Counted:
    """Create, get and delete sessions over bare sockets, whose client costs next to nothing."""
    head = f"host: x\r\nauthorization: {HEADERS['authorization']}\r\n"

    async def work(requests: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def exchange(method: str, path: str, content: bytes = b"") -> bytes:
            length = f"content-length: {len(content)}\r\n" if content else ""
            writer.write(f"{method} {path} HTTP/1.1\r\n{head}{length}\r\n".encode() + content)
            answer = (await reader.readuntil(b"\r\n\r\n")).lower()
            found = re.search(rb"content-length: (\d+)", answer)
            return await reader.readexactly(int(found[1]) if found else 0)

        for _ in range(requests // 3):
            made = await exchange("POST", PATH, b'{"tag":"visit-42"}')
            path = f"{PATH}/{made[7:43].decode()}"
            await exchange("GET", path)
            await exchange("DELETE", path)
        writer.close()
        await writer.wait_closed()

    async def take(requests: int) -> None:
        await asyncio.gather(*(work(requests // CONNECTIONS) for _ in range(CONNECTIONS)))

    return take


def serve_emulator(port: Connection) -> None:
    with bind("127.0.0.1", 0) as listening:
        port.send(listening.getsockname()[1])
        serve(Emulator(), listening)


def serve_bare_route(port: Connection) -> None:
    """Serve one route of starlette's, which reads the body and answers a fixed session."""

    async def answer(request: Request) -> Response:
        await request.body()
        if request.method == "DELETE":
            return Response(status_code=204)
        return Response(
            b'{"id":"75c21163-e110-41bc-bd76-1bb428ec85d5","tag":"visit-42"}',
            media_type="application/json",
        )

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "DELETE"])])
    with bind("127.0.0.1", 0) as listening:
        port.send(listening.getsockname()[1])
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none")
        uvicorn.Server(config).run(sockets=[listening])


@contextlib.contextmanager
def in_process_of_its_own(serving: Callable[[Connection], None]) -> Iterator[int]:
    """Run a server, and give the port that it listens on."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serving, args=(there,), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


async def measure_speed(rounds: int) -> list[str]:
    with (
        in_process_of_its_own(serve_emulator) as emulator_port,
        in_process_of_its_own(serve_bare_route) as bare_port,
    ):
        async with (
            httpx.AsyncClient(transport=EmulatorTransport(Emulator())) as inside,
            httpx.AsyncClient(transport=httpx.MockTransport(answers_at_once)) as mocked,
        ):
            handle = Contender("`Emulator.handle`", handled_directly(), IN_PROCESS)
            mock = Contender("httpx, `MockTransport`", asked_by(mocked), IN_PROCESS)
            transport = Contender("httpx, `EmulatorTransport`", asked_by(inside), IN_PROCESS)
            route = Contender(
                "uvicorn, a bare starlette route", asked_over_tcp(bare_port), OVER_TCP
            )
            tcp = Contender("uvicorn, the emulator", asked_over_tcp(emulator_port), OVER_TCP)
            contenders = (handle, mock, transport, route, tcp)
            for contender in contenders:
                await contender.take(CONNECTIONS * 3)
            for number in range(rounds):
                # Turned round each time, so that nobody always comes after the same one.
                for contender in contenders[:: 1 if number % 2 else -1]:
                    await contender.run()
    return [
        "| Requests a second | median | lowest to highest | times as fast as the line above |",
        "|---|--:|--:|--:|",
        handle.row(),
        mock.row(),
        transport.row(mock),
        route.row(),
        tcp.row(route),
    ]


def measure_memory() -> str:
    """Return what 100,000 sessions add to this process, by what the system has given it."""
    emulator = Emulator()
    gc.collect()
    before = resident()
    for number in range(SESSIONS):
        emulator.handle(ask("POST", PATH, b'{"tag":"session-%d"}' % number))
    gc.collect()
    held = len(emulator.session_ids("9900000"))
    return f"{held:,} sessions are held in {(resident() - before) / 1e6:,.0f} MB."


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main(*, quick: bool = False) -> None:
    where = machine()
    memory = measure_memory()
    rows = asyncio.run(measure_speed(2 if quick else ROUNDS))
    packages = ", ".join(f"{name} {version(name)}" for name in ("starlette", "uvicorn"))
    keep(
        "emulator",
        "\n\n".join(
            [
                "# The emulator's speed and size",
                f"{where} {packages}.",
                "In rounds in which all took turns; over TCP by "
                f"{CONNECTIONS} connections of bare sockets, to servers in processes of their own.",
                "\n".join(rows),
                memory,
            ]
        ),
        quick=quick,
    )


if __name__ == "__main__":
    main()
