"""Tables, and the line that says where and of what they were measured."""

import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent


def machine() -> str:
    """Return the line that every table needs."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    ).stdout.strip()
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("httpx", "httpcore", "aiohttp", "attrs", "cattrs")
    )
    load = os.getloadavg()[0]
    return (
        f"Commit {commit or 'unknown'}; {platform.machine()}, {os.cpu_count()} CPUs, "
        f"load {load:.1f}; {platform.system()} {platform.release()}; "
        f"Python {platform.python_version()}; {packages}."
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Return the median of the ratios of rounds, and their spread."""
    each = sorted(mine / other for mine, other in zip(ours, theirs, strict=True))
    return f"{median(each):.2f} ({each[0]:.2f} to {each[-1]:.2f})"


def keep(name: str, text: str) -> None:
    """Print a report and keep it beside the benchmarks."""
    print(text, flush=True)
    (HERE / f"{name}.md").write_text(text + "\n", encoding="utf-8")
