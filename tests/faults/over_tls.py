"""The matrix over TLS: the same faults of a server, behind every kind of TLS."""

import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final

import attrs
from attrs import frozen
from support.scripted import listening
from support.tls import SETUPS, TlsSetup

from .matrix import KINDS, ROWS
from .row import Cell, Expected, Row, lost
from .scene import Scene, Stage

COLUMNS: Final = ("direct", "send")
"""The package's own pool, by its direct door and by `AsyncClient.send`."""

LOOPS: Final = {"asyncio": {}, "uvloop": {"use_uvloop": True}}

LONG_ROWS: Final = {"44e"}
"""Rows with megabytes of encrypted bytes."""

HAVE_TLS: Final = {"5e", "5h", "5u", "45s"}

OTHERWISE: Final[dict[str, tuple[Expected, Expected]]] = {
    # The server of these scenes closes without TLS's close_notify, so the body may be cut off.
    "45r": (lost(3, 200), lost(1, 200)),
}
"""Results that differ from those without TLS."""


def over_tls(stage: Stage, setup: TlsSetup) -> Stage:
    """Set up a scene whose server speaks TLS."""

    @asynccontextmanager
    async def behind() -> AsyncIterator[Scene]:
        async with stage() as scene:
            server = scene.server
            assert server is not None
            server.is_tls = True

            async def serve(stream) -> None:
                await server.serve(setup.over(stream))

            async with listening(serve, setup.context()) as server.port:
                scene.base_url = server.url()
                yield scene

    return behind


def is_of_a_server(row: Row) -> bool:
    """Return True for a fault of an HTTP server; others are about connecting, or have TLS."""
    return row.stage.__qualname__.startswith("wire.") and row.number not in HAVE_TLS


def secured(row: Row, setup: TlsSetup) -> Row:
    """Return a row whose server speaks TLS."""
    repeatable, create = OTHERWISE.get(row.number, (row.repeatable, row.create))
    stage = over_tls(row.stage, setup)
    return attrs.evolve(row, stage=stage, repeatable=repeatable, create=create)


@frozen
class TlsCell(Cell):
    """A cell of the matrix behind one kind of TLS, on one event loop.

    Attributes:
        setup: The kind of TLS.
        loop: The event loop.
        is_short: True for one cell of each row that takes less than half a second.
    """

    setup: str
    loop: str
    is_short: bool

    def __str__(self) -> str:
        return f"{self.setup}-{self.loop}-{super().__str__()}"


def cells_of(number: int, row: Row) -> Iterator[TlsCell]:
    """Yield a row's cells: with each kind of TLS on each loop, columns and kinds in turn."""
    places = list(enumerate(itertools.product(SETUPS, LOOPS)))
    columns = list(itertools.product(COLUMNS, KINDS if row.create is not None else KINDS[:1]))
    first = number % len(places)
    # A row that waits for its deadline is slow.
    for place, (setup, loop) in places if row.deadline > 1 else places[first : first + 1]:
        column, kind = columns[(number + place // 2 + place % 2 * 2) % len(columns)]
        credentials = row.credentials[(number + place) % len(row.credentials)]
        is_short = place == first and row.deadline > 1 and row.number not in LONG_ROWS
        behind = secured(row, SETUPS[setup])
        yield TlsCell(behind, column, kind, credentials, setup, loop, is_short)


TLS_CELLS: Final = [
    cell
    for number, row in enumerate(filter(is_of_a_server, ROWS))
    for cell in cells_of(number, row)
]
