"""The emulator's options on the command line: account, switches and state file."""

from importlib import import_module
from pathlib import Path
from typing import Final

import click

from webrtc_async.emulator import Emulator, Switches
from webrtc_async.emulator.core.switches import SwitchError, describe_switches, write_value
from webrtc_async.emulator.snapshot_file import load_snapshot, save_snapshot

ACCOUNT: Final = "9900000"
USERNAME: Final = "user"
PASSWORD: Final = "password"  # noqa: S105  # the emulator's own, and documented

SWITCHES_HELP: Final = "\n\n".join(
    [
        "Switches for behaviour of the service that is not public; the first value is the default.",
        *(
            f"{each.name}={'|'.join(map(write_value, each.choices))}: {each.says}. "
            f"Evidence: {each.inferred_from}."
            for each in describe_switches()
        ),
    ]
)
"""The description of every switch, a paragraph each."""


def require_server(command: str) -> None:
    """Fail a command that serves the emulator if the packages for that are missing.

    Raises:
        click.ClickException: A package of the extra is not installed.
    """
    try:
        import_module("webrtc_async.emulator.doors.server")
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"{error.name} is not installed. The command {command} needs an extra: "
            "pip install 'webrtc-async[demo]'"
        ) from None


def read_switches(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> Switches:
    """Return the switches given as NAME=VALUE."""
    values: dict[str, object] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals:
            raise click.BadParameter(f"{each[:40]!r} is not NAME=VALUE, such as empty_lists=200.")
        if name in values:
            raise click.BadParameter(f"{name} is given twice.")
        values[name] = value
    try:
        return Switches().with_values(values)
    except SwitchError as error:
        raise click.BadParameter(f"{error}.") from None


def load_state(emulator: Emulator, path: Path) -> None:
    """Restore an emulator from a state file, if it exists."""
    try:
        load_snapshot(emulator, path)
    except OSError as error:
        raise click.ClickException(f"cannot read {path}: {error.strerror}.") from None
    except ValueError as error:
        raise click.ClickException(f"{path} is not a snapshot of this emulator: {error}.") from None


def save_state(emulator: Emulator, path: Path) -> None:
    """Save an emulator's state to a file."""
    try:
        save_snapshot(emulator, path)
    except OSError as error:
        raise click.ClickException(f"cannot write {path}: {error.strerror}.") from None
