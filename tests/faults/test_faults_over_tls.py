"""Every fault of a server over TLS, on the package's own pool."""

import anyio
import pytest
from support.scripted import serving

from faults.matrix import try_cell
from faults.over_tls import LOOPS, TLS_CELLS, TlsCell
from faults.scene import GOOD


def param(cell: TlsCell):
    """Return a cell as parameters; the normal run has one of each row."""
    marks = [] if cell.is_short else [pytest.mark.slow]
    return pytest.param(cell, ("asyncio", LOOPS[cell.loop]), id=str(cell), marks=marks)


@pytest.mark.anyio
@pytest.mark.parametrize(("cell", "anyio_backend"), [param(cell) for cell in TLS_CELLS])
async def test_a_fault_over_tls_has_its_expected_result(cell: TlsCell, anyio_backend) -> None:
    """The result, requests and time are those without TLS; nothing leaks."""
    # libuv opens a descriptor with its first stream, and keeps it.
    async with serving(GOOD) as server, await anyio.connect_tcp("127.0.0.1", server.port):
        pass
    await try_cell(cell)
