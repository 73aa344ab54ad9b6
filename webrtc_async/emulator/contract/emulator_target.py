"""The emulator as the target of a case: a new one for each, with a movable clock."""

import base64
import time
from typing import Final

from webrtc_async.emulator.contract.case import Case
from webrtc_async.emulator.contract.target import Target
from webrtc_async.emulator.core.credentials import Credentials
from webrtc_async.emulator.doors.in_process import EmulatorTransport
from webrtc_async.emulator.emulator import DEFAULT_ACCOUNT, Emulator

HOUR: Final = 3600.0


def emulator_target(case: Case) -> Target:
    """Return a new emulator in this process, set up for a case."""
    hours = 0.0

    def advance_clock(by: float) -> None:
        nonlocal hours
        hours += by

    credentials = Credentials(have_webrtc=not case.without_webrtc)
    emulator = Emulator(
        accounts={DEFAULT_ACCOUNT: credentials}, clock=lambda: time.time() + hours * HOUR
    )
    emulator.set_switches(**case.switches)
    if case.fault:
        # Once, so that the clean-up does not fail.
        emulator.faults.add_from({"route": case.operation, "times": 1, **case.fault})
    pair = f"{credentials.username}:{credentials.password}".encode()
    return Target(
        base_url=f"http://emulator{emulator.base_path}",
        account=DEFAULT_ACCOUNT,
        authorization=f"Basic {base64.b64encode(pair).decode()}",
        advance_clock=advance_clock,
        transport=EmulatorTransport(emulator),
    )
