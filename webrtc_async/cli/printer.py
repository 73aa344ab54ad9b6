"""What an operation's result looks like: a table for people, JSON for programs."""

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

NARROWEST: Final = 72
"""Columns that a table needs, whose ids cannot be copied when they are cut."""

HIDDEN: Final = "<hidden>"


class Printer:
    """Prints results.

    Args:
        as_json: For programs: one line of JSON, as the service writes it.
    """

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json

    def show(self, result: Result) -> None:
        """Print what a get gave."""
        if self._as_json:
            click.echo(write_answer(result).decode("ascii"))
        elif isinstance(result, list):
            self._table(result)
        elif isinstance(result, Subscriptions):
            click.echo(f"It receives {_heard(result)}.")
        else:
            self._record(result)

    def created(self, created: AccountsParticipantsResponse, *, show_token: bool) -> None:
        """Print a new participant, and its device token only if that is asked for."""
        if self._as_json:
            shown = created if show_token else evolve(created, token=HIDDEN)
            click.echo(write_answer(shown).decode("ascii"))
            return
        self.show(created.participant)
        if show_token:
            click.echo(created.token)
        else:
            click.echo(
                "Its device token is not shown and not given again: --show-token prints it.",
                err=True,
            )

    def done(self, sentence: str) -> None:
        """Print that something is done which gives no result; null for programs."""
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
        if console.width < NARROWEST:
            for each in participants:
                self._record(each)
            return
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("participant", no_wrap=True)
        for name in ("tag", "publishes", "receives"):
            table.add_column(name, overflow="fold")
        for each in participants:
            # Text, because a tag may hold what rich takes for markup, or a terminal for a command.
            cells = (each.id, each.tag or "-", *_participant_fields(each).values())
            table.add_row(*(Text(printable(cell)) for cell in cells))
        console.print(table)


def _participant_fields(participant: Participant) -> dict[str, str]:
    permissions = participant.publish_permissions
    return {
        "publishes": "?" if permissions is None else ", ".join(sorted(permissions)) or "nothing",
        "receives": _heard(participant.subscriptions or Subscriptions.nothing()),
    }


def _heard(chosen: Subscriptions) -> str:
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
