"""The output of the demo: live on a terminal, or lines for a log."""

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

MAX_SESSIONS_SHOWN = 8
"""Further sessions are counted and not shown."""


@frozen
class Row:
    """A table row with the subscriptions of one participant, before and after the change."""

    session: str
    participant: str
    receives_first: str
    receives_later: str


class Step(Protocol):
    """A callback for each finished step of a phase."""

    def __call__(self) -> None:
        """Count the step."""


class Screen(Protocol):
    """The output of the demo."""

    def say(self, text: str) -> None:
        """Show a line."""
        ...

    def warn(self, text: str) -> None:
        """Show a line about a failure."""
        ...

    def phase(self, title: str, total: int) -> AbstractContextManager[Step]:
        """Show the progress of a phase with this number of steps."""
        ...

    def show_subscriptions(self, rows: Iterable[Row], sessions: int) -> None:
        """Show the rows, and the number of sessions that have none."""
        ...


class RichScreen:
    """The demo's output on a terminal."""

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
        """Show a progress bar."""
        columns = (
            TextColumn("{task.description:<13}"),
            BarColumn(bar_width=40),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._console) as progress:
            task = progress.add_task(title, total=total)
            yield lambda: progress.advance(task)

    def show_subscriptions(self, rows: Iterable[Row], sessions: int) -> None:
        """Show a table."""
        table = Table(box=box.SIMPLE_HEAD, title_justify="left")
        for heading in ("Session", "Participant", "Receives at first", "Receives later"):
            table.add_column(heading, overflow="fold")
        last = ""
        for row in rows:
            if last and row.session != last:
                table.add_section()
            session = "" if row.session == last else row.session
            last = row.session
            cells = (session, row.participant, row.receives_first, row.receives_later)
            table.add_row(*(Text(cell) for cell in cells))
        self._console.print(table)
        if sessions > MAX_SESSIONS_SHOWN:
            self.say(f"... and {sessions - MAX_SESSIONS_SHOWN} more sessions like these.")


class PlainScreen:
    """The demo's output for a log: lines without control codes.

    Args:
        is_silent: Print nothing, because the output is closed.
    """

    def __init__(self, *, is_silent: bool = False) -> None:
        self._is_silent = is_silent

    def say(self, text: str) -> None:
        """Print a line."""
        if not self._is_silent:
            click.echo(text)

    def warn(self, text: str) -> None:
        """Print a line to standard error."""
        if not self._is_silent:
            click.echo(text, err=True)

    @contextmanager
    def phase(self, title: str, total: int) -> Generator[Step]:
        """Print a line at the start of a phase, and one with the finished steps at its end."""
        done = 0
        self.say(f"{title} ...")

        def step() -> None:
            nonlocal done
            done += 1

        try:
            yield step
        finally:
            self.say(f"{title}: {done} of {total}")

    def show_subscriptions(self, rows: Iterable[Row], sessions: int) -> None:
        """Print a line for each participant."""
        for row in rows:
            self.say(
                f"{row.session}: {row.participant} receives {row.receives_first}, "
                f"then {row.receives_later}"
            )
        if sessions > MAX_SESSIONS_SHOWN:
            self.say(f"... and {sessions - MAX_SESSIONS_SHOWN} more sessions like these.")
