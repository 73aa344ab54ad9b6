"""Tables, targets, and the line that names machine, versions and commit."""

import os
import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from statistics import median

from attrs import frozen

FOLDER = Path(__file__).parent
README = FOLDER.parent / "README.md"
PACKAGES = ("httpx", "httpcore", "aiohttp", "attrs", "cattrs", "anyio", "tenacity")


@frozen
class Spread:
    """The median of several rounds, with the lowest and the highest."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """Return the spread of values."""
        each = sorted(values)
        return cls(median(each), each[0], each[-1])

    @classmethod
    def of_ratios(cls, ours: Sequence[float], theirs: Sequence[float]) -> "Spread":
        """Compare round by round: other load slows both down."""
        return cls.of(mine / other for mine, other in zip(ours, theirs, strict=True))

    def __str__(self) -> str:
        if self.lowest == self.highest:
            return _number(self.median)
        return f"{_number(self.median)} ({_number(self.lowest)} to {_number(self.highest)})"


@frozen
class Target:
    """An upper bound for a measurement.

    Attributes:
        work: The work that is measured.
        against: The client or the work that it is compared with.
        bound: The highest median that meets the target.
        why: The known reason if the target is missed.
    """

    work: str
    against: str
    bound: float
    why: str = ""

    def verdict(self, measured: float) -> str:
        """Return "met", or the percentage by which the target is missed."""
        # As written, so that no row misses a number that it shows.
        if float(_number(measured)) <= self.bound:
            return "met"
        missed = f"missed by {measured / self.bound - 1:.0%}"
        return f"{missed}: {self.why}" if self.why else missed


Measured = tuple[Target, Spread]


def verdicts(measured: Iterable[Measured]) -> str:
    """Return the table of targets."""
    columns = ["work", "against", "measured", "target", "verdict"]
    rows = [
        [each.work, each.against, str(spread), f"≤ {each.bound:g}", each.verdict(spread.median)]
        for each, spread in measured
    ]
    return table(columns, rows)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def column(results: Iterable[dict[str, float]], name: str) -> list[float]:
    """Return one number of each result."""
    return [each[name] for each in results]


@cache
def commit() -> str:
    """Return the commit, marked if the code has changed since.

    It is read once, because a run is long and writes reports.
    """
    changed = _git("status", "--porcelain", "--", "webrtc_async", "benchmarks/*.py")
    return (_git("rev-parse", "--short", "HEAD") or "unknown") + ("-dirty" if changed else "")


def conditions() -> str:
    """Return the line that names commit, machine and versions."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"Commit {commit()}; {os.cpu_count()} CPUs of {_processor()}, "
        f"load {os.getloadavg()[0]:.1f}; {platform.system()} {platform.release()}; "
        f"Python {platform.python_version()}; {packages}."
    )


def publish(name: str, *parts: str, quick: bool) -> None:
    """Print a report; unless it is quick, write it and update its quote in the README."""
    report = "\n\n".join(parts)
    print(report, end="\n\n", flush=True)
    if not quick:
        (FOLDER / f"{name}.md").write_text(report + "\n", encoding="utf-8")
        readme = README.read_text("utf-8")
        README.write_text(quote(readme, name, report), encoding="utf-8")


def quote(readme: str, name: str, report: str) -> str:
    """Return the README with the first table of a report between that report's markers."""
    found = re.search(r"^\|.*(?:\n\|.*)*", report, re.MULTILINE)
    assert found is not None, f"{name} has no table"
    start, end = f"<!-- benchmarks/{name}.md -->\n", "<!-- end of it -->"
    # A function, because re.sub interprets backslashes in text.
    return re.sub(
        f"{re.escape(start)}.*?{re.escape(end)}",
        lambda _: f"{start}{found[0]}\n{end}",
        readme,
        flags=re.DOTALL,
    )


def _number(value: float) -> str:
    return f"{value:.3f}" if 0 < value < 0.2 else f"{value:.2f}"


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=FOLDER.parent)
    return done.stdout.strip()


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
