"""Tables, and the line that says where and of what they were measured."""

import os
import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

from attrs import frozen

from benchmarks.environments import installs
from benchmarks.target import Spread, Target

Measured = tuple[Target, Spread]

HERE = Path(__file__).parent
README = HERE.parent / "README.md"


@cache
def commit() -> str:
    """Return what is measured: the commit, and whether code has changed since.

    Asked once, since a run may be long. Reports and the README are rewritten by runs and count not.
    """
    measured = ("webrtc_async", "benchmarks/*.py", "pyproject.toml")
    changed = _git("status", "--porcelain", "--", *measured)
    return (_git("rev-parse", "--short", "HEAD") or "unknown") + ("-dirty" if changed else "")


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE.parent)
    return done.stdout.strip()


def conditions() -> str:
    """Return where and of what a table was measured, with what this package's installs have."""
    return f"{machine()}\n{installs()}"


def machine() -> str:
    """Return the line that every table needs."""
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("httpx", "httpcore", "aiohttp", "attrs", "cattrs")
    )
    load = os.getloadavg()[0]
    return (
        f"Commit {commit()}; {os.cpu_count()} CPUs of {_processor()}, "
        f"load {load:.1f}; {platform.system()} {platform.release()}; "
        f"Python {platform.python_version()}; {packages}."
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


@frozen
class Section:
    """A part of a report.

    Attributes:
        text: What was measured, in Markdown.
        measured: What it says of targets.
    """

    text: str
    measured: tuple[Measured, ...] = ()


def verdicts(rows: Iterable[Measured]) -> str:
    """Return a table of what was aimed at and what was reached."""
    columns = ("work", "against", "measured", "target", "verdict")
    return table(columns, (target.row(measured) for target, measured in rows))


def keep(name: str, text: str, *, quick: bool = False) -> None:
    """Print a report; unless it is quick, keep it, and renew what the README quotes of it."""
    print(text, end="\n\n", flush=True)
    if quick:
        return
    (HERE / f"{name}.md").write_text(text + "\n", encoding="utf-8")
    readme = README.read_text("utf-8")
    README.write_text(quote(readme, name, text), encoding="utf-8")


def quote(readme: str, name: str, report: str) -> str:
    """Return a README that quotes the first table of a report where it said that it does."""
    found = re.search(r"^\|.*(?:\n\|.*)*", report, re.MULTILINE)
    assert found is not None, f"{name} has no table"
    begins, ends = f"<!-- benchmarks/{name}.md -->\n", "<!-- end of it -->"
    # A function, since a replacement given as text would have its backslashes read.
    return re.sub(
        f"{re.escape(begins)}.*?{re.escape(ends)}",
        lambda _: f"{begins}{found[0]}\n{ends}",
        readme,
        flags=re.DOTALL,
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
