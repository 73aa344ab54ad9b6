"""The public names of `import webrtc_async`, and their cost."""

import ast
import subprocess
import sys
import types
from pathlib import Path

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


def test_all_lists_every_public_name() -> None:
    """`__all__`, `dir()` and `import *` have every public name, and nothing else."""
    public = {name for name in dir(webrtc_async) if not name.startswith("_")}
    assert set(webrtc_async.__all__) == public | {"__version__"}
    assert len(set(webrtc_async.__all__)) == len(webrtc_async.__all__)
    everything: dict[str, object] = {}
    exec("from webrtc_async import *", everything)
    assert everything.keys() - {"__builtins__"} == set(webrtc_async.__all__)


def test_checkers_and_programs_see_the_same_names() -> None:
    """Type checkers and programs get the same object for each name."""
    tree = ast.parse(Path(webrtc_async.__file__).read_text("utf-8"))
    seen = {
        name.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("webrtc_async.")
        for name in node.names
    }
    assert seen.keys() == set(webrtc_async.__all__)
    for name, module in seen.items():
        assert getattr(webrtc_async, name) is vars(sys.modules[str(module)])[name]


def test_an_unknown_name() -> None:
    """An unknown name fails as in any module, also on import."""
    with pytest.raises(AttributeError, match="'webrtc_async' has no attribute 'Sesion'"):
        webrtc_async.Sesion  # noqa: B018
    with pytest.raises(ImportError, match="Sesion"):
        from webrtc_async import Sesion  # noqa: F401, PLC0415


def test_the_emulator_s_all_lists_every_public_name() -> None:
    """The emulator's `__all__` lists its public names."""
    lazy = {"EmulatorServer", "emulator_app"}
    assert (
        set(emulator.__all__)
        == exposed_by(emulator) - {"import_module", "TYPE_CHECKING", "Final"} | lazy
    )
    assert set(emulator.__all__) <= set(dir(emulator))


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
    """Every name at the top has a docstring."""
    for name in webrtc_async.__all__:
        value = getattr(webrtc_async, name)
        assert isinstance(value, str | tuple) or value.__doc__, name


def loaded_by(statement: str) -> set[str]:
    """Return the modules that a statement loads in a new interpreter."""
    program = f"import sys\n{statement}\nprint(*sys.modules)"
    command = [sys.executable, "-W", "error", "-c", program]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_importing_loads_only_the_client_s_modules() -> None:
    """The client loads at most 77 of our modules, and no optional library."""
    loaded = loaded_by(
        "from webrtc_async import AsyncWebRtcClient\n"
        "AsyncWebRtcClient('1', auth=('user', 'password'))"
    )
    assert "webrtc_async.client" in loaded
    assert len([name for name in loaded if name.partition(".")[0] == "webrtc_async"]) <= 77
    assert not loaded & {
        "starlette",
        "uvicorn",
        "trio",
        "pytest",
        "webrtc_async.emulator",
        "webrtc_async.cli",
        "webrtc_async._auth.oauth2",
        "webrtc_async.conferences",
    }


def test_importing_the_package_brings_names_only() -> None:
    """Importing the package loads no room and no library until a name is used."""
    loaded = loaded_by("import webrtc_async")
    assert {name for name in loaded if name.startswith("webrtc_async.")} == {
        "webrtc_async._version"
    }
    assert not loaded & {"httpx", "attrs", "cattrs", "anyio"}
