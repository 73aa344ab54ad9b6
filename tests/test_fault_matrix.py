"""Every fault on every transport, for calls that may arrive twice and for creates."""

import ast
from pathlib import Path

import pytest
from faults.elsewhere import HELD
from faults.matrix import BACKENDS, CELLS, ROWS, summary, try_cell
from faults.row import Cell


def param(cell: Cell, backend: str):
    """Return a cell as parameters; one that cannot pass must fail."""
    reason = cell.row.cannot.get(cell.transport)
    marks = [] if reason is None else [pytest.mark.xfail(reason=reason, strict=True)]
    return pytest.param(cell, (backend, {}), id=f"{backend}-{cell}", marks=marks)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("cell", "anyio_backend"),
    [param(cell, backend) for cell in CELLS for backend in BACKENDS[cell.transport]],
)
async def test_a_fault_comes_to_what_it_must(cell: Cell, anyio_backend: object) -> None:
    """The right error or value, requests, time; nothing leaks or stays; later calls succeed."""
    await try_cell(cell)


@pytest.mark.parametrize("held", HELD, ids=lambda held: held.number)
def test_a_fault_elsewhere_is_held(held):
    """Each fault that is no cell names tests that exist."""
    assert held.tests
    for name in held.tests:
        module, _, test = name.partition("::")
        tree = ast.parse((Path(__file__).parent / f"{module}.py").read_text("utf-8"))
        assert test in {getattr(node, "name", None) for node in tree.body}


def test_no_fault_is_forgotten():
    """The numbers go from 1 to 74 without a gap; 75 is one of Python 3.14's own."""
    numbers = {int("".join(filter(str.isdigit, row.number[:2]))) for row in ROWS}
    numbers |= {int(held.number) for held in HELD}
    assert numbers == set(range(1, 75))


def test_the_readme_quotes_the_counts():
    """What the README says of the matrix is what the matrix has."""
    readme = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
    assert summary() in readme
