"""The rules of the package's layout that `lint-imports` cannot check."""

import ast
from pathlib import Path

import pytest

import webrtc_async

ROOT = Path(webrtc_async.__file__).parent
RECIPES = Path(__file__).parent / "recipes"
ROOMS = sorted(path.parent for path in ROOT.glob("*/__init__.py"))
PAGE = 60  # lines


def is_run_at_import(node: ast.stmt) -> bool:
    """Return False for a function and for `if TYPE_CHECKING:`."""
    for_checkers = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    return not (for_checkers or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def imports_of(path: Path, *, at_import: bool = False) -> set[str]:
    """Return the modules that a file imports: all, or only those at import time."""
    nodes = [ast.parse(path.read_text(encoding="utf-8"))]
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
        children = ast.iter_child_nodes(node)
        nodes += [child for child in children if not at_import or is_run_at_import(child)]
    return found


def test_a_file_is_short() -> None:
    """A file has at most 300 lines."""
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in ROOT.rglob("*.py")}
    assert {path: count for path, count in lines.items() if count > 300} == {}


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_has_a_readme(room: Path) -> None:
    """Each room's source has a README.md of at most a page."""
    readme = Path(__file__).parents[1] / "webrtc_async" / room.name / "README.md"
    assert 0 < len(readme.read_text(encoding="utf-8").splitlines()) <= PAGE


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.py")), ids=lambda path: path.stem)
def test_a_recipe_needs_no_private_room(path: Path) -> None:
    """Users copy recipes, so a recipe imports public modules only."""
    own = {name for name in imports_of(path) if name.startswith("webrtc_async")}
    assert own
    assert not [name for name in own if "._" in name]


def test_the_package_loads_a_name_when_it_is_used() -> None:
    """Importing the package imports none of its rooms."""
    imported = imports_of(ROOT / "__init__.py", at_import=True)
    assert {name for name in imported if name.startswith("webrtc_async")} == {
        "webrtc_async._version"
    }


@pytest.mark.parametrize("module", ["client", "_conference_methods"])
def test_the_client_loads_conferences_when_they_are_used(module: str) -> None:
    """The client's methods for conferences import them when called."""
    imported = imports_of(ROOT / f"{module}.py", at_import=True)
    assert not [name for name in imported if name.startswith("webrtc_async.conferences")]
