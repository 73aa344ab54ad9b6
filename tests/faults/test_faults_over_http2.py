"""Every fault over HTTP/2, by an `AsyncClient(http2=True)` that the client was given."""

import pytest

from faults.matrix import CELLS_OVER_HTTP2, try_cell
from faults.over_http2 import CANNOT
from faults.row import Cell
from faults.rows_of_bodies import ROWS_OF_BODIES
from faults.rows_of_secrets import ROWS_OF_SECRETS
from faults.rows_of_statuses import ROWS_OF_STATUSES

SLOW_ROWS = {"3", "21", "22", "23", "24", "24e", "44e", "62s"}

READ_ALIKE = {row.number for row in (*ROWS_OF_BODIES, *ROWS_OF_STATUSES, *ROWS_OF_SECRETS)}
"""Rows about what a response says, whatever protocol brings it."""


def param(cell: Cell, backend: str):
    """Return a cell as parameters; a cell that cannot pass is not run."""
    reason = CANNOT.get((cell.row.number, cell.transport))
    marks = [] if reason is None else [pytest.mark.skip(reason=reason)]
    is_native = cell.row.number.startswith("h2")
    is_first = cell.transport == "http2" and backend == "asyncio"
    is_short = is_native or (cell.kind == "create" and cell.row.number not in READ_ALIKE)
    if not (is_first and is_short) or cell.row.number in SLOW_ROWS:
        marks.append(pytest.mark.slow)
    return pytest.param(cell, (backend, {}), id=f"{backend}-{cell}", marks=marks)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("cell", "anyio_backend"),
    [param(cell, backend) for cell in CELLS_OVER_HTTP2 for backend in ("asyncio", "trio")],
)
async def test_a_fault_has_its_expected_result(cell: Cell, anyio_backend: object) -> None:
    """The result, requests and time are those over HTTP/1.1; nothing leaks."""
    await try_cell(cell)
