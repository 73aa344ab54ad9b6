"""Reading a list of 10,000 participants: strict, typed, unknown fields kept."""

from statistics import median

from attrs import evolve

from benchmarks.report import keep, machine, table, verdicts
from benchmarks.target import Spread, Target
from benchmarks.workers import OURS, OWN, take_turns, working

OTHERS = ("json.loads", "pydantic", "cattrs, default")
WORK = "a list of 10,000 participants, CPU time"
TARGETS = (
    Target(WORK, "json.loads", 2.0),
    Target(WORK, "pydantic", 0.6),
    Target(WORK, "cattrs, default", 0.4),
)


def main(*, quick: bool = False) -> None:
    rounds = 2 if quick else 41
    conditions = machine()
    with working([evolve(OURS, module="reading")]) as workers:
        turns = {way: (workers[OWN], {"job": "read", "way": way}) for way in (OWN, *OTHERS)}
        results = take_turns(turns, rounds)
    times = {name: [each["cpu"] for each in result] for name, result in results.items()}
    measured = [(target, Spread.of_ratios(times[OWN], times[target.against])) for target in TARGETS]
    rows = [
        [name, f"{median(each) * 1000:.0f} ms", str(Spread.of_ratios(each, times["json.loads"]))]
        for name, each in times.items()
    ]
    size = results[OWN][0]["bytes"] / 1e6
    keep(
        "codec",
        f"""# Reading models

{__doc__}
{conditions}

{verdicts(measured)}

{size:.1f} MB. Medians of {rounds} rounds, in which all took turns; ratios of each round, with
their spread. pydantic's models are as strict; cattrs as it comes is not, and its keys are renamed
by hand.

{table(["way", "time", "/ json.loads"], rows)}""",
        quick=quick,
    )


if __name__ == "__main__":
    main()
