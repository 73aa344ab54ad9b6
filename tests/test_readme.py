"""Every Python example in the README runs as it stands."""

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import webrtc_async
from webrtc_async.emulator import Emulator
from webrtc_async.emulator.control.call import CONTROL_PATH
from webrtc_async.emulator.control.calls import CONTROL_CALLS
from webrtc_async.emulator.core.switches import describe_switches, write_value
from webrtc_async.emulator.doors.server import EmulatorServer
from webrtc_async.endpoints import Endpoints

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


# What the README tells readers to put around an example that is no whole file.
INSIDE_A_CLIENT = """
import ast, asyncio, sys
from webrtc_async import AsyncWebRtcClient

async def main(path):
    with open(path, encoding="utf-8") as file:
        part = compile(file.read(), path, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    async with AsyncWebRtcClient.from_env() as client:
        await eval(part, {"client": client})

asyncio.run(main(sys.argv[1]))
"""


def heading(example: str) -> str:
    """Return the heading above an example, as the test's id."""
    return re.findall(r"^## (.+)$", README[: README.index(example)], re.MULTILINE)[-1]


def awaits(example: str) -> bool:
    """Whether an example awaits outside of any function."""
    try:
        compile(example, "README.md", "exec")
    except SyntaxError:
        return True
    return False


@pytest.fixture(scope="module")
def service() -> Iterator[EmulatorServer]:
    with EmulatorServer(Emulator()) as server:
        yield server


@pytest.mark.parametrize("example", [pytest.param(each, id=heading(each)) for each in EXAMPLES])
def test_an_example_runs_without_a_warning(example, service, tmp_path):
    """Each example does what the text says, in a process of its own with the BW_ variables set."""
    script = tmp_path / "test_example.py"
    script.write_text(example, "utf-8")
    runner: list[str] = []
    if "import pytest" in example:
        runner = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio"]
    elif awaits(example):
        runner = ["-c", INSIDE_A_CLIENT]
    finished = subprocess.run(
        [sys.executable, "-W", "error", *runner, str(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
        env={
            **os.environ,
            "BW_ACCOUNT_ID": "9900000",
            "BW_USERNAME": "user",
            "BW_PASSWORD": "password",
            "BW_WEBRTC_BASE_URL": service.base_url,
            "HOOK_SECRET": "0123456789abcdef",
        },
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert finished.stderr == ""


def test_the_readme_begins_with_the_two_commands():
    """The first two code blocks are the ones that a newcomer types."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    assert blocks[0].strip().endswith(".venv/bin/webrtc-async demo")
    assert blocks[1].strip().endswith(".venv/bin/nox -s tests")


def test_the_table_of_contents_is_whole():
    """Every section is linked to from the top, by GitHub's anchor of its heading."""
    headings = re.findall(r"^##+ (.+)$", re.sub(r"```.*?```", "", README, flags=re.DOTALL), re.M)
    anchors = [re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings]
    top, _ = README.split("## Quick start")
    assert set(re.findall(r"\]\(#([^)]+)\)", top)) == set(anchors)
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= set(anchors)


def test_every_operation_error_and_setting_is_in_the_readme():
    """The tables leave nothing out that a user can call, catch or set."""
    operations = {name for name in vars(Endpoints) if not name.startswith("_") and name != "call"}
    errors = {name for name in webrtc_async.__all__ if name.endswith("Error")} - {
        "RouteMismatchError"
    }
    settings = {*inspect.signature(webrtc_async.AsyncWebRtcClient).parameters} - {"account_id"}
    assert len(operations) == 11
    assert [name for name in sorted(operations) if f"| `{name}(" not in README] == []
    assert [name for name in sorted(errors) if f"`{name}`" not in README] == []
    assert [name for name in sorted(settings) if f"| `{name}` |" not in README] == []


def test_every_switch_and_control_call_is_in_the_readme():
    """The tables say of each switch what its program says, and leave no control call out."""
    for each in describe_switches():
        values = ", ".join(f"`{write_value(choice)}`" for choice in each.choices)
        row = f"| `{each.name}` | {values} | {each.says} | {each.inferred_from} |"
        assert row in README.splitlines()
    for call in CONTROL_CALLS:
        path = f"{CONTROL_PATH}{call.path.template}`"
        assert any(call.method in row and path in row for row in README.splitlines()), call
