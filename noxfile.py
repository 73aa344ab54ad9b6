"""Everything that is run before a change lands; `nox -l` lists it."""

import subprocess
import sys

import nox

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["tests", "types", "lint"]

PROJECT = nox.project.load_toml("pyproject.toml")
SUPPORTED = ("3.11", "3.12", "3.13", "3.14")


def runs(version: str) -> bool:
    """Whether that Python can be started; a version manager's stand-in may be found and fail."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return True
    try:
        subprocess.run([f"python{version}", "-c", ""], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


FOUND = [version for version in SUPPORTED if runs(version)]


def group(name: str) -> list[str]:
    """Return the packages of a dependency group."""
    return list(nox.project.dependency_groups(PROJECT, name))


def lowest() -> list[str]:
    """Return what users may install, at the lowest versions that they may."""
    extras = PROJECT["project"]["optional-dependencies"]
    declared = [*PROJECT["project"]["dependencies"], *extras["emulator"], *extras["cli"]]
    return [requirement.replace(">=", "==") for requirement in declared]


@nox.session
@nox.parametrize(
    ("python", "versions"),
    [(FOUND[0], "lowest"), *((python, "newest") for python in FOUND)],
)
def tests(session: nox.Session, versions: str) -> None:
    """Run every test on asyncio and on trio; with the lowest allowed versions once."""
    session.install(".[demo]", *group("test"), *(lowest() if versions == "lowest" else []))
    session.run("pytest", *session.posargs)


@nox.session
def types(session: nox.Session) -> None:
    """Check the package with mypy and pyright, both strict, and what users' checkers must see."""
    session.install(".[demo]", *group("types"))
    session.run("mypy")
    session.run("pyright", "--pythonpath", f"{session.bin}/python")
    session.run("pytest", "-m", "types", *session.posargs)


@nox.session
def recipes(session: nox.Session) -> None:
    """Run the bots and the worker among the recipes; redis-server must be installed."""
    session.install(".[demo]", *group("recipes"))
    session.run("pytest", "-m", "recipes", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check the format and the rules."""
    session.install(*group("lint"))
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")


@nox.session
def coverage(session: nox.Session) -> None:
    """Require that the tests reach every branch of the client side."""
    session.install("-e", ".[demo]", *group("test"))
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    session.run("coverage", "combine")
    session.run("coverage", "report", "--omit=*/emulator/*,*/cli/*", "--fail-under=100")
    session.run("coverage", "report", "--include=*/emulator/*,*/cli/*")


@nox.session
def demo(session: nox.Session) -> None:
    """Run the demo as a newcomer would."""
    session.install(".[demo]")
    session.run("webrtc-async", "demo", *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """Build the wheel and the sdist, and import the package from the wheel alone."""
    session.install(*group("build"))
    target = session.create_tmp()
    session.run("python", "-m", "build", "--outdir", f"{target}/dist")
    session.install("--force-reinstall", "--find-links", f"{target}/dist", "webrtc-async")
    session.chdir(target)
    session.run("python", "-c", "import webrtc_async; print(webrtc_async.__version__)")
