"""Every fault on every transport, for calls that may arrive twice and for creates."""

import pytest
from faults.matrix import CELLS, WAITS_FOR, try_cell
from faults.row import Cell

pytestmark = pytest.mark.anyio


def param(cell: Cell):
    """Return a cell as a parameter; one that cannot pass yet, or ever, must fail."""
    reason = cell.row.cannot.get(cell.transport) or WAITS_FOR.get(cell.row.number)
    marks = [] if reason is None else [pytest.mark.xfail(reason=reason, strict=True)]
    return pytest.param(cell, id=str(cell), marks=marks)


@pytest.mark.parametrize("cell", [param(cell) for cell in CELLS])
async def test_a_fault_comes_to_what_it_must(cell: Cell) -> None:
    """The right error or value, requests, time; nothing leaks or stays; later calls succeed."""
    await try_cell(cell)
