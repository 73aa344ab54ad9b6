"""Every error class, in every sink, after responses that echo secrets in every escaped form."""

import logging
from collections.abc import Iterator

import pytest

from faults.credentials import SECRETS
from faults.matrix import BACKENDS, KINDS, try_cell
from faults.row import Cell
from faults.rows_of_echoes import ESCAPES, ROWS_OF_ECHOES, echoes_of

CELLS = [
    pytest.param(
        Cell(row, transport, kind, credentials),
        (backend, {}),
        id=f"{backend}-{Cell(row, transport, kind, credentials)}",
    )
    for row in ROWS_OF_ECHOES
    for transport in ("direct", "httpx")
    for backend in BACKENDS[transport]
    for kind in KINDS
    for credentials in row.credentials
]


@pytest.fixture
def _quiet_httpcore() -> Iterator[None]:
    """Leave out httpcore's own log at DEBUG, which has each response's head as it came."""
    logger = logging.getLogger("httpcore")
    before = logger.level
    logger.setLevel(logging.INFO)
    yield
    logger.setLevel(before)


@pytest.mark.anyio
@pytest.mark.usefixtures("_quiet_httpcore")
@pytest.mark.parametrize(("cell", "anyio_backend"), CELLS)
async def test_an_echo_shows_nowhere(cell: Cell, anyio_backend: object) -> None:
    """No text, cause, variable, pickle, log, span or metric shows an echoed secret or a token."""
    await try_cell(cell)


def test_an_echo_has_every_form() -> None:
    """The rows echo texts that each escape changes, and that a leak would show."""
    request = b"GET / HTTP/1.1\r\nAuthorization: Basic dXNlcjpjNG5hcnktUGE1NXcwcmQiJjw=\r\n\r\n"
    echoes = list(echoes_of(request))
    assert len(set(echoes)) > 3 * len(ESCAPES)
    assert any(secret in " ".join(echoes) for secret in SECRETS)
