"""The commands and their options."""

import json
import os
import sys
from pathlib import Path

import anyio
import click
from rich.console import Console

from webrtc_async import AsyncWebRtcClient, ConfigurationError, __version__
from webrtc_async.cli import INTERRUPTED, conferences, demo, operations
from webrtc_async.cli.completion import completion
from webrtc_async.cli.contract import contract
from webrtc_async.cli.doctor import doctor
from webrtc_async.cli.emulator_options import (
    SWITCHES_HELP,
    load_state,
    read_switches,
    save_state,
)
from webrtc_async.cli.screen import PlainScreen, RichScreen, Screen
from webrtc_async.emulator import Credentials, Emulator, Switches
from webrtc_async.emulator.server import EmulatorServer, base_url, bind, page_url, serve

ACCOUNT = "9900000"
USERNAME = "user"
PASSWORD = "password"  # noqa: S105  # the emulator's own, and documented

SNIPPET = """\
    import asyncio
    from webrtc_async import AsyncWebRtcClient

    async def main():
        async with AsyncWebRtcClient(
            {account}, auth=({username}, {password}), base_url={url}
        ) as client:
            print(await client.create_session())

    asyncio.run(main())
"""


class Program(click.Group):
    """Commands that end quietly with Ctrl-C, with the status that a shell expects."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        try:
            result: object = super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        return result


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="webrtc-async")
def program() -> None:
    """Use Bandwidth's WebRTC API, or try and test it without an account."""


for command in (
    operations.session,
    operations.participant,
    operations.subscriptions,
    conferences.set_up,
    conferences.tear_down,
    doctor,
    contract,
    completion,
):
    program.add_command(command)


@program.command("emulator", epilog=SWITCHES_HELP)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes a free one.",
)
@click.option("--account", default=ACCOUNT, show_default=True, help="The account it serves.")
@click.option("--username", default=USERNAME, show_default=True, help="User that it lets in.")
@click.option(
    "--password",
    default=PASSWORD,
    envvar="WEBRTC_EMULATOR_PASSWORD",
    help='Its password, "password" unless given.',
    show_envvar=True,
)
@click.option("--seed", type=int, help="Make ids and tokens the same in every run.")
@click.option(
    "--switch",
    "switches",
    multiple=True,
    metavar="NAME=VALUE",
    callback=read_switches,
    help="Set a switch of those below; may be repeated.",
)
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Begin as this file says, if it is there, and write it at the end.",
)
@click.option(
    "--webhooks-to-any-host",
    is_flag=True,
    help="Post webhooks to other hosts than this machine too.",
)
@click.option("--no-control", is_flag=True, help="Answer no control calls, and show no page.")
@click.option(
    "--fault-header",
    is_flag=True,
    help="Do with a request what its header X-Emulator-Fault says.",
)
def emulator_command(
    host: str,
    port: int,
    account: str,
    username: str,
    password: str,
    seed: int | None,
    switches: Switches,
    state: Path | None,
    webhooks_to_any_host: bool,
    no_control: bool,
    fault_header: bool,
) -> None:
    """Serve an emulator of the service until Ctrl-C."""
    emulator = Emulator(
        accounts={account: Credentials(username=username, password=password)},
        seed=seed,
        switches=switches,
        fault_header=fault_header,
    )
    emulator.webhooks.allow_any_host = webhooks_to_any_host
    if state is not None:
        load_state(emulator, state)
    try:
        listening = bind(host, port)
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on {host} port {port}: {_reason(error)}."
        ) from None
    with listening:
        url = base_url(listening)
        values = {
            "account": account,
            "username": username,
            "password": password if password == PASSWORD else "...",
            "url": url,
        }
        page = "" if no_control else f"\nLook at it: {page_url(listening)}"
        click.echo(f"The emulator is at {url}{page}\n\nTry it:\n")
        click.echo(SNIPPET.format_map({name: json.dumps(each) for name, each in values.items()}))
        click.echo("Ctrl-C stops it.")
        serve(emulator, listening, control=not no_control)
    if state is not None:
        save_state(emulator, state)


@program.command("demo")
@click.option(
    "--sessions",
    default=3,
    show_default=True,
    type=click.IntRange(1, 500),
    help="How many sessions.",
)
@click.option(
    "--participants",
    default=3,
    show_default=True,
    type=click.IntRange(1, 20),
    help="How many participants in each.",
)
@click.option(
    "--live",
    is_flag=True,
    help="Use the real service, with the account and credentials of the BW_ variables.",
)
@click.option("--plain", is_flag=True, help="Lines for a log instead of a live screen.")
@click.pass_context
def demo_command(
    context: click.Context, sessions: int, participants: int, live: bool, plain: bool
) -> None:
    """Set up sessions concurrently, change who hears whom, and tear all of it down."""
    # Asked of the stream itself: rich also takes FORCE_COLOR for a terminal, which a log is not.
    live_screen = sys.stdout.isatty() and not plain
    screen: Screen = RichScreen(Console(highlight=False)) if live_screen else PlainScreen()
    planned = demo.plan(sessions, participants)
    if live:
        try:
            client = AsyncWebRtcClient.from_env()
        except ConfigurationError as error:
            raise click.ClickException(f"{error} --live reads them from the environment.") from None
        screen.say(f"Against the real service, as account {client.account_id}.")
        context.exit(anyio.run(demo.perform, client, planned, screen))
    with EmulatorServer(Emulator()) as server:
        screen.say(f"The emulator is at {server.base_url}")
        client = AsyncWebRtcClient(ACCOUNT, auth=(USERNAME, PASSWORD), base_url=server.base_url)
        status = anyio.run(demo.perform, client, planned, screen)
    context.exit(status)


def _reason(error: OSError) -> str:
    # The socket module adds the address to the reason, which is in the sentence already; the
    # resolver's own numbers are below 0.
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or str(error)
