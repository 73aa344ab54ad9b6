"""The default policy's promise, under random faults and with the emulator as the model.

A create is sent again only if no byte of it was sent, or if a gateway reports that it did not reach
the service (429, 502, 503, 504). So no create is made twice, unless a gateway reports this although
the service did act; creates="never" prevents even that.
"""

import sys

import pytest

from faults.stateful_faults import Faults, LyingGateways, report, run


@pytest.mark.parametrize("machine", [Faults, LyingGateways])
def test_no_create_is_made_twice(machine: type[Faults]) -> None:
    """No create is made twice or lost silently, and an unsent one is sent again."""
    machine.counts = type(machine.counts)()
    run(machine, 25)
    counts = machine.counts
    sys.stdout.write(report(counts))
    assert counts["creates"] > 50
    assert counts["creates made twice"] == 0
    if machine is Faults:
        assert counts["unsent and repeated"] >= 0.99 * counts["unsent"] > 0
