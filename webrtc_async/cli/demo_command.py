"""The demo's command, which needs the emulator's extra unless it runs against the service."""

import os
import sys

import anyio
import click
from rich.console import Console

from webrtc_async import AsyncWebRtcClient, ConfigurationError
from webrtc_async._config.environment import Environment
from webrtc_async.cli.demo import perform, plan
from webrtc_async.cli.emulator_options import ACCOUNT, PASSWORD, USERNAME, require_server
from webrtc_async.cli.screen import PlainScreen, RichScreen, Screen
from webrtc_async.emulator import Emulator


@click.command("demo", short_help="Set sessions up at once, and tear all of it down.")
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
def demo(context: click.Context, sessions: int, participants: int, live: bool, plain: bool) -> None:
    """Set up sessions concurrently, change who hears whom, and tear all of it down."""
    # Asked of the stream itself: rich also takes FORCE_COLOR for a terminal, which a log is not.
    live_screen = sys.stdout.isatty() and not plain
    screen: Screen = RichScreen(Console(highlight=False)) if live_screen else PlainScreen()
    planned = plan(sessions, participants)
    if live:
        try:
            client = AsyncWebRtcClient.from_env()
        except ConfigurationError as error:
            raise click.ClickException(f"{error} --live reads them from the environment.") from None
        base_url = Environment(os.environ).base_url
        screen.say(f"Against {base_url}, as account {client.account_id}.")
        context.exit(anyio.run(perform, client, planned, screen))
    require_server("demo")
    from webrtc_async.emulator.doors.server import EmulatorServer

    with EmulatorServer(Emulator()) as server:
        screen.say(f"The emulator is at {server.base_url}")
        client = AsyncWebRtcClient(ACCOUNT, auth=(USERNAME, PASSWORD), base_url=server.base_url)
        status = anyio.run(perform, client, planned, screen)
    context.exit(status)
