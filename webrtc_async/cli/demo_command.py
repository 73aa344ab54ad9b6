"""The command `demo`, which needs the extra `emulator` unless it uses the real service."""

import os
import sys

import anyio
import click
from rich.console import Console

from webrtc_async import AsyncWebRtcClient, ConfigurationError
from webrtc_async._config.environment import PRODUCTION, Environment
from webrtc_async.cli.demo import perform, plan
from webrtc_async.cli.emulator_options import ACCOUNT, PASSWORD, USERNAME, require_server
from webrtc_async.cli.failure import explain
from webrtc_async.cli.screen import PlainScreen, RichScreen, Screen
from webrtc_async.emulator import Emulator


@click.command("demo", short_help="Set up sessions, change them, delete everything.")
@click.option(
    "--sessions",
    default=3,
    show_default=True,
    type=click.IntRange(1, 500),
    help="Number of sessions.",
)
@click.option(
    "--participants",
    default=3,
    show_default=True,
    type=click.IntRange(1, 20),
    help="Number of participants in each.",
)
@click.option(
    "--live",
    is_flag=True,
    help="Use the real service, with the account and the credentials of the BW_ variables.",
)
@click.option("--plain", is_flag=True, help="Print lines for a log instead of a live screen.")
@click.pass_context
def demo(context: click.Context, sessions: int, participants: int, live: bool, plain: bool) -> None:
    """Set up sessions concurrently, change the subscriptions, and delete everything."""
    # Ask the stream: rich treats FORCE_COLOR as a terminal too, and a log is none.
    live_screen = sys.stdout.isatty() and not plain
    screen: Screen = RichScreen(Console(highlight=False)) if live_screen else PlainScreen()
    planned = plan(sessions, participants)
    if live:
        try:
            client = AsyncWebRtcClient.from_env()
        except ConfigurationError as error:
            raise click.ClickException(
                f"{explain(error)} --live needs the BW_ variables."
            ) from None
        base_url = Environment(os.environ).base_url or PRODUCTION
        screen.say(f"The service is at {base_url}, the account is {client.account_id}.")
        context.exit(anyio.run(perform, client, planned, screen))
    require_server("demo")
    from webrtc_async.emulator.doors.server import EmulatorServer

    with EmulatorServer(Emulator()) as server:
        screen.say(f"The emulator is at {server.base_url}")
        client = AsyncWebRtcClient(ACCOUNT, auth=(USERNAME, PASSWORD), base_url=server.base_url)
        status = anyio.run(perform, client, planned, screen)
    context.exit(status)
