"""Run the matrix and print it as a table: python -m faults."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

TESTS = [
    Path(__file__).parent / f"test_{name}.py"
    for name in ("fault_matrix", "faults_over_tls", "faults_over_http2")
]


class Tally:
    """A count of the results of each row's cells."""

    def __init__(self) -> None:
        self.cells: dict[str, Any] = {}
        self.counts: dict[tuple[str, str], Counter[str]] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            if (call := getattr(item, "callspec", None)) and "cell" in call.params:
                self.cells[item.nodeid] = call.params["cell"]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        cell = self.cells.get(report.nodeid)
        if cell is not None and report.when == "call":
            key = (cell.row.number, cell.transport)
            expected = hasattr(report, "wasxfail")
            self.counts.setdefault(key, Counter())["not met" if expected else report.outcome] += 1


def main() -> int:
    """Run every cell, print the table, and return pytest's exit code."""
    tally = Tally()
    code = int(
        pytest.main(
            [*map(str, TESTS), "-q", "--no-header", "-r", "f", "-p", "no:cacheprovider"], [tally]
        )
    )
    from .elsewhere import HELD
    from .matrix import ROWS, TRANSPORTS, summary
    from .over_http2 import LIBRARIES
    from .rows_of_http2 import ROWS_OF_HTTP2

    columns = (*TRANSPORTS, *LIBRARIES)
    table = Table("", "Fault", "Repeatable", "Create", *columns, box=None, pad_edge=False)
    for row in (*ROWS, *ROWS_OF_HTTP2):
        counts = [tally.counts.get((row.number, each), Counter()) for each in columns]
        met = [f"{count['passed']}/{count.total()}" for count in counts]
        table.add_row(row.number, row.fault, str(row.repeatable), str(row.create or "-"), *met)
    console = Console(width=140)
    console.print(table)
    others = Table("", "Fault of another kind", "Held by", box=None, pad_edge=False)
    for held in HELD:
        others.add_row(held.number, held.fault, "\n".join(held.tests))
    console.print(others)
    for reason in sorted({each for row in ROWS for each in row.cannot.values()}):
        numbers = ", ".join(row.number for row in ROWS if reason in row.cannot.values())
        console.print(f"Not met in {numbers}: {reason}")
    console.print(summary(), soft_wrap=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
