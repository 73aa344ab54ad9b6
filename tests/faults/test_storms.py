"""Storms in small; `nox -s storm soak fuzz` runs them whole."""

import pytest

from faults.fuzz import fuzz_bodies, fuzz_streams
from faults.matrix import BACKENDS, TRANSPORTS
from faults.soak import is_flat, soak
from faults.storm import CANNOT, RARELY, WAYS, cancel_many

# Those that a library loses are lost by chance, too seldom for a hundred calls to tell.
STORMS = [
    pytest.param(transport, (backend, {}), cut, id=f"{transport}-{backend}-{way}")
    for transport in TRANSPORTS
    for backend, ways in WAYS.items()
    for way, cut in ways.items()
    if backend in BACKENDS[transport] and (transport, backend, way) not in {RARELY, *CANNOT}
]


@pytest.mark.anyio
@pytest.mark.parametrize(("transport", "anyio_backend", "cut"), STORMS)
async def test_later_calls_succeed(transport, anyio_backend, cut):
    """However calls are cut off, at whichever await, every later call succeeds; nothing stays."""
    found = await cancel_many(100, transport, cut)
    assert found.later == 10
    assert found.later_failed == 0


@pytest.mark.slow
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_soak_is_flat(transport, anyio_backend):
    """Calls with faults among them leave no descriptor, task or object behind."""
    first, last, failures = await soak(640, transport)
    assert failures
    assert is_flat(first, last), (first, last)


@pytest.mark.parametrize("seed", range(6))
def test_nothing_but_our_errors_comes_of_bodies(seed):
    """Of 18 000 broken bodies, each is a result or one of our errors."""
    counts = fuzz_bodies(3000, seed)
    assert counts.total() == 3000
    assert counts["a result"] > 20
    assert counts["UnexpectedResponseError"] > 1000


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_nothing_but_our_errors_comes_of_streams(transport, anyio_backend):
    """Of 3 000 broken streams, each is a result or one of our errors."""
    counts = await fuzz_streams(500, transport)
    assert counts.total() == 500
    assert counts["UnknownOutcomeError"] > 150
