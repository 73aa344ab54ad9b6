"""One create of a participant, typed, strict, with retry, deadline, caps and redaction on.

The others' calls are untyped: a dict goes in, a dict comes out.
"""

from benchmarks.call import concurrency, idle, instructions, memory, system_calls
from benchmarks.counting import check_tools
from benchmarks.report import conditions, keep, verdicts


def main(*, quick: bool = False) -> None:
    """Measure a call in every way, and keep the report and the picture."""
    check_tools()
    where = conditions()
    sections = [
        each.measure(quick=quick)
        for each in (instructions, system_calls, concurrency, idle, memory)
    ]
    measured = verdicts(row for section in sections for row in section.measured)
    parts = [f"# What a call costs\n\n{__doc__}\n{where}", measured]
    keep("call", "\n\n".join([*parts, *(section.text for section in sections)]), quick=quick)
