"""Everything that is run before a change lands; `nox -l` lists it."""

import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import nox

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["tests", "tests_httpx2", "types", "lint"]

PROJECT = nox.project.load_toml("pyproject.toml")
SUPPORTED = ("3.11", "3.12", "3.13")


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


def lowest(*extras: str) -> list[str]:
    """Return what users may install with these extras, at the lowest versions that they may."""
    brought = PROJECT["project"]["optional-dependencies"]
    declared = [
        *PROJECT["project"]["dependencies"],
        *(each for extra in extras for each in brought[extra]),
    ]
    return [requirement.replace(">=", "==") for requirement in declared]


@nox.session
@nox.parametrize(
    ("python", "versions"),
    [(FOUND[0], "lowest"), *((python, "newest") for python in FOUND)],
)
def tests(session: nox.Session, versions: str) -> None:
    """Run every test on asyncio and on trio; with the lowest allowed versions once."""
    bounds = lowest("emulator", "cli") if versions == "lowest" else []
    session.install(".[demo,otel]", *group("test"), *bounds)
    session.run("pytest", "-n", "auto", *session.posargs)


@nox.session
@nox.parametrize("httpx2", ["httpx2==2.0.0", "httpx2"], ids=["lowest", "newest"])
def tests_httpx2(session: nox.Session, httpx2: str) -> None:
    """Run every test with httpx2 where httpx serves otherwise."""
    session.install(".[demo,httpx2]", *group("test"), httpx2)
    session.run("pytest", "-n", "auto", *session.posargs, env={"HTTP_LIBRARY": "httpx2"})


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
def flood(session: nox.Session) -> None:
    """Open ten thousand connections to the emulator, half of which say nothing."""
    session.install(".[demo]", *group("test"))
    session.run("pytest", "-m", "flood", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Look at the emulator's page in headless Chromium, which must be installed."""
    session.install(".[demo]", *group("browser"))
    session.run("pytest", "-m", "browser", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check the format and the rules."""
    session.install(*group("lint"))
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")


@nox.session
def conferences(session: nox.Session) -> None:
    """Cancel 10,000 conferences at random on each backend, and look for what is left of them."""
    session.install(".", *group("test"))
    storm = "tests/conferences/test_conference_cancellation.py"
    session.run("pytest", storm, *session.posargs, env={"CONFERENCES": "10000"})


@nox.session
def engines(session: nox.Session) -> None:
    """Spread plans over the processes of other engines, and kill one of them in the middle."""
    session.install(".[demo]", *group("engines"))
    session.run("pytest", "-m", "engines", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Require that the tests reach every branch of the client side."""
    session.install("-e", ".[demo]", *group("test"))
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    session.run("coverage", "run", "-m", "pytest", "-m", "engines", "tests/test_redis.py")
    session.run("coverage", "combine")
    session.run("coverage", "report", "--omit=*/emulator/*,*/cli/*", "--fail-under=100")
    session.run("coverage", "report", "--include=*/emulator/*,*/cli/*")


def of_faults(session: nox.Session, module: str) -> None:
    """Run a module of tests/faults with what is given on the command line."""
    session.install(".[demo]", *group("test"))
    session.run("python", "-m", module, *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session
def matrix(session: nox.Session) -> None:
    """Try every fault on every transport, and print the matrix as a table."""
    of_faults(session, "faults")


@nox.session
def storm(session: nox.Session) -> None:
    """Cancel 12 000 calls in every way on every transport, and take the service down for 500."""
    of_faults(session, "faults.storm")


@nox.session
def soak(session: nox.Session) -> None:
    """Make 100 000 calls with faults, and require that nothing grows."""
    of_faults(session, "faults.soak")


@nox.session
def fuzz(session: nox.Session) -> None:
    """Send up to 1 000 000 broken answers within an hour; only our errors may come out."""
    of_faults(session, "faults.fuzz")


@nox.session
def stateful(session: nox.Session) -> None:
    """Meet 100,000 random faults, or as many as are named, and print what came of them."""
    session.install(".[demo]", *group("test"))
    session.run("python", "tests/faults/stateful_faults.py", *(session.posargs or ["100000"]))


@nox.session
def vendor(session: nox.Session) -> None:
    """Have the vendor's last Python SDK with WebRTC use the emulator over TCP."""
    session.install(".[emulator]", *group("vendor"))
    # The SDK is of 2023, and what it does is no news.
    session.run("pytest", "tests/vendor", "-W", "ignore::DeprecationWarning", *session.posargs)


@nox.session
def schemathesis(session: nox.Session) -> None:
    """Send what the vendor's description allows and what it forbids; takes the file's path.

    nox -s schemathesis -- webrtc.yml
    """
    if not session.posargs:
        session.error("Give the path of the vendor's OpenAPI file: nox -s schemathesis -- FILE")
    description, *options = session.posargs
    session.install(".[emulator]", *group("schemathesis"), *group("test"))
    session.env["WEBRTC_DESCRIPTION"] = str(Path(description).resolve())
    session.run("pytest", "tests/described", *options)


@nox.session
def demo(session: nox.Session) -> None:
    """Run the demo as a newcomer would."""
    session.install(".[demo]")
    session.run("webrtc-async", "demo", *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """Build twice to the same bytes, look into the wheel, and use it where nothing else is."""
    session.install(*group("build"))
    target = Path(session.create_tmp()).resolve()
    digests = [_build(session, target / name) for name in ("first", "second")]
    if digests[0] != digests[1]:
        session.error(f"two builds differ: {digests}")
    for name, digest in digests[0].items():
        session.log(f"{digest}  {name}")
    [wheel] = (target / "first").glob("*.whl")
    _check_contents(session, wheel)
    session.install("--force-reinstall", f"{wheel}")
    session.chdir(target)
    session.run("python", "-c", SMOKE)
    session.install(f"{wheel}[cli]")
    session.run("webrtc-async", "contract", silent=True)
    session.install(f"{wheel}[demo]")
    session.run("webrtc-async", "demo", "--plain")


SMOKE = """
import anyio, webrtc_async
from webrtc_async.emulator import Emulator, EmulatorTransport

async def main():
    service = EmulatorTransport(Emulator())
    auth = ("user", "password")
    async with webrtc_async.AsyncWebRtcClient("9900000", auth=auth, transport=service) as client:
        session = await client.create_session()
        await client.delete_session(session.id)

anyio.run(main)
print("it works, as", webrtc_async.__version__)
"""


def _build(session: nox.Session, target: Path) -> dict[str, str]:
    """Build the wheel and the sdist, and return their digests by name."""
    shutil.rmtree(target, ignore_errors=True)
    # Archives carry times: those of the last commit, whenever and wherever they are built.
    moment = session.run("git", "log", "-1", "--format=%ct", external=True, silent=True)
    env = {"SOURCE_DATE_EPOCH": str(moment).strip()}
    session.run("python", "-m", "build", "--outdir", f"{target}", env=env, silent=True)
    return {each.name: sha256(each.read_bytes()).hexdigest() for each in sorted(target.iterdir())}


def _check_contents(session: nox.Session, wheel: Path) -> None:
    """Require that a wheel has every file of the package, its licence, and nothing else."""
    tracked = session.run("git", "ls-files", "webrtc_async", external=True, silent=True)
    expected = set(str(tracked).split())
    with ZipFile(wheel) as archive:
        found = set(archive.namelist())
    about = {name for name in found if ".dist-info/" in name}
    if found - about != expected:
        session.error(f"the wheel has not just the package: {sorted((found - about) ^ expected)}")
    if not any(name.endswith("/licenses/LICENSE") for name in about):
        session.error("the wheel has no licence")


@nox.session
def drift(session: nox.Session) -> None:
    """Tell what changed in the public names and signatures since the last release."""
    session.install(*group("drift"))
    tags = session.run(
        "git", "tag", "--list", "v*", "--sort=-v:refname", external=True, silent=True
    )
    latest = next(iter(str(tags).split()), None)
    if latest is None:
        session.log("There is no release yet, so there is nothing to compare with.")
    else:
        session.run("griffe", "check", "webrtc_async", "--against", latest)


@nox.session
def bench(session: nox.Session) -> None:
    """Compare with other clients and write benchmarks/*.md; needs valgrind and strace.

    nox -s bench -- --quick call
    """
    session.install("-e", ".[demo]", *group("bench"))
    session.run("python", "-m", "benchmarks", *session.posargs)
