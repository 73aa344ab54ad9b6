"""The command that serves the emulator; it needs the extra `emulator`."""

import os
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from webrtc_async.cli.emulator_options import (
    ACCOUNT,
    CLIENT_ID,
    CLIENT_SECRET,
    PASSWORD,
    SWITCHES_HELP,
    USERNAME,
    keeping_state,
    read_accounts,
    read_switches,
    require_server,
)
from webrtc_async.cli.printable import printable
from webrtc_async.emulator import Credentials, Emulator, Switches
from webrtc_async.emulator.environment import as_env_file, environment_of
from webrtc_async.emulator.records.exchanges import Exchange

START = """\
The emulator is at {url}/v1
{page}
Its variables, for a shell or a .env file:

{environment}
Try it with these variables: webrtc-async session create
In Python: AsyncWebRtcClient.from_env()
Stop it with Ctrl-C."""


@click.command("emulator", epilog=SWITCHES_HELP)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 picks a free one.",
)
@click.option(
    "--account",
    "accounts",
    multiple=True,
    default=[ACCOUNT],
    show_default=True,
    metavar="ID[:USERNAME:PASSWORD]",
    help="Account id, and a Basic user of its own; can be repeated.",
)
@click.option("--client-id", default=CLIENT_ID, show_default=True, help="Id of the OAuth2 client.")
@click.option(
    "--client-secret",
    default=CLIENT_SECRET,
    envvar="WEBRTC_EMULATOR_CLIENT_SECRET",
    help='Secret of the OAuth2 client; the default is "secret".',
    show_envvar=True,
)
@click.option("--username", default=USERNAME, show_default=True, help="Name of the Basic user.")
@click.option(
    "--password",
    default=PASSWORD,
    envvar="WEBRTC_EMULATOR_PASSWORD",
    help='Password of the Basic user; the default is "password".',
    show_envvar=True,
)
@click.option("--seed", type=int, help="Make ids and tokens the same in every run.")
@click.option(
    "--switch",
    "switches",
    multiple=True,
    metavar="NAME=VALUE",
    callback=read_switches,
    help="Set one of the switches below; can be repeated.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    help="Keep the state in this file: load it at the start, save it soon after each change.",
)
@click.option(
    "--webhooks-to-any-host",
    is_flag=True,
    help="Post webhooks to other hosts than this machine, too.",
)
@click.option("--no-control", is_flag=True, help="Turn off the control API and the page.")
@click.option(
    "--allow-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="Accept control calls and the page under this host name, too; can be repeated.",
)
@click.option(
    "--fault-header",
    is_flag=True,
    help="Apply the fault rule in a request's X-Emulator-Fault header.",
)
@click.option("--log", is_flag=True, help="Print a line for each request.")
@click.option("--open", "opens_page", is_flag=True, help="Open the page in a browser.")
@click.option(
    "--ready-file",
    type=click.Path(path_type=Path),
    help="Write the variables to this file when the emulator listens, and delete it at the end.",
)
@click.option("--print-env", is_flag=True, help="Print the variables with all secrets, and exit.")
def emulator(
    host: str,
    port: int,
    accounts: tuple[str, ...],
    client_id: str,
    client_secret: str,
    username: str,
    password: str,
    seed: int | None,
    switches: Switches,
    state: Path | None,
    webhooks_to_any_host: bool,
    no_control: bool,
    allowed_hosts: tuple[str, ...],
    fault_header: bool,
    log: bool,
    opens_page: bool,
    ready_file: Path | None,
    print_env: bool,
) -> None:
    """Serve an emulator of the service until Ctrl-C."""
    require_server("emulator")
    from webrtc_async.emulator.doors.server import bind, serve, url_of

    client = Credentials(
        username=username, password=password, client_id=client_id, client_secret=client_secret
    )
    users = read_accounts(accounts, client)
    first = next(iter(users))
    if print_env:
        if port == 0:
            raise click.UsageError("--print-env needs the --port of the emulator.")
        click.echo(as_env_file(environment_of(url_of(host, port), first, client)), nl=False)
        return
    service = Emulator(accounts=users, seed=seed, switches=switches, fault_header=fault_header)
    service.webhooks.allow_any_host = webhooks_to_any_host
    if log:
        service.exchanges.on_add = _print_exchange
    with ExitStack() as stack:
        if state is not None:
            stack.enter_context(keeping_state(service, state))
        try:
            listening = stack.enter_context(bind(host, port))
        except OSError as error:
            raise click.ClickException(
                f"cannot listen on {host} port {port}: {_reason(error)}."
            ) from None
        url = url_of(*listening.getsockname()[:2])
        environment = environment_of(url, first, client)
        page = "" if no_control else f"{url}/_emulator/"
        _say_started(url, page, environment)
        if ready_file is not None:
            stack.enter_context(_present(ready_file, as_env_file(environment)))
        if opens_page and page:
            click.launch(page)
        serve(service, listening, control=not no_control, allowed_hosts=allowed_hosts)


def _say_started(url: str, page: str, environment: dict[str, str]) -> None:
    # A secret of one's own is not shown; --print-env shows it.
    shown = environment | (
        {} if environment["BW_CLIENT_SECRET"] == CLIENT_SECRET else {"BW_CLIENT_SECRET": "..."}
    )
    started = START.format(
        url=url,
        page=f"Open its page: {page}\n" if page else "",
        environment=as_env_file(shown),
    )
    click.echo(started)


def _print_exchange(exchange: Exchange) -> None:
    at = datetime.fromtimestamp(exchange.at, UTC).strftime("%H:%M:%S.%f")[:-3]
    what = exchange.operation or printable(f"{exchange.method} {exchange.target}")
    fault = "" if exchange.fault is None else f"  fault {exchange.fault}"
    click.echo(f"{at}  {what}  {exchange.status or 'no response'}{fault}")
    sys.stdout.flush()


@contextmanager
def _present(path: Path, content: str) -> Generator[None]:
    """Have a file with this content, which only its owner can read, while the body runs."""
    try:
        path.unlink(missing_ok=True)
        with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(content)
    except OSError as error:
        raise click.ClickException(f"cannot write {path}: {error.strerror}.") from None
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _reason(error: OSError) -> str:
    # The socket module adds the address to the text, but our message has it already. Numbers
    # below 0 are the resolver's.
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or str(error)
