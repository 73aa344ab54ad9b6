"""What is known of the service, as cases: a request, its answer, and where that is known from.

The cases are data, in `cases/`. They are run against the emulator or against the real service by
code that shares nothing with either: it knows HTTP, and what a case says.
"""

from webrtc_async.emulator.contract.case import Case, Evidence, cases
from webrtc_async.emulator.contract.emulated import emulated
from webrtc_async.emulator.contract.runner import Verdict, run
from webrtc_async.emulator.contract.target import NoAnswerError, Target

__all__ = ["Case", "Evidence", "NoAnswerError", "Target", "Verdict", "cases", "emulated", "run"]
