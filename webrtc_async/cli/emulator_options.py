"""The emulator's options on the command line: account, switches and state file."""

from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Final

import attrs
import click

from webrtc_async.emulator import Credentials, Emulator, Switches
from webrtc_async.emulator.core.switches import SwitchError, describe_switches, write_value
from webrtc_async.emulator.snapshot_file import SnapshotFile

ACCOUNT: Final = "9900000"
CLIENT_ID: Final = "client"
CLIENT_SECRET: Final = "secret"  # noqa: S105  # the emulator's own, and documented
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


def read_accounts(given: tuple[str, ...], client: Credentials) -> dict[str, Credentials]:
    """Return the credentials of the accounts given as ID or ID:USERNAME:PASSWORD.

    Args:
        given: The options.
        client: The OAuth2 client of all accounts, and the user of an account without its own.
    """
    found: dict[str, Credentials] = {}
    for each in given:
        account, colon, user = each.partition(":")
        username, has_password, password = user.partition(":")
        if not account or (colon and not (username and has_password)):
            # Without the text, which may hold a password.
            raise click.UsageError("--account must be ID or ID:USERNAME:PASSWORD.")
        if account in found:
            raise click.UsageError(f"--account {account} is given twice.")
        found[account] = (
            attrs.evolve(client, username=username, password=password) if colon else client
        )
    return found


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


@contextmanager
def keeping_state(emulator: Emulator, path: Path) -> Generator[None]:
    """Keep an emulator's state in a file while the body runs."""
    try:
        with SnapshotFile(emulator, path) as file, file.saving():
            yield
    except OSError as error:
        raise click.ClickException(f"cannot keep the state in {path}: {error.strerror}.") from None
    except ValueError as error:
        raise click.ClickException(f"{path} is not a snapshot of this emulator: {error}.") from None
