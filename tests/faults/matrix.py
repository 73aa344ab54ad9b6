"""The whole matrix: its rows, its transports, its cells, and a trial of one cell."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
from support.scripted import policy

from webrtc_async import AsyncWebRtcClient, WebRtcError

from .elsewhere import HELD
from .over_http2 import LIBRARIES, over_http2
from .row import Cell, Expected, Kind
from .rows_of_bodies import ROWS_OF_BODIES
from .rows_of_connecting import ROWS_OF_CONNECTING
from .rows_of_framing import ROWS_OF_FRAMING
from .rows_of_http2 import ROWS_OF_HTTP2
from .rows_of_secrets import ROWS_OF_SECRETS
from .rows_of_statuses import ROWS_OF_STATUSES
from .scene import GOOD, Scene, trusting
from .sinks import Lag, Sinks, bind_to_loop, left_open

TRANSPORTS: Final[dict[str, dict[str, Any]]] = {
    "direct": {},
    "send": {},
    "httpx": {"http_library": "httpx"},
    "httpx2": {"http_library": "httpx2"},
}
"""The settings that choose a transport; `hook` adds an event hook for `send`."""

BACKENDS: Final = dict.fromkeys(("direct", "send"), ("asyncio",)) | dict.fromkeys(
    ("httpx", "httpx2"), ("asyncio", "trio")
)
"""The event loops of a transport; on trio httpx serves, if the user names no library."""

KINDS: Final[tuple[Kind, ...]] = ("repeatable", "create")
ROWS: Final = [
    *ROWS_OF_CONNECTING,
    *ROWS_OF_FRAMING,
    *ROWS_OF_BODIES,
    *ROWS_OF_STATUSES,
    *ROWS_OF_SECRETS,
]
CELLS: Final = [
    # In turn, so that each row and each transport gets every kind of credentials.
    Cell(row, transport, kind, row.credentials[(number + place + turn) % len(row.credentials)])
    for number, row in enumerate(ROWS)
    for place, transport in enumerate(TRANSPORTS)
    for turn, kind in enumerate(KINDS)
    if kind == "repeatable" or row.create is not None
]
CELLS_OVER_HTTP2: Final = [
    Cell(row, transport, kind, row.credentials[(number + turn) % len(row.credentials)])
    for number, row in enumerate([*ROWS, *ROWS_OF_HTTP2])
    for transport in LIBRARIES
    for turn, kind in enumerate(KINDS)
    if kind == "repeatable" or row.create is not None
]


def summary() -> str:
    """Return the size of the matrix in one line; a cell counts once per backend."""
    cells = [(cell, backend) for cell in CELLS for backend in BACKENDS[cell.transport]]
    unmet = sum(cell.transport in cell.row.cannot for cell, _ in cells)
    return (
        f"{len(ROWS)} faults of a call x repeatable and create x direct and send (asyncio), httpx "
        f"and httpx2 (asyncio and trio): {len(cells)} cells, {len(cells) - unmet} met, "
        f"{unmet} not; {sum(bool(held.tests) for held in HELD)} faults of other kinds, "
        "by tests of their own"
    )


def client_at(scene: Scene, cell: Cell, auth: Any, sinks: Sinks) -> AsyncWebRtcClient:
    """Return the client of a cell, without pauses between attempts."""
    client = AsyncWebRtcClient(
        "9900000",
        base_url=scene.base_url,
        retry=policy(attempts=3, **cell.row.settings),
        deadline=cell.row.deadline,
        observers=[sinks.observer],
        **TRANSPORTS.get(cell.transport, {}),
        **{"auth": auth, "ssl_context": trusting(), **scene.settings},
    )
    return hook(client, cell.transport)


def hook(client: AsyncWebRtcClient, transport: str) -> AsyncWebRtcClient:
    """Add an event hook, so that the named transport sends through `AsyncClient.send`."""

    async def do_nothing(_: object) -> None:
        pass

    if transport == "send":
        client.http_client.event_hooks["request"].append(do_nothing)
    return client


async def outcome_of(client: AsyncWebRtcClient, cell: Cell) -> tuple[object, float, float]:
    """Return a call's result or error, its seconds, and the loop's own lag."""
    lag = Lag()
    async with anyio.create_task_group() as tasks:
        await tasks.start(lag.watch)
        started = anyio.current_time()
        result: object
        try:
            result = await cell.perform(client)
        except WebRtcError as error:
            result = error
        elapsed = anyio.current_time() - started
        tasks.cancel_scope.cancel()
    return result, elapsed, lag.worst


async def try_cell(cell: Cell) -> None:
    """Apply the fault always, then once, then never, and check each result."""
    before = left_open()
    async with staged(cell) as (scene, client, sinks):
        await struck(cell, scene, client, cell.expected, sinks)
        if cell.row.heals:
            scene.meet(None, GOOD)
            repeats = cell.expected.error is not None and cell.expected.requests > 1
            healed = Expected(requests=2) if repeats else cell.expected
            await struck(cell, scene, client, healed, sinks)
            scene.meet(GOOD)
            for _ in range(3):
                assert (await client.get_session("s-1")).id == "s-1"
        else:
            await struck(cell, scene, client, cell.expected, sinks)
    assert await bind_to_loop(before) <= before


@asynccontextmanager
async def staged(cell: Cell) -> AsyncIterator[tuple[Scene, AsyncWebRtcClient, Sinks]]:
    """Set up the servers and credentials of a cell while the body runs."""
    with Sinks() as sinks:
        async with (
            cell.row.stage() as scene,
            cell.credentials.given() as auth,
            over_http2(cell, scene),
            client_at(scene, cell, auth, sinks) as client,
        ):
            if cell.row.is_warm:
                scene.meet(GOOD, None)
                await client.get_session("s-1")
            yield scene, client, sinks


async def struck(
    cell: Cell, scene: Scene, client: AsyncWebRtcClient, expected: Expected, sinks: Sinks
) -> None:
    """Make a call and compare its result with the expected one."""
    seen = scene.seen
    result, elapsed, lag = await outcome_of(client, cell)
    expected.check(result, scene.seen - seen)
    assert not (leaks := sinks.leaks_of(result)), " ".join(leaks)
    assert elapsed <= cell.row.deadline + 0.05 + lag
