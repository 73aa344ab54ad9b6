"""Environments of contestants: what each has to have, and nothing else.

This package itself is not installed into any: all have its checkout on their path.
"""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
HERE = ROOT / ".bench"
"""Where environments are kept between runs; git ignores it."""


def default_python() -> str:
    """Return the interpreter that has what this package requires, and no extra."""
    return _python("default", *_project()["project"]["dependencies"])


def fast_python() -> str:
    """Return the interpreter that has what `[fast]` adds, besides."""
    return _python("fast", *_project()["project"]["dependencies"], *_fast())


def httpx_python() -> str:
    """Return the interpreter that has httpx, and has it at its best.

    Its connections look for sniffio at each call, and for want of it cost a third more.
    """
    required = _project()["project"]["dependencies"]
    return _python("httpx", *(each for each in required if each.startswith("httpx")), "sniffio")


def vendors_python() -> str:
    """Return the interpreter that has the vendor's SDK.

    It brings a package of its own named enum, so no environment is shared with it.
    """
    group = _project()["dependency-groups"]["vendor"]
    return _python("vendor", *(each for each in group if str(each).startswith("bandwidth-sdk")))


@cache
def installs() -> str:
    """Return what this package has by default and what it has with `[fast]`, as they are found."""
    return compare(_installed(default_python()), _installed(fast_python()), set(names_of_fast()))


def compare(default: dict[str, str], fast: dict[str, str], names: set[str]) -> str:
    """Return the versions of what two installs have.

    Raises:
        RuntimeError: They do not differ by these names, and by them alone.
    """
    added = {name: fast[name] for name in fast.keys() - default.keys()}
    if added.keys() != names or fast != default | added:
        raise RuntimeError(f"delete {HERE}: `[fast]` there is {fast}, and the default {default}")
    return f"By default {_written(default)}; `[fast]` adds {_written(added)}."


def names_of_fast() -> list[str]:
    """Return what `[fast]` adds, by names under which it is installed and imported alike."""
    return [re.split(r"\W", each, maxsplit=1)[0] for each in _fast()]


@cache
def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def _fast() -> list[str]:
    extra: list[str] = _project()["project"]["optional-dependencies"]["fast"]
    return extra


@cache
def _python(name: str, *requirements: str) -> str:
    """Return the interpreter of an environment, made now unless it is there already."""
    folder = HERE / name
    python, made_of = folder / "bin" / "python", folder / "made-of.json"
    wanted = json.dumps([sys.version, *requirements])
    if not made_of.exists() or made_of.read_text("utf-8") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        if shutil.which("uv"):
            _run("uv", "venv", "--quiet", "--python", sys.executable, str(folder))
            _run("uv", "pip", "install", "--quiet", "--python", str(python), *requirements)
        else:
            _run(sys.executable, "-m", "venv", str(folder))
            _run(str(python), "-m", "pip", "install", "--quiet", *requirements)
        made_of.write_text(wanted, encoding="utf-8")
    return str(python)


LIST = """
import importlib.metadata, json
print(json.dumps({each.name.lower(): each.version for each in importlib.metadata.distributions()}))
"""


def _installed(python: str) -> dict[str, str]:
    """Return the versions of what an environment has, by names."""
    found = subprocess.run([python, "-I", "-c", LIST], capture_output=True, text=True, check=True)
    versions: dict[str, str] = json.loads(found.stdout)
    return versions


def _written(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {versions[name]}" for name in sorted(versions))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=300)
