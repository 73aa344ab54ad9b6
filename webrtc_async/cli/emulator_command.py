"""The command that serves the emulator; it needs the extra `emulator`."""

import json
import os
from pathlib import Path

import click

from webrtc_async.cli.emulator_options import (
    ACCOUNT,
    PASSWORD,
    SWITCHES_HELP,
    USERNAME,
    load_state,
    read_switches,
    require_server,
    save_state,
)
from webrtc_async.emulator import Credentials, Emulator, Switches

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


@click.command("emulator", epilog=SWITCHES_HELP)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 picks a free one.",
)
@click.option("--account", default=ACCOUNT, show_default=True, help="Account id.")
@click.option("--username", default=USERNAME, show_default=True, help="Name of the API user.")
@click.option(
    "--password",
    default=PASSWORD,
    envvar="WEBRTC_EMULATOR_PASSWORD",
    help='Password of the API user; the default is "password".',
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
    type=click.Path(dir_okay=False, path_type=Path),
    help="Load the state from this file if it exists, and save it there at the end.",
)
@click.option(
    "--webhooks-to-any-host",
    is_flag=True,
    help="Post webhooks to other hosts than this machine, too.",
)
@click.option("--no-control", is_flag=True, help="Turn off the control API and the page.")
@click.option(
    "--fault-header",
    is_flag=True,
    help="Apply the fault rule in a request's X-Emulator-Fault header.",
)
def emulator(
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
    require_server("emulator")
    from webrtc_async.emulator.doors.server import base_url, bind, page_url, serve

    service = Emulator(
        accounts={account: Credentials(username=username, password=password)},
        seed=seed,
        switches=switches,
        fault_header=fault_header,
    )
    service.webhooks.allow_any_host = webhooks_to_any_host
    if state is not None:
        load_state(service, state)
        # An unwritable file must fail now, before there is any state to lose.
        save_state(service, state)
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
        page = "" if no_control else f"\nOpen its page: {page_url(listening)}"
        click.echo(f"The emulator is at {url}{page}\n\nTry it:\n")
        click.echo(SNIPPET.format_map({name: json.dumps(each) for name, each in values.items()}))
        click.echo("Stop it with Ctrl-C.")
        serve(service, listening, control=not no_control)
    if state is not None:
        save_state(service, state)


def _reason(error: OSError) -> str:
    # The socket module adds the address to the text, but our message has it already. Numbers
    # below 0 are the resolver's.
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or str(error)
