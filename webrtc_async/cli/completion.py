"""The command that prints completion scripts for shells."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command("completion", short_help="Print a completion script.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a completion script for a shell.

    For bash: webrtc-async completion bash > ~/.local/share/bash-completion/completions/webrtc-async
    """
    root = context.find_root()
    kind = get_completion_class(shell)
    assert kind is not None, "click knows these shells"  # noqa: S101
    name = "webrtc-async"
    click.echo(kind(root.command, {}, name, "_WEBRTC_ASYNC_COMPLETE").source())
