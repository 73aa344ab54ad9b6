"""What a person sees of the demo: live on a terminal, or lines for a log."""

from collections.abc import Generator, Iterable
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import click
from attrs import frozen
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

MOST_SESSIONS = 8
"""More sessions than these are counted and not shown."""


@frozen
class Seat:
    """One participant's row."""

    session: str
    participant: str
    heard_first: str
    heard_later: str


class Step(Protocol):
    """Called when a piece of work is done."""

    def __call__(self) -> None:
        """Count it."""


class Screen(Protocol):
    """Where the demo shows what it does."""

    def say(self, text: str) -> None:
        """Show a line."""
        ...

    def warn(self, text: str) -> None:
        """Show a line about something that went wrong."""
        ...

    def phase(self, title: str, total: int) -> AbstractContextManager[Step]:
        """Show how far a phase of so many steps has come."""
        ...

    def seats(self, seats: Iterable[Seat], sessions: int) -> None:
        """Show who is where and hears whom; sessions says how many there are in all."""
        ...


class RichScreen:
    """A terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, text: str) -> None:
        """Show a line."""
        self._console.print(Text(text))

    def warn(self, text: str) -> None:
        """Show a line in red."""
        self._console.print(Text(text, style="bold red"))

    @contextmanager
    def phase(self, title: str, total: int) -> Generator[Step]:
        """Show a bar."""
        columns = (
            TextColumn("{task.description:<13}"),
            BarColumn(bar_width=40),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._console) as progress:
            task = progress.add_task(title, total=total)
            yield lambda: progress.advance(task)

    def seats(self, seats: Iterable[Seat], sessions: int) -> None:
        """Show a table."""
        table = Table(box=box.SIMPLE_HEAD, title_justify="left")
        for heading in ("Session", "Participant", "Hears at first", "Hears after the change"):
            table.add_column(heading, overflow="fold")
        last = ""
        for seat in seats:
            if last and seat.session != last:
                table.add_section()
            session = "" if seat.session == last else seat.session
            last = seat.session
            cells = (session, seat.participant, seat.heard_first, seat.heard_later)
            table.add_row(*(Text(cell) for cell in cells))
        self._console.print(table)
        if sessions > MOST_SESSIONS:
            self.say(f"... and {sessions - MOST_SESSIONS} more sessions like these.")


class SilentScreen:
    """Nobody, for work that must be done even so."""

    def say(self, text: str) -> None:
        """Show nothing."""

    def warn(self, text: str) -> None:
        """Show nothing."""

    @contextmanager
    def phase(self, title: str, total: int) -> Generator[Step]:
        """Show nothing."""
        yield lambda: None

    def seats(self, seats: Iterable[Seat], sessions: int) -> None:
        """Show nothing."""


class PlainScreen:
    """A log: text without control codes."""

    def say(self, text: str) -> None:
        """Print a line."""
        click.echo(text)

    def warn(self, text: str) -> None:
        """Print a line to standard error."""
        click.echo(text, err=True)

    @contextmanager
    def phase(self, title: str, total: int) -> Generator[Step]:
        """Print a line when the phase begins, and one with the steps done when it is over."""
        done = 0
        self.say(f"{title} ...")

        def step() -> None:
            nonlocal done
            done += 1

        try:
            yield step
        finally:
            self.say(f"{title}: {done} of {total}")

    def seats(self, seats: Iterable[Seat], sessions: int) -> None:
        """Print a line for each participant."""
        for seat in seats:
            self.say(
                f"{seat.session}: {seat.participant} hears {seat.heard_first}, "
                f"then {seat.heard_later}"
            )
        if sessions > MOST_SESSIONS:
            self.say(f"... and {sessions - MOST_SESSIONS} more sessions like these.")
