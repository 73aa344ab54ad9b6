"""The checks to run before a change lands; `nox -l` lists them."""

import os
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import nox

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["lint", "types", "tests"]

PROJECT = nox.project.load_toml("pyproject.toml")
LOCK = Path(".ci/constraints.txt").resolve()
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
SUPPORTED = ("3.11", "3.12", "3.13", "3.14")


def runs(version: str) -> bool:
    """Return True if that Python starts; a version manager's stand-in may exist and fail."""
    try:
        subprocess.run([f"python{version}", "-c", ""], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


# One process more than there are cores, because the tests often wait.
PARALLEL = ["-n", str((os.cpu_count() or 1) + 1), "--dist", "worksteal"]

OTHERS = [version for version in SUPPORTED if version != RUNNING and runs(version)]


NEWEST = max([RUNNING, *OTHERS], key=lambda version: int(version.partition(".")[2]))

END_TO_END = (
    "tests/test_walkthrough.py",
    "tests/conferences/test_conference.py",
    "tests/faults/test_storms.py",
    "tests/transport/http1",
    "tests/transport/test_exchange.py",
    "tests/webhooks/test_webhooks_end_to_end.py",
)
SENDING = [f"tests/{name}" for name in ("auth", "call", "conferences", "faults", "transport")]
"""The tests of the rooms that send requests, and so depend on the HTTP library."""

PROXIES = ("nginx", "haproxy")
SBIN = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"


def group(name: str) -> list[str]:
    """Return the requirements of a dependency group."""
    return list(nox.project.dependency_groups(PROJECT, name))


def lowest(*extras: str) -> list[str]:
    """Return the requirements of users with these extras, at their lowest versions."""
    optional = PROJECT["project"]["optional-dependencies"]
    declared = [
        *PROJECT["project"]["dependencies"],
        *(requirement for extra in extras for requirement in optional[extra]),
    ]
    return [requirement.replace(">=", "==") for requirement in declared]


def install(session: nox.Session, *requirements: str) -> None:
    """Install requirements, development tools at their locked versions."""
    session.install("--constraint", f"{LOCK}", *requirements)


def run_tests(session: nox.Session, *options: str, **env: str) -> None:
    """Run the tests on all cores, with these options and those from the command line."""
    session.run("pytest", *PARALLEL, *options, *session.posargs, env=env)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests, without the slow ones, with the newest versions of the dependencies."""
    install(session, ".[demo,otel]", *group("test"))
    run_tests(session)


@nox.session
def tests_lowest(session: nox.Session) -> None:
    """Run the tests with the lowest supported versions of the dependencies."""
    # Not at the locked versions: frameworks among them need newer dependencies.
    session.install(".[demo,otel]", *group("test"), *lowest("emulator", "cli"))
    run_tests(session)


@nox.session(python=OTHERS or None)
def tests_pythons(session: nox.Session) -> None:
    """Run the tests on the other supported versions of Python that this machine has."""
    if not OTHERS:
        session.skip("this machine has no other supported version of Python")
    install(session, ".[demo,otel]", *group("test"))
    run_tests(session)


@nox.session
@nox.parametrize("httpx2", ["httpx2==2.0.0", "httpx2"], ids=["lowest", "newest"])
def tests_httpx2(session: nox.Session, httpx2: str) -> None:
    """Run the tests of what sends requests, with httpx2 in the place of httpx."""
    install(session, ".[demo,httpx2]", *group("test"), httpx2)
    run_tests(session, *SENDING, HTTP_LIBRARY="httpx2")


@nox.session(python=OTHERS[-1:] or None)
def coverage(session: nox.Session) -> None:
    """Run all tests on the newest Python, and require 100 % of the client side's branches."""
    install(session, "-e", ".[demo,otel]", *group("test"))
    session.env["EXAMPLES"] = "300"
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *PARALLEL)
    session.run("coverage", "run", "-m", "pytest", "-m", "slow", *PARALLEL)
    session.run("coverage", "run", "-m", "pytest", "-m", "engines", "tests/test_redis.py")
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report", "--omit=*/emulator/*,*/cli/*", "--fail-under=100")
    session.run("coverage", "report", "--include=*/emulator/*,*/cli/*")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of the package, strictly, and those that users' type checkers see."""
    install(session, ".[demo]", *group("types"))
    pyright = ["pyright", "--pythonpath", f"{session.bin}/python"]
    session.run("mypy")
    session.run(*pyright)
    session.run(*pyright, "--ignoreexternal", "--verifytypes", "webrtc_async")
    session.run("pytest", "-m", "types", *session.posargs)


@nox.session
def recipes(session: nox.Session) -> None:
    """Run the bots and the worker among the recipes; redis-server must be installed."""
    install(session, ".[demo]", *group("recipes"))
    session.run("pytest", "-m", "recipes", *session.posargs)


@nox.session(python=NEWEST)
def setups(session: nox.Session) -> None:
    """Run the end-to-end tests as users run the client; needs nginx and haproxy.

    On uvloop, with eager tasks, in the development mode, in threads and forked workers, and behind
    proxies, which no other session does.
    """
    if missing := [each for each in PROXIES if shutil.which(each, path=SBIN) is None]:
        session.error(f"not installed: {', '.join(missing)} (apt-get install {' '.join(missing)})")
    install(session, ".[demo]", "uvloop", *group("test"))
    parallel = [*PARALLEL, *session.posargs]
    session.run("pytest", "-m", "not slow", "tests/setups", *parallel)
    session.run("pytest", *END_TO_END, *parallel, env={"SETUP": "uvloop"})
    if NEWEST == "3.11":
        session.warn("Without Python 3.12 there are no eager tasks to test with.")
    else:
        session.run("pytest", *END_TO_END, *parallel, env={"SETUP": "eager"})
    strictly = ["python", "-X", "dev", "-W", "error", "-m", "pytest"]
    session.run(*strictly, *END_TO_END, *parallel, env={"SETUP": "plain"})


@nox.session
def patchers(session: nox.Session) -> None:
    """Run the tools that tests put before the network: mocks, recorders and blockers."""
    install(session, ".[demo]", *group("patchers"))
    command = "pytest", "-m", "patchers", "tests/transport/test_patchers.py", *session.posargs
    session.run(*command)
    for version in ("6.0.2", "7.0.0"):
        # Older vcrpy replaces other methods of httpx. It does not know the newest aiohttp.
        session.install(f"vcrpy=={version}", "aiohttp<3.14")
        session.run(*command, "-k", "vcrpy")


@nox.session
def flood(session: nox.Session) -> None:
    """Open ten thousand connections to the emulator; half of them send nothing."""
    install(session, ".[demo]", *group("test"))
    session.run("pytest", "-m", "flood", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Test the emulator's page in headless Chromium, which must be installed."""
    install(session, ".[demo]", *group("browser"))
    session.run("pytest", "-m", "browser", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check the format, the rules, and that imports point downward only."""
    install(session, *group("lint"))
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("lint-imports", "--no-cache")


@nox.session
def lock(session: nox.Session) -> None:
    """Resolve the development tools anew, and write their exact versions to the lock file.

    The packages that users install are left out: the tests run with the newest of them.
    """
    session.install("pip>=25.1", ".[demo,httpx2,otel,redis]")
    users = set(_frozen(session))
    groups = set(PROJECT["dependency-groups"]) - {"vendor"}
    session.install(*(f"--group={name}" for name in sorted(groups)))
    tools = {name: line for name, line in _frozen(session).items() if name not in users}
    title = "# Written by `nox -s lock`: the development tools that the sessions install."
    LOCK.write_text("\n".join([title, *tools.values(), ""]), encoding="utf-8")


def _frozen(session: nox.Session) -> dict[str, str]:
    """Return the lines that pin the installed packages, by name."""
    listed = session.run("python", "-m", "pip", "freeze", "--exclude=webrtc-async", silent=True)
    return {re.split("[= @]", line)[0]: line for line in str(listed).splitlines()}


@nox.session
def conferences(session: nox.Session) -> None:
    """Cancel 10,000 conferences at random on each backend, and require that nothing is left."""
    install(session, ".", *group("test"))
    storm = "tests/conferences/test_conference_cancellation.py"
    session.run("pytest", storm, *session.posargs, env={"CONFERENCES": "10000"})


@nox.session
def engines(session: nox.Session) -> None:
    """Run plans in the processes of task queues, and kill one of the processes."""
    install(session, ".[demo]", *group("engines"))
    session.run("pytest", "-m", "engines", *session.posargs)


def of_faults(session: nox.Session, module: str, *arguments: str) -> None:
    """Run a module of tests/faults, with these arguments or those of the command line."""
    install(session, ".[demo]", *group("test"))
    given = arguments or session.posargs
    session.run("python", "-m", module, *given, env={"PYTHONPATH": "tests"})


@nox.session
def matrix(session: nox.Session) -> None:
    """Try every fault on every transport, and print the matrix as a table."""
    of_faults(session, "faults")


@nox.session
def storm(session: nox.Session) -> None:
    """Cancel 12 000 calls in every way, over TLS too, and take the service down for 500 callers."""
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
    """Cause 100,000 random faults, or the given number, and print the outcomes."""
    of_faults(session, "faults.stateful_faults", *(session.posargs or ["100000"]))


@nox.session
def frozen(session: nox.Session) -> None:
    """Pack programs with PyInstaller, and run them without Python's own files."""
    install(session, ".[demo]", *group("frozen"))
    session.run("pytest", "tests/frozen", *session.posargs)


@nox.session
def vendor(session: nox.Session) -> None:
    """Run the vendor's last Python SDK with WebRTC against the emulator over TCP."""
    # Not at the locked versions: the SDK brings older ones of the packages that it needs.
    session.install(".[emulator]", *group("vendor"))
    # The SDK is from 2023, and its deprecated calls are known.
    session.run("pytest", "tests/vendor", "-W", "ignore::DeprecationWarning", *session.posargs)


@nox.session
def schemathesis(session: nox.Session) -> None:
    """Send requests that the vendor's description allows or forbids; takes the file's path.

    nox -s schemathesis -- webrtc.yml
    """
    if not session.posargs:
        session.error("Give the path of the vendor's OpenAPI file: nox -s schemathesis -- FILE")
    description, *options = session.posargs
    install(session, ".[emulator]", *group("schemathesis"), *group("test"))
    session.env["WEBRTC_DESCRIPTION"] = str(Path(description).resolve())
    session.run("pytest", "tests/described", *options)


@nox.session
def demo(session: nox.Session) -> None:
    """Run the demo as a newcomer would."""
    session.install(".[demo]")
    session.run("webrtc-async", "demo", *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """Build twice to the same bytes, check the wheel's files, and use it in a bare environment."""
    install(session, *group("build"))
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
    # Archives hold times. With those of the last commit, two builds are equal.
    moment = session.run("git", "log", "-1", "--format=%ct", external=True, silent=True)
    env = {"SOURCE_DATE_EPOCH": str(moment).strip()}
    session.run("python", "-m", "build", "--outdir", f"{target}", env=env, silent=True)
    return {each.name: sha256(each.read_bytes()).hexdigest() for each in sorted(target.iterdir())}


def _check_contents(session: nox.Session, wheel: Path) -> None:
    """Require that a wheel has every file of the package and the licence, and nothing else."""
    tracked = session.run("git", "ls-files", "webrtc_async", external=True, silent=True)
    expected = {name for name in str(tracked).split() if not name.endswith(".md")}
    with ZipFile(wheel) as archive:
        found = set(archive.namelist())
    about = {name for name in found if ".dist-info/" in name}
    if found - about != expected:
        session.error(f"the wheel and the package differ: {sorted((found - about) ^ expected)}")
    if not any(name.endswith("/licenses/LICENSE") for name in about):
        session.error("the wheel has no licence")


@nox.session
def drift(session: nox.Session) -> None:
    """List changes to public names and signatures since the last release."""
    session.install(*group("drift"))
    tags = session.run(
        "git", "tag", "--list", "v*", "--sort=-v:refname", external=True, silent=True
    )
    latest = next(iter(str(tags).split()), None)
    if latest is None:
        session.log("There is no release yet to compare with.")
    else:
        session.run("griffe", "check", "webrtc_async", "--against", latest)


@nox.session
def bench(session: nox.Session) -> None:
    """Compare with other clients and write benchmarks/*.md; needs valgrind and strace.

    nox -s bench -- --quick call
    """
    session.install("-e", ".[demo]", *group("bench"))
    session.run("python", "-m", "benchmarks", *session.posargs)
