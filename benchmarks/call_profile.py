"""Where a create of this package's spends its time, function by function.

In CPU time, by cProfile, which adds some to each function that is called.
"""

from benchmarks.report import conditions, keep, table
from benchmarks.servers.process import serving
from benchmarks.workers import OURS, OWN, working

SHOWN = 40


def main(*, quick: bool = False) -> None:
    where = conditions()
    with serving("canned") as port, working([OURS]) as workers:
        job = {
            "job": "profile",
            "url": f"http://127.0.0.1:{port}",
            "connections": 10,
            "calls": 200 if quick else 5000,
        }
        profiled = workers[OWN].do(job)
    functions, number, total = profiled["functions"], profiled["function calls"], profiled["total"]
    parts = [
        f"# Where a create spends its time\n\n{__doc__}\n{where}",
        f"{number:.0f} functions are called in a create, of Python's and of C's.",
    ]
    for title, column in (("In itself", "own"), ("With what it calls", "whole")):
        ranked = sorted(functions, key=lambda each: -each[column])[:SHOWN]
        rows = [
            [
                f"`{each['where']}`",
                f"{each['calls']:.0f}",
                f"{each['own'] / total:.1%}",
                f"{each['whole'] / total:.1%}",
            ]
            for each in ranked
        ]
        columns = ["function", "times", "in itself", "with what it calls"]
        parts.append(f"## {title}\n\n{table(columns, rows)}")
    keep("call_profile", "\n\n".join(parts), quick=quick)


if __name__ == "__main__":
    main()
