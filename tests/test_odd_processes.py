"""Processes without streams or a working directory, and the package in a zip file."""

import os
import runpy
import shutil
import subprocess
import sys
import zipapp
from importlib import import_module
from pathlib import Path

import pytest
from support.command_line import WITHOUT_SETTINGS

import webrtc_async
from webrtc_async._pyinstaller import hook_dirs

PROGRAM = """
import asyncio, logging, os, sys, warnings
import httpx
{start}
import webrtc_async
from webrtc_async import AsyncWebRtcClient
from webrtc_async.emulator import Emulator, EmulatorServer

async def main():
    with EmulatorServer(Emulator()) as server:
        auth = ("user", "password")
        async with AsyncWebRtcClient("9900000", auth=auth, base_url=server.base_url) as client:
            async with client.conference(["agent", "caller"]):
                await client.create_session()
        logging.getLogger("webrtc_async").error("nobody reads this")
        warnings.warn("nor this", ResourceWarning)
        page = httpx.get(server.base_url.removesuffix("/v1") + "/_emulator/", trust_env=False)
        assert "<title>" in page.text

asyncio.run(main())
with open(os.environ["RESULT"], "w") as file:
    file.write(webrtc_async.__file__)
"""

NO_STREAMS = "sys.stdin = sys.stdout = sys.stderr = None"


def run(*command: str, result: Path, closed: tuple[int, ...] = ()) -> int:
    """Run Python without some of the descriptors 0, 1 and 2, and return its exit code."""

    def close() -> None:
        for descriptor in closed:
            os.close(descriptor)

    return subprocess.run(
        [sys.executable, *command],
        preexec_fn=close,
        env={**WITHOUT_SETTINGS, "RESULT": str(result)},
        cwd=result.parent,  # not where the source is, which Python would import
        timeout=60,
        check=False,
    ).returncode


@pytest.mark.parametrize("closed", [(), (1,), (0, 1, 2)], ids=["none", "stdout", "all"])
def test_a_program_without_streams(closed: tuple[int, ...], tmp_path: Path) -> None:
    """The client and the emulator need no stdout or stderr, whether None or closed."""
    start = "" if closed else NO_STREAMS
    result = tmp_path / "result"
    assert run("-c", PROGRAM.format(start=start), result=result, closed=closed) == 0
    assert result.read_text("utf-8").endswith("__init__.py")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("contract", "--only", "session"), 0), (("nonsense",), 2)],
    ids=["contract", "wrong"],
)
@pytest.mark.parametrize("closed", [(1,), (0, 1, 2)], ids=["stdout", "all"])
def test_a_command_without_streams(
    arguments: tuple[str, ...], code: int, closed: tuple[int, ...], tmp_path: Path
) -> None:
    """A command whose output is closed does its work, and its exit code says how it went."""
    command = ("-m", "webrtc_async.cli", *arguments)
    assert run(*command, result=tmp_path, closed=closed) == code


def test_the_package_in_a_zip_file(tmp_path: Path) -> None:
    """A zipapp has the modules and the emulator's files."""
    source, archive = tmp_path / "source", tmp_path / "program.pyz"
    package = Path(webrtc_async.__file__).parent
    shutil.copytree(package, source / "webrtc_async", ignore=shutil.ignore_patterns("__pycache__"))
    (source / "__main__.py").write_text(PROGRAM.format(start=""), "utf-8")
    zipapp.create_archive(source, archive)
    assert run(str(archive), result=tmp_path / "result") == 0
    assert (tmp_path / "result").read_text("utf-8").startswith(str(archive))


def test_the_hooks_of_pyinstaller() -> None:
    """The hooks name modules and files that exist; `tests/frozen` packs programs with them."""
    [folder] = hook_dirs()
    hooks = [runpy.run_path(str(path)) for path in sorted(Path(folder).glob("hook-*.py"))]
    assert len(hooks) == 2
    for hook in hooks:
        assert all(map(import_module, hook["hiddenimports"]))
        for source, place in hook.get("datas", []):
            assert Path(folder).parent.parent / place == Path(source).parent


def test_a_working_directory_that_was_deleted(tmp_path: Path) -> None:
    """A program's directory may be gone, and HOME not set."""
    gone = tmp_path / "gone"
    gone.mkdir()
    program = f"import os, sys; os.rmdir({str(gone)!r}); del os.environ['HOME']\n"
    environ = {**WITHOUT_SETTINGS, "RESULT": str(tmp_path / "result"), "HOME": "/"}
    # Without the directory on its path, from which Python 3.13.0 cannot import when it is gone.
    command = [sys.executable, "-P", "-c", program + PROGRAM.format(start="")]
    assert subprocess.run(command, cwd=gone, env=environ, timeout=60, check=False).returncode == 0
