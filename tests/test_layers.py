"""Who may import whom: each floor stands on the ones below it, and a library has one home."""

import ast
from pathlib import Path

import pytest

import webrtc_async

ROOT = Path(webrtc_async.__file__).parent
PACKAGE = "webrtc_async"
FLOORS = (
    "_tasks",
    "errors",
    "models",
    "_codec",
    "_config",
    "_protocol",
    "route_table",
    "voice",
    "webhooks",
    "device_token",
    "_auth",
    "_transport",
    "redis",
    "_call",
    "otel",
    "endpoints",
    "conferences",
    "client",
)
"""Lowest first; a module imports only from below."""

OPEN_TO_THE_EMULATOR = {"errors", "models", "_protocol", "_codec", "route_table"}
HOMES = {
    "cattrs": {"_codec.converter", "_codec.model_hooks"},
    "tenacity": {"_call.retry"},
    "httpx": {
        "_transport.direct_exchange",
        "_transport.exchange",
        "_transport.http_library",
        "_transport.library_pool",
        "_transport.lane",
        "_transport.http1.connection",
        "_transport.http1.pool",
        "_transport.http1.request_writer",
        "_transport.http1.response",
        "_transport.http1.transport",
        "emulator.doors.in_process",
        "emulator.doors.in_process_faults",
        "emulator.contract.place",
        "emulator.webhooks.delivery",
    },
    "opentelemetry": {"otel"},
    "h11": {"_transport.http1.h11_parser"},
    "limits": {"redis"},
    "redis": {"redis"},
    "pytest": {"pytest_plugin"},
}


def name_of(path: Path) -> str:
    """Return a module's name below the package; a package's own is its __init__."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


MODULES = {name_of(path): path for path in sorted(ROOT.rglob("*.py"))}
each_module = pytest.mark.parametrize("module", MODULES)


def is_module(name: str) -> bool:
    """Whether a dotted name below the package is a module or a package."""
    return name in MODULES or f"{name}.__init__" in MODULES


def imports_of(module: str) -> set[str]:
    """Return the full names that a module imports, at its top, inside functions or for types."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            for alias in node.names:
                below = f"{node.module}.{alias.name}".removeprefix(f"{PACKAGE}.")
                found.add(f"{PACKAGE}.{below}" if is_module(below) else str(node.module))
    return found


def own_imports_of(module: str) -> set[str]:
    """Return which modules of this package a module imports; __init__ is the package itself."""
    own = {name for name in imports_of(module) if name.partition(".")[0] == PACKAGE}
    return {name.removeprefix(PACKAGE).removeprefix(".") or "__init__" for name in own}


def libraries_of(module: str) -> set[str]:
    """Return the top names of everything else that a module imports."""
    return {name.partition(".")[0] for name in imports_of(module)} - {PACKAGE}


@each_module
def test_a_floor_imports_only_from_below(module: str) -> None:
    """A module of a floor imports only its own floor's and lower floors' modules."""
    floor = module.partition(".")[0]
    if floor in FLOORS:
        below = set(FLOORS[: FLOORS.index(floor)])
        own = {floor} if floor != module else set()
        used = {name.partition(".")[0] for name in own_imports_of(module)}
        assert used <= below | own | {"_version"}


@each_module
def test_the_emulator_imports_nothing_of_the_client(module: str) -> None:
    """The emulator shares the pure rooms and no code that sends, so each can test the other."""
    if module.partition(".")[0] == "emulator":
        used = {name.partition(".")[0] for name in own_imports_of(module)}
        assert used <= OPEN_TO_THE_EMULATOR | {"emulator", "_version"}


@each_module
def test_nobody_imports_the_command_line(module: str) -> None:
    """Only the command line itself imports its modules."""
    if module.partition(".")[0] != "cli":
        assert not {name for name in own_imports_of(module) if name.partition(".")[0] == "cli"}


@each_module
@pytest.mark.parametrize("library", HOMES)
def test_a_library_has_one_home(module: str, library: str) -> None:
    """A library that could be replaced is imported by the module that hides it, and no other."""
    if module not in HOMES[library]:
        assert library not in libraries_of(module)


def test_the_version_imports_nothing() -> None:
    """The version can be imported by anyone, because it imports nobody."""
    assert imports_of("_version") == set()


def test_the_package_only_gathers_names() -> None:
    """The package's own module imports nothing of its rooms before one of their names is used."""
    tree = ast.parse(MODULES["__init__"].read_text(encoding="utf-8"))
    at_once = {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert at_once == {"importlib", "typing", f"{PACKAGE}._version"}
    assert not any(isinstance(node, ast.Import | ast.ClassDef) for node in ast.walk(tree))


def test_the_floors_are_all_there() -> None:
    """The package has exactly the floors named here, its version, and its three wings."""
    top = {name.partition(".")[0] for name in MODULES}
    assert set(FLOORS) <= top
    assert top <= {*FLOORS, "__init__", "_version", "emulator", "cli", "pytest_plugin"}
