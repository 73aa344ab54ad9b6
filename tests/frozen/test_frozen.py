"""Programs that PyInstaller has packed, without an option for this package."""

import subprocess
import sys
from pathlib import Path

import anyio.abc
import pytest
from anyio import to_thread
from support.command_line import live
from support.scripted import listening
from support.tls import server_side

from webrtc_async.emulator import Emulator
from webrtc_async.emulator.doors.server import EmulatorServer

HERE = Path(__file__).parent


def packed(name: str, folder: Path) -> Path:
    """Pack a program, and return its directory."""
    subprocess.run(
        [sys.executable, "-m", "PyInstaller", "--noconfirm", str(HERE / f"{name}.py")],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder / "dist" / name


@pytest.fixture(scope="module")
def client_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the program that uses the client."""
    return packed("uses_the_client", tmp_path_factory.mktemp("client"))


def run(program: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a packed program where no Python is."""
    command = [str(program / program.name), *arguments]
    return subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "rejected: "),
        ({"SSL_CERT_FILE": "/missing"}, "set: createSession: the environment variable SSL_CERT_F"),
    ],
)
async def test_a_program_with_a_client(client_program: Path, environ: dict[str, str], said: str):
    """A packed client calls a service, and has the certificates that it checks others with."""

    async def close(stream: anyio.abc.ByteStream) -> None:
        await stream.aclose()

    async with listening(close, server_side("127.0.0.1")) as port:
        with EmulatorServer(Emulator()) as server:
            arguments = (client_program, f"https://127.0.0.1:{port}/v1")
            ran = await to_thread.run_sync(lambda: run(*arguments, **live(server), **environ))
    assert ran.stdout.startswith(said), ran.stderr
    assert ran.returncode == 0


def test_a_program_without_streams(client_program: Path) -> None:
    """A packed program without a console works."""
    with EmulatorServer(Emulator()) as server:
        ran = run(client_program, "--no-streams", **live(server), SSL_CERT_FILE="/missing")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_a_program_without_the_emulator_has_none_of_its_files(client_program: Path) -> None:
    """Only programs that import the emulator get its page and its contract."""
    assert not list(client_program.rglob("page.html"))
    assert not list(client_program.rglob("*.toml"))


def test_a_program_with_the_emulator(tmp_path: Path) -> None:
    """A packed emulator serves its page."""
    ran = run(packed("uses_the_emulator", tmp_path))
    assert ran.stdout == "200 True\n", ran.stderr
