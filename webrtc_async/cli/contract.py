"""What is known of the service, run against the emulator or against the service itself."""

import os
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Final

import anyio
import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from webrtc_async import WebRtcError
from webrtc_async._auth.from_environment import auth_from
from webrtc_async._config.environment import Environment
from webrtc_async.cli.doctor import attempt
from webrtc_async.cli.printable import printable
from webrtc_async.emulator.contract import (
    Case,
    Evidence,
    NoAnswerError,
    Place,
    Verdict,
    cases,
    emulated,
    run,
)

_COLOURS: Final = {"holds": "green", "differs": "bold red", "left out": "dim"}


@click.command("contract", short_help="Check the emulator, or the service, case by case.")
@click.option(
    "--live",
    is_flag=True,
    help="Ask the real service, with the account and credentials of the BW_ variables.",
)
@click.option("--only", default="", help="Only cases with this in their title.", metavar="TEXT")
@click.option("--plain", is_flag=True, help="A line for each case, with tabs between its columns.")
def contract(live: bool, only: str, plain: bool) -> None:
    """Check what is known of the service, case by case, and say where that is known from.

    It asks a new emulator for each case, or with --live the real service, where it deletes what
    it made. It exits with 1 if an answer differs, or if something could not be deleted.
    """
    chosen = [case for case in cases() if only.lower() in case.title.lower()]
    try:
        verdicts = anyio.run(_ask_live if live else _ask_emulators, chosen)
    except (WebRtcError, NoAnswerError) as error:
        raise click.ClickException(str(error)) from None
    # Asked of the stream itself: rich also takes FORCE_COLOR for a terminal, which a log is not.
    if plain or not sys.stdout.isatty():
        _print_lines(verdicts)
    else:
        _print_table(verdicts)
    for verdict in verdicts:
        for problem in verdict.problems:
            click.echo(f"! {verdict.case.title}: {printable(problem)}", err=True)
        for path in verdict.left_behind:
            click.echo(f"! {verdict.case.title}: left behind {printable(path)}", err=True)
    click.echo(_sum(verdicts))
    raise SystemExit(int(any(each.problems or each.left_behind for each in verdicts)))


async def _ask_emulators(chosen: Sequence[Case]) -> list[Verdict]:
    verdicts = list[Verdict]()
    for case in chosen:
        async with emulated(case) as place:
            verdicts.append(await run(case, place))
    return verdicts


async def _ask_live(chosen: Sequence[Case]) -> list[Verdict]:
    # Each case would wait for its own answer, and differ.
    for finding in await attempt():
        if finding.is_wrong:
            raise click.ClickException(finding.text)
    verdicts = list[Verdict]()
    environment = Environment(os.environ)
    auth, base_url = auth_from(environment), environment.base_url
    async with Place(base_url=base_url, account=environment.account_id) as place:
        click.echo(f"Asking {base_url}, as account {place.account}.", err=True)
        for case in chosen:
            if why := _not_for_the_service(case):
                verdicts.append(Verdict(case=case, left_out=why))
                continue
            # For each case anew: an access token may end while they run.
            place.authorization = await auth.authorization(place.send)
            verdicts.append(await run(case, place))
    return verdicts


def _not_for_the_service(case: Case) -> str:
    # Cases under a switch hold where the service is as the switch says, which is not known.
    return case.emulator_only or ("only if it is so: a switch" if case.switches else "")


def _outcome(verdict: Verdict) -> str:
    if verdict.left_out:
        return "left out"
    return "differs" if verdict.problems else "holds"


def _print_lines(verdicts: Sequence[Verdict]) -> None:
    for each in verdicts:
        case = each.case
        columns = (_outcome(each), case.operation, case.name, case.evidence, case.source)
        click.echo("\t".join((*columns, *([each.left_out] if each.left_out else []))))


def _print_table(verdicts: Sequence[Verdict]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("operation", overflow="fold")
    table.add_column("status", justify="right")
    table.add_column("what is known", overflow="fold", ratio=3)
    table.add_column("evidence", no_wrap=True)
    table.add_column("source", overflow="fold", ratio=2)
    table.add_column("", no_wrap=True)
    above = ""
    for each in verdicts:
        case, outcome = each.case, _outcome(each)
        if case.operation == above:
            name = ""
        else:
            name = above = case.operation
        cells = (name, str(case.asked.status), case.name, str(case.evidence), case.source)
        table.add_row(*map(Text, cells), Text(outcome, style=_COLOURS[outcome]))
    Console(highlight=False).print(table)


def _sum(verdicts: Sequence[Verdict]) -> str:
    outcomes = Counter(_outcome(each) for each in verdicts)
    kinds = Counter(each.case.evidence for each in verdicts)
    by_evidence = ", ".join(f"{kinds[each]} {each}" for each in Evidence if kinds[each])
    counted = "1 case" if len(verdicts) == 1 else f"{len(verdicts)} cases"
    return (
        f"{counted} by evidence: {by_evidence or 'none'}.\n"
        f"{outcomes['holds']} hold, {outcomes['differs']} differ, "
        f"{outcomes['left out']} left out."
    )
