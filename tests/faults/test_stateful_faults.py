"""What the default policy promises, under random faults and with the emulator as the model.

The promise: a create is sent again only when no byte of it was sent, or when a gateway answered for
a service that it did not reach (429, 502, 503, 504). So no create is made twice, unless a gateway
answers so for a service that did act; creates="never" holds even then.
"""

import sys

import pytest

from faults.stateful_faults import Faults, LyingGateways, report, run


@pytest.mark.parametrize("machine", [Faults, LyingGateways])
def test_no_create_is_made_twice(machine: type[Faults]) -> None:
    """No create is made twice, none is lost silently, and what was not sent is sent again."""
    machine.counts = type(machine.counts)()
    run(machine, 25)
    counts = machine.counts
    sys.stdout.write(report(counts))
    assert counts["creates"] > 50
    assert counts["creates made twice"] == 0
    if machine is Faults:
        assert counts["unsent and repeated"] >= 0.99 * counts["unsent"] > 0
