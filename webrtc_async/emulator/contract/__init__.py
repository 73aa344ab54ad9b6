"""Known behaviour of the service as cases: a request, its response, and the evidence for it.

The cases are data, in `cases/`. The runner sends them to the emulator or to the real service, and
shares no code with either.
"""

from webrtc_async.emulator.contract.case import Case, Evidence, cases
from webrtc_async.emulator.contract.emulator_target import emulator_target
from webrtc_async.emulator.contract.runner import Verdict, run
from webrtc_async.emulator.contract.target import NoResponseError, Target

__all__ = [
    "Case",
    "Evidence",
    "NoResponseError",
    "Target",
    "Verdict",
    "cases",
    "emulator_target",
    "run",
]
