"""`set-up` and `tear-down`: many conferences from a file of plans, with a journal."""

import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import anyio
import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from webrtc_async import (
    AsyncWebRtcClient,
    BulkProgress,
    BulkResults,
    ConferencePlan,
    InvalidArgumentError,
    Journal,
    SetUpDone,
    SetUpFailed,
    TeardownResult,
    WebRtcError,
    read_plan,
)
from webrtc_async.cli import INTERRUPTED
from webrtc_async.cli.failure import EXIT_CODES, WrongUse, explain, failure

MAX_FAILURES_SHOWN: Final = 20
"""Failures that get a line each; the others are only counted."""

Result = SetUpDone | SetUpFailed | TeardownResult
Results = BulkResults[SetUpDone | SetUpFailed] | BulkResults[TeardownResult]
OnProgress = Callable[[BulkProgress], None]


def with_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that both commands share."""
    for option in (
        click.option("--plain", is_flag=True, help="Show no progress bar."),
        click.option(
            "--concurrency",
            default=16,
            show_default=True,
            type=click.IntRange(1, 1000),
            help="Conferences at the same time.",
        ),
        click.option(
            "--fsync", is_flag=True, help="Wait until each line of the journal is on the disk."
        ),
        click.option(
            "--journal",
            required=True,
            type=click.Path(dir_okay=False, path_type=Path),
            help="Journal file, which lets you run the command again to continue.",
        ),
    ):
        command = option(command)
    return command


@click.command(
    "set-up", short_help="Set up a conference for each plan in a file.", epilog=EXIT_CODES
)
@click.argument("plans", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_options
@click.option(
    "--tokens",
    is_flag=True,
    help="Write the device tokens to the journal; the service gives them only once.",
)
@click.pass_context
def set_up(
    context: click.Context,
    plans: Path,
    journal: Path,
    fsync: bool,
    concurrency: int,
    plain: bool,
    tokens: bool,
) -> None:
    """Set up a conference for each line of PLANS, a file of JSON lines.

    Each line is a plan, such as {"key": "visit-42", "participants": ["agent", "caller"]}. To
    continue after an interruption, run the command again with the same journal.
    """
    total = sum(1 for _ in _read(plans))
    file = Journal(journal, fsync=fsync, keep_tokens=tokens)

    def start(client: AsyncWebRtcClient, on_progress: OnProgress) -> Results:
        return client.set_up(
            _read(plans),
            concurrency=concurrency,
            journal=file,
            total=total,
            on_progress=on_progress,
        )

    _run(context, start, "Setting up", "set up", total=total, plain=plain)


@click.command("tear-down", short_help="Delete the conferences in a journal.", epilog=EXIT_CODES)
@with_options
@click.pass_context
def tear_down(
    context: click.Context, journal: Path, fsync: bool, concurrency: int, plain: bool
) -> None:
    """Delete every conference in a journal, including those that a crash left unfinished."""
    if not journal.exists():
        raise WrongUse(f"--journal: {journal} does not exist.")
    file = Journal(journal, fsync=fsync)

    def start(client: AsyncWebRtcClient, on_progress: OnProgress) -> Results:
        return client.tear_down(file, concurrency=concurrency, on_progress=on_progress)

    _run(context, start, "Tearing down", "deleted", plain=plain)


def _run(
    context: click.Context,
    start: Callable[[AsyncWebRtcClient, OnProgress], Results],
    title: str,
    done: str,
    *,
    total: int | None = None,
    plain: bool,
) -> None:
    began = time.monotonic()
    last = BulkProgress(done=0, failed=0, resumed=0, total=None, elapsed=0.0)

    async def run(show: OnProgress) -> None:
        def keep(progress: BulkProgress) -> None:
            nonlocal last
            last = progress
            show(progress)

        async with AsyncWebRtcClient.from_env() as client, start(client, keep) as results:
            async for result in results:
                error = None if isinstance(result, SetUpDone) else result.error
                if error is not None and last.failed <= MAX_FAILURES_SHOWN:
                    click.echo(f"{_key(result)}: {explain(error)}", err=True)

    def sum_up() -> str:
        known = f", {last.resumed} of them from the journal" if last.resumed else ""
        counted = f"{last.done} conference{'' if last.done == 1 else 's'} {done}{known}"
        return f"{counted}; {last.failed} failed; {time.monotonic() - began:.1f} s."

    try:
        with _shown(title, total=total, plain=plain) as show:
            anyio.run(run, show)
    except KeyboardInterrupt:
        click.echo(sum_up())
        click.echo(
            "Interrupted: unfinished conferences were deleted or are in the journal. "
            "Run the command again to continue.",
            err=True,
        )
        context.exit(INTERRUPTED)
    except WebRtcError as error:
        if last.done or last.failed:
            click.echo(sum_up())
        raise failure(error) from None
    click.echo(sum_up())
    context.exit(1 if last.failed else 0)


@contextmanager
def _shown(title: str, *, total: int | None, plain: bool) -> Generator[OnProgress]:
    """Show a progress bar on a terminal, and nothing in a log."""
    # Ask the stream itself, because rich takes a log with FORCE_COLOR for a terminal.
    if plain or not sys.stdout.isatty():
        yield lambda _: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.0f}/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(highlight=False)) as bar:
        task = bar.add_task(title, total=total, rate=0.0)

        def show(progress: BulkProgress) -> None:
            finished = progress.done + progress.failed
            bar.update(task, total=progress.total, completed=finished, rate=progress.rate)

        yield show


def _read(plans: Path) -> Iterator[ConferencePlan]:
    with plans.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                plan = read_plan(line)
            except InvalidArgumentError as error:
                raise WrongUse(f"Line {number} of {plans}: {explain(error)}") from None
            if not plan.key:
                raise WrongUse(f'Line {number} of {plans}: the plan needs a "key".')
            yield plan


def _key(result: Result) -> str:
    return result.key if isinstance(result, TeardownResult) else result.plan.key
