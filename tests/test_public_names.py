"""What `import webrtc_async` gives, and what it costs."""

import subprocess
import sys
import types

import pytest

import webrtc_async
from webrtc_async import emulator, errors, models


def exposed_by(module: types.ModuleType) -> set[str]:
    """Return the names without an underscore, other than submodules."""
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }


def test_all_is_what_is_exposed() -> None:
    """`__all__` names everything that the package exposes, and nothing else."""
    assert set(webrtc_async.__all__) == exposed_by(webrtc_async) | {"__version__"}
    assert len(set(webrtc_async.__all__)) == len(webrtc_async.__all__)


def test_the_emulator_s_all_is_what_is_exposed() -> None:
    """The emulator's `__all__` names what it exposes."""
    assert set(emulator.__all__) == exposed_by(emulator)


@pytest.mark.parametrize("module", [errors, models])
def test_whole_rooms_are_exposed(module: types.ModuleType) -> None:
    """Every model, enum and error can be imported from the top."""
    own = {
        name
        for name in exposed_by(module)
        if isinstance(vars(module)[name], type) and vars(module)[name].__module__ == module.__name__
    }
    assert own <= set(webrtc_async.__all__)


def test_exposed_names_have_docstrings() -> None:
    """Whatever can be imported from the top can be asked for help."""
    for name in webrtc_async.__all__:
        value = getattr(webrtc_async, name)
        assert isinstance(value, str | tuple) or value.__doc__, name


def test_importing_brings_no_extra() -> None:
    """Importing the package loads no emulator, no server, no command line and no trio."""
    program = "import sys, webrtc_async; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "webrtc_async.client" in loaded
    for name in (
        "starlette",
        "uvicorn",
        "trio",
        "pytest",
        "webrtc_async.emulator",
        "webrtc_async.cli",
    ):
        assert name not in loaded
