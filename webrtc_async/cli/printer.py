"""The output of operations: tables for people, JSON for programs."""

from typing import Final

import click
from attrs import evolve
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from webrtc_async import (
    AccountsParticipantsResponse,
    Participant,
    Session,
    Subscriptions,
)
from webrtc_async._codec.model_codec import write_answer
from webrtc_async.cli.printable import printable

Result = Session | Participant | Subscriptions | list[Participant]

MIN_TABLE_WIDTH: Final = 72
"""Columns of a terminal that shows ids uncut in a table."""

HIDDEN: Final = "<hidden>"


class Printer:
    """A printer of results.

    Args:
        as_json: Print one line of JSON, as the service writes it.
    """

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json

    def show(self, result: Result) -> None:
        """Print a result."""
        if self._as_json:
            click.echo(write_answer(result).decode("ascii"))
        elif isinstance(result, list):
            self._table(result)
        elif isinstance(result, Subscriptions):
            click.echo(f"The participant receives {_received(result)}.")
        else:
            self._record(result)

    def created(self, created: AccountsParticipantsResponse, *, show_token: bool) -> None:
        """Print a new participant; its device token only with --show-token."""
        if self._as_json:
            shown = created if show_token else evolve(created, token=HIDDEN)
            click.echo(write_answer(shown).decode("ascii"))
            return
        self.show(created.participant)
        if show_token:
            click.echo(created.token)
        else:
            click.echo(
                "The device token is hidden, and the service gives it only once: "
                "create participants with --show-token to print it.",
                err=True,
            )

    def done(self, sentence: str) -> None:
        """Print a sentence for an operation without a result; null as JSON."""
        click.echo("null" if self._as_json else sentence)

    def _record(self, result: Session | Participant) -> None:
        fields = {"tag": result.tag}
        if isinstance(result, Participant):
            fields |= _participant_fields(result) | {"in session": ", ".join(result.sessions)}
        click.echo(f"{type(result).__name__} {printable(result.id)}")
        for name, value in fields.items():
            click.echo(f"  {name:<11} {printable(value or '-')}")

    def _table(self, participants: list[Participant]) -> None:
        console = Console(highlight=False)
        if console.width < MIN_TABLE_WIDTH:
            for each in participants:
                self._record(each)
            return
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("participant", no_wrap=True)
        for name in ("tag", "publishes", "receives"):
            table.add_column(name, overflow="fold")
        for each in participants:
            # Text, because rich would interpret markup in a tag.
            cells = (each.id, each.tag or "-", *_participant_fields(each).values())
            table.add_row(*(Text(printable(cell)) for cell in cells))
        console.print(table)


def _participant_fields(participant: Participant) -> dict[str, str]:
    permissions = participant.publish_permissions
    return {
        "publishes": "?" if permissions is None else ", ".join(sorted(permissions)) or "nothing",
        "receives": _received(participant.subscriptions or Subscriptions.nothing()),
    }


def _received(chosen: Subscriptions) -> str:
    if chosen.is_nothing:
        return "nobody"
    if chosen.is_everyone:
        return "everyone"
    return ", ".join(
        f"{each.participant_id} ({', '.join(each.stream_aliases)})"
        if each.stream_aliases
        else each.participant_id
        for each in chosen.participants
    )
