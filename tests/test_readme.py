"""Every Python example in the README and in the guides runs unchanged."""

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
from webrtc_async.emulator.core.access_tokens import TOKEN_PATH
from webrtc_async.emulator.core.switches import describe_switches, write_value
from webrtc_async.emulator.doors.server import EmulatorServer
from webrtc_async.emulator.faults.chaos import PROFILES
from webrtc_async.endpoints import Endpoints

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
GUIDES = sorted(ROOT.glob("webrtc_async/**/GUIDE.md"))
TEXT = {page: page.read_text("utf-8") for page in (README, *GUIDES)}
CODE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^##+ (.+)$", re.MULTILINE)

# The README tells readers to wrap a partial example in this.
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


def examples() -> Iterator[object]:
    """Yield the Python examples of every page; an id is the room and the heading above."""
    for page, text in TEXT.items():
        room = "README" if page == README else page.parent.name
        for found in re.finditer(r"```python\n(.*?)```", text, re.DOTALL):
            heading = HEADING.findall(text[: found.start()])[-1]
            yield pytest.param(found[1], id=f"{room}: {heading}")


def needs_client(example: str) -> bool:
    """Return True if an example awaits outside of any function."""
    try:
        compile(example, "README.md", "exec")
    except SyntaxError:
        return True
    return False


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = HEADING.findall(CODE.sub("", text))
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.fixture(scope="module")
def service() -> Iterator[EmulatorServer]:
    with EmulatorServer(Emulator()) as server:
        yield server


@pytest.mark.parametrize("example", [*examples()])
def test_an_example_runs_without_a_warning(example, service, tmp_path):
    """Each example does what the text says, in its own process with the BW_ variables set."""
    script = tmp_path / "test_example.py"
    script.write_text(example, "utf-8")
    runner: list[str] = []
    if "import pytest" in example:
        runner = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio"]
    elif needs_client(example):
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
            "BW_CLIENT_ID": "client",
            "BW_CLIENT_SECRET": "secret",
            "BW_WEBRTC_BASE_URL": service.base_url,
            "BW_TOKEN_URL": re.sub(r"(?<=\w)/.*", TOKEN_PATH, service.base_url),
            "HOOK_SECRET": "0123456789abcdef",
        },
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert finished.stderr == ""


def test_the_readme_begins_with_the_two_commands():
    """The first two code blocks are the commands for a newcomer."""
    blocks = re.findall(r"```sh\n(.*?)```", TEXT[README], re.DOTALL)
    assert blocks[0].strip().endswith(".venv/bin/webrtc-async demo")
    assert blocks[1].strip().endswith(".venv/bin/nox -s tests")


def test_the_readme_is_short():
    """The README has at most 320 lines."""
    assert len(TEXT[README].splitlines()) <= 320


@pytest.mark.parametrize("page", list(TEXT), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    """A link to a file or a heading of this project exists."""
    for target in re.findall(r"\]\(([^)]+)\)", CODE.sub("", TEXT[page])):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.is_file(), target
        assert not anchor or anchor in anchors(linked.read_text("utf-8")), target


def test_the_readme_links_every_guide():
    """Every guide is linked from the top of the README."""
    top, _ = TEXT[README].split("## Install")
    assert [each for each in GUIDES if f"]({each.relative_to(ROOT)})" not in top] == []


def test_every_operation_error_and_setting_is_documented():
    """The tables list every operation, error and setting."""
    operations = {name for name in vars(Endpoints) if not name.startswith("_") and name != "call"}
    errors = {name for name in webrtc_async.__all__ if name.endswith("Error")} - {
        "RouteMismatchError"
    }
    settings = {*inspect.signature(webrtc_async.AsyncWebRtcClient).parameters} - {"account_id"}
    guide = TEXT[ROOT / "webrtc_async/_transport/GUIDE.md"]
    assert len(operations) == 11
    assert [name for name in sorted(operations) if f"| `{name}(" not in TEXT[README]] == []
    assert [name for name in sorted(errors) if f"`{name}`" not in TEXT[README]] == []
    assert [name for name in sorted(settings) if f"| `{name}` |" not in guide] == []


def test_every_switch_and_control_call_is_in_the_emulators_guide():
    """The tables list every switch, chaos profile and control call, with its description."""
    rows = TEXT[ROOT / "webrtc_async/emulator/GUIDE.md"].splitlines()
    switches = [
        f"| `{each.name}` | {', '.join(f'`{write_value(choice)}`' for choice in each.choices)} "
        f"| {each.says} | {each.inferred_from} |"
        for each in describe_switches()
    ]
    profiles = [f"| `{name}` | {each.says} |" for name, each in PROFILES.items()]
    assert [row for row in (*switches, *profiles) if row not in rows] == []
    for call in CONTROL_CALLS:
        path = f"{CONTROL_PATH}{call.path.template}"
        assert any(call.method in row and path in row for row in rows), call
