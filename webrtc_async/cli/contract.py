"""The command that runs the contract's cases against the emulator or the real service."""

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
from webrtc_async._config.environment import PRODUCTION, Environment
from webrtc_async.cli.doctor import attempt
from webrtc_async.cli.printable import printable
from webrtc_async.emulator.contract import (
    Case,
    Evidence,
    NoResponseError,
    Target,
    Verdict,
    cases,
    emulator_target,
    run,
)

_COLOURS: Final = {"holds": "green", "differs": "bold red", "skipped": "dim"}


@click.command("contract", short_help="Check the emulator, or the service, case by case.")
@click.option(
    "--live",
    is_flag=True,
    help="Check the real service, with the account and credentials in the BW_ variables.",
)
@click.option("--only", default="", help="Run only cases with TEXT in the title.", metavar="TEXT")
@click.option("--plain", is_flag=True, help="Print one line for each case, with tabs in between.")
def contract(live: bool, only: str, plain: bool) -> None:
    """Check the known behaviour of the service, case by case, and print the evidence for each.

    Each case runs against a new emulator, or with --live against the real service, where the
    command deletes the resources that it creates. The exit status is 1 if a response differs or
    a resource could not be deleted.
    """
    chosen = [case for case in cases() if only.lower() in case.title.lower()]
    try:
        verdicts = anyio.run(_run_live if live else _run_emulated, chosen)
    except (WebRtcError, NoResponseError) as error:
        raise click.ClickException(str(error)) from None
    # Not rich's is_terminal, which FORCE_COLOR sets even if the output is a log.
    if plain or not sys.stdout.isatty():
        _print_lines(verdicts)
    else:
        _print_table(verdicts)
    for verdict in verdicts:
        for problem in verdict.problems:
            click.echo(f"! {verdict.case.title}: {printable(problem)}", err=True)
        for path in verdict.not_deleted:
            click.echo(f"! {verdict.case.title}: not deleted: {printable(path)}", err=True)
    click.echo(_summary(verdicts))
    raise SystemExit(int(any(each.problems or each.not_deleted for each in verdicts)))


async def _run_emulated(chosen: Sequence[Case]) -> list[Verdict]:
    verdicts = list[Verdict]()
    for case in chosen:
        async with emulator_target(case) as target:
            verdicts.append(await run(case, target))
    return verdicts


async def _run_live(chosen: Sequence[Case]) -> list[Verdict]:
    # First, because otherwise every case would time out and differ.
    for finding in await attempt():
        if finding.is_wrong:
            raise click.ClickException(finding.text)
    verdicts = list[Verdict]()
    environment = Environment(os.environ)
    auth, base_url = auth_from(environment), environment.base_url or PRODUCTION
    async with Target(base_url=base_url, account=environment.account_id) as target:
        click.echo(f"Checking {base_url} with account {target.account}.", err=True)
        for case in chosen:
            if reason := _skip_reason(case):
                verdicts.append(Verdict(case=case, skip_reason=reason))
                continue
            # Again for each case, because an access token can expire in between.
            target.authorization = await auth.authorization(target.send)
            verdicts.append(await run(case, target))
    return verdicts


def _skip_reason(case: Case) -> str:
    # The service's own setting of a switch is unknown.
    return case.emulator_only or ("it depends on a switch" if case.switches else "")


def _outcome(verdict: Verdict) -> str:
    if verdict.skip_reason:
        return "skipped"
    return "differs" if verdict.problems else "holds"


def _print_lines(verdicts: Sequence[Verdict]) -> None:
    for each in verdicts:
        case = each.case
        columns = (_outcome(each), case.operation, case.name, case.evidence, case.source)
        click.echo("\t".join((*columns, *([each.skip_reason] if each.skip_reason else []))))


def _print_table(verdicts: Sequence[Verdict]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("operation", overflow="fold")
    table.add_column("status", justify="right")
    table.add_column("behaviour", overflow="fold", ratio=3)
    table.add_column("evidence", no_wrap=True)
    table.add_column("source", overflow="fold", ratio=2)
    table.add_column("", no_wrap=True)
    previous = ""
    for each in verdicts:
        case, outcome = each.case, _outcome(each)
        operation = "" if case.operation == previous else case.operation
        previous = case.operation
        cells = (operation, str(case.step.status), case.name, str(case.evidence), case.source)
        table.add_row(*map(Text, cells), Text(outcome, style=_COLOURS[outcome]))
    Console(highlight=False).print(table)


def _summary(verdicts: Sequence[Verdict]) -> str:
    outcomes = Counter(_outcome(each) for each in verdicts)
    kinds = Counter(each.case.evidence for each in verdicts)
    by_evidence = ", ".join(f"{kinds[each]} {each}" for each in Evidence if kinds[each])
    total = "1 case" if len(verdicts) == 1 else f"{len(verdicts)} cases"
    return (
        f"{total} by evidence: {by_evidence or 'none'}.\n"
        f"{outcomes['holds']} hold, {outcomes['differs']} differ, "
        f"{outcomes['skipped']} skipped."
    )
