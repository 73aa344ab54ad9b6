"""The command `webrtc-async` and its subcommands."""

import click

from webrtc_async import __version__
from webrtc_async.cli import INTERRUPTED, conferences, operations
from webrtc_async.cli.completion import completion
from webrtc_async.cli.contract import contract
from webrtc_async.cli.demo_command import demo
from webrtc_async.cli.doctor import doctor
from webrtc_async.cli.emulator_command import emulator


class Program(click.Group):
    """A group of commands that end quietly after Ctrl-C, with the status that a shell expects."""

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
    """Use Bandwidth's WebRTC API, or an emulator of it without an account."""


for _command in (
    operations.session,
    operations.participant,
    operations.subscriptions,
    conferences.set_up,
    conferences.tear_down,
    doctor,
    contract,
    completion,
    emulator,
    demo,
):
    program.add_command(_command)
