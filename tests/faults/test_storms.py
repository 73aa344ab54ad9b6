"""Small storms; `nox -s storm soak fuzz` runs the full ones."""

import pytest

from faults.fuzz import fuzz_bodies, fuzz_streams
from faults.matrix import BACKENDS, TRANSPORTS
from faults.soak import is_flat, soak
from faults.storm import CANNOT, PLACES, RARELY, SCHEMES, WAYS, cancel_many

# Some libraries lose connections, but too rarely for a hundred calls to show it.
STORMS = [
    pytest.param(scheme, transport, (backend, {}), cut, id=f"{scheme}-{transport}-{backend}-{way}")
    for scheme, transport in PLACES
    for backend, ways in WAYS.items()
    for way, cut in ways.items()
    if backend in BACKENDS[transport] and (transport, backend, way) not in {RARELY, *CANNOT}
]


@pytest.mark.anyio
@pytest.mark.parametrize(("scheme", "transport", "anyio_backend", "cut"), STORMS)
async def test_later_calls_succeed(scheme, transport, anyio_backend, cut):
    """After cancellations at any await, later calls succeed and no resource remains."""
    found = await cancel_many(100, scheme, transport, cut)
    assert found.later == 10
    assert found.later_failed == 0


@pytest.mark.slow
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_soak_is_flat(scheme, transport, anyio_backend):
    """Calls with and without faults leave no descriptor, task or object behind."""
    first, last, failures = await soak(640, scheme, transport)
    assert failures
    assert is_flat(first, last), (first, last)


@pytest.mark.parametrize("seed", range(6))
def test_broken_bodies_raise_only_our_errors(seed):
    """Each of 18 000 broken bodies gives a result or one of our errors."""
    counts = fuzz_bodies(3000, seed)
    assert counts.total() == 3000
    assert counts["a result"] > 20
    assert counts["UnexpectedResponseError"] > 1000


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_broken_streams_raise_only_our_errors(transport, anyio_backend):
    """Each of 3 000 broken streams gives a result or one of our errors."""
    counts = await fuzz_streams(500, transport)
    assert counts.total() == 500
    assert counts["UnknownOutcomeError"] > 150
