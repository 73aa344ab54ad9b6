"""The functions that a create of webrtc_async passes, by CPU time.

cProfile adds some time to each call of a function.
"""

from benchmarks.report import conditions, publish, table
from benchmarks.servers.process import serving
from benchmarks.workers import OURS, working

SHOWN = 40
TITLES = {"own": "By time in the function itself", "total": "By time including its callees"}


def main(*, quick: bool = False) -> None:
    """Profile creates, and publish them as profile.md."""
    where = conditions()
    with serving("canned") as server, working([OURS]) as workers:
        job = {"job": "profile", "url": f"http://127.0.0.1:{server.port}"}
        result = workers[OURS.name].do(job | {"calls": 200 if quick else 3000})
    # Below half a call, a function belongs to the start or the end of the profile.
    functions = [each for each in result["functions"] if each["calls"] >= 0.5]
    own = [each["name"] for each in functions if each["name"].startswith("webrtc_async/")]
    modules = {name.partition(":")[0] for name in own}
    columns = ["function", "calls", "own", "total"]
    publish(
        "profile",
        f"# Profile of a create\n\n{__doc__}\n{where}",
        f"A create makes {result['calls']:.0f} calls of functions, Python's and C's; it passes "
        f"{len(own)} functions in {len(modules)} modules of webrtc_async.",
        *(
            f"## {title}\n\n{table(columns, _rows(functions, key, result['seconds']))}"
            for key, title in TITLES.items()
        ),
        quick=quick,
    )


def _rows(functions: list[dict[str, float]], key: str, seconds: float) -> list[list[str]]:
    return [
        [
            f"`{each['name']}`",
            f"{each['calls']:.0f}",
            f"{each['own'] / seconds:.1%}",
            f"{each['total'] / seconds:.1%}",
        ]
        for each in sorted(functions, key=lambda each: -each[key])[:SHOWN]
    ]
