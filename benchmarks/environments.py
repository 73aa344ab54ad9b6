"""The environment of the vendor's SDK, apart from that of this process."""

import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
HERE = ROOT / ".bench"
"""Where environments are kept between runs; git ignores it."""


@cache
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def vendors_python() -> str:
    """Return the interpreter of an environment that has the vendor's SDK and nothing else.

    It brings a package of its own named enum, so no environment is shared with it.
    """
    [requirement] = [
        each
        for each in project()["dependency-groups"]["vendor"]
        if isinstance(each, str) and each.startswith("bandwidth-sdk")
    ]
    folder = HERE / requirement.replace("==", "-")
    python, is_whole = folder / "bin" / "python", folder / "is-whole"
    if not is_whole.exists():
        shutil.rmtree(folder, ignore_errors=True)
        if shutil.which("uv"):
            _run("uv", "venv", "--quiet", "--python", sys.executable, str(folder))
            _run("uv", "pip", "install", "--quiet", "--python", str(python), requirement)
        else:
            _run(sys.executable, "-m", "venv", str(folder))
            _run(str(python), "-m", "pip", "install", "--quiet", requirement)
        is_whole.touch()
    return str(python)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=300)
