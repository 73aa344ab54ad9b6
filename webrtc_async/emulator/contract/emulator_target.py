"""The emulator as the target of a case: a new one for each."""

import base64

from webrtc_async.emulator.contract.case import Case
from webrtc_async.emulator.contract.target import Target
from webrtc_async.emulator.core.credentials import Credentials
from webrtc_async.emulator.doors.in_process import EmulatorTransport
from webrtc_async.emulator.emulator import DEFAULT_ACCOUNT, Emulator


def emulator_target(case: Case) -> Target:
    """Return a new emulator in this process, set up for a case."""
    credentials = Credentials(have_webrtc=not case.without_webrtc)
    emulator = Emulator(accounts={DEFAULT_ACCOUNT: credentials})
    emulator.set_switches(**case.switches)
    if case.fault:
        # Once, so that the clean-up does not fail.
        emulator.faults.add_from({"route": case.operation, "times": 1, **case.fault})
    pair = f"{credentials.username}:{credentials.password}".encode()
    return Target(
        base_url=f"http://emulator{emulator.base_path}",
        account=DEFAULT_ACCOUNT,
        authorization=f"Basic {base64.b64encode(pair).decode()}",
        advance_clock=lambda hours: emulator.clock.advance(hours=hours),
        transport=EmulatorTransport(emulator),
    )
