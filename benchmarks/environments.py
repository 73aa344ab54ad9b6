"""Environments of the contestants: each has the packages that its client needs, and no others.

They get this package from the checkout on their path.
"""

import json
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / ".bench"
"""The environments, kept between runs and ignored by git."""


def default_python() -> str:
    """Return an interpreter with the packages that webrtc_async requires, and no extra."""
    return _python("default", *_project()["project"]["dependencies"])


def httpx_python() -> str:
    """Return an interpreter with httpx and sniffio, without which a call costs a third more."""
    required = _project()["project"]["dependencies"]
    return _python("httpx", *(each for each in required if each.startswith("httpx")), "sniffio")


def vendor_python() -> str:
    """Return an interpreter with the vendor's SDK, which brings a package named enum."""
    group = _project()["dependency-groups"]["vendor"]
    return _python("vendor", *(each for each in group if str(each).startswith("bandwidth-sdk")))


@cache
def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@cache
def _python(name: str, *requirements: str) -> str:
    """Return an environment's interpreter; make the environment if it is missing or outdated."""
    folder = FOLDER / name
    python, made_of = folder / "bin" / "python", folder / "made-of.json"
    wanted = json.dumps([sys.version, *requirements])
    if not made_of.exists() or made_of.read_text("utf-8") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        _run(sys.executable, "-m", "venv", str(folder))
        _run(str(python), "-m", "pip", "install", "--quiet", *requirements)
        made_of.write_text(wanted, encoding="utf-8")
    return str(python)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=300)
