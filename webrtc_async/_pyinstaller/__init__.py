"""Hooks that pack this package into a program; PyInstaller finds them by an entry point."""

from importlib.resources import files


def hook_dirs() -> list[str]:
    """Return the directory of the hooks."""
    return [str(files(__name__))]
