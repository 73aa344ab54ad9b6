"""Reading a list of 10,000 participants: strict, typed, unknown fields kept."""

from statistics import median

from attrs import evolve

from benchmarks.contestants.long_list import BESIDE
from benchmarks.report import conditions, keep, table, verdicts
from benchmarks.target import Spread, Target
from benchmarks.workers import FAST, OURS, OWN, OWN_FAST, Contestant, take_turns, working

PYDANTIC = Contestant("pydantic", "pydantic_reading")
WORK, FAST_WORK = (f"a list of 10,000 participants{by}, CPU time" for by in ("", " with `[fast]`"))
TARGETS = (
    (OWN, Target(WORK, "json.loads", 2.0)),
    (OWN, Target(WORK, "pydantic", 0.6)),
    (OWN, Target(WORK, "cattrs, default", 0.4)),
    (OWN_FAST, Target(FAST_WORK, "json.loads", 1.0)),
)
SPACED = "json.loads, spaced"


def main(*, quick: bool = False) -> None:
    rounds = 2 if quick else 41
    where = conditions()
    with working([*(evolve(own, module="reading") for own in (OURS, FAST)), PYDANTIC]) as workers:
        own, fast = workers[OWN], workers[OWN_FAST]
        job: dict[str, object] = {"job": "read", "way": "webrtc_async"}
        spaced: dict[str, object] = {"is_spaced": True}
        plain = job | {"way": "json.loads"}
        results = take_turns(
            {
                OWN: (own, job),
                OWN_FAST: (fast, job),
                "json.loads": (own, plain),
                "pydantic": (workers[PYDANTIC.name], {"job": "read"}),
                "cattrs, default": (own, job | {"way": "cattrs, default"}),
                f"{OWN}, spaced": (own, job | spaced),
                f"{OWN_FAST}, spaced": (fast, job | spaced),
                SPACED: (own, plain | spaced),
            },
            rounds,
        )
    times = {name: [each["cpu"] for each in result] for name, result in results.items()}
    measured = [
        (_explained(target, times), Spread.of_ratios(times[own], times[target.against]))
        for own, target in TARGETS
    ]
    rows = [
        [
            name,
            f"{median(each) * 1000:.0f} ms",
            str(Spread.of_ratios(each, times[SPACED if "spaced" in name else "json.loads"])),
        ]
        for name, each in times.items()
    ]
    size, larger = (results[name][0]["bytes"] / 1e6 for name in ("json.loads", SPACED))
    keep(
        "codec",
        f"""# Reading models

{__doc__}
{where}

{verdicts(measured)}

{size:.1f} MB of compact JSON, as servers write it; {larger:.1f} MB where it is spaced, as Python's
`json.dumps` writes unless told otherwise. Medians of {rounds} rounds, in which all took turns;
ratios of each round, with their spread. pydantic's models are as strict; cattrs as it comes is not,
and its keys are renamed by hand. The collector is on, and in each process sees {BESIDE:,} objects
besides.

{table(["way", "time", "/ json.loads of the same"], rows)}""",
        quick=quick,
    )


def _explained(target: Target, times: dict[str, list[float]]) -> Target:
    """Return a target that says what parsing alone takes, where it is missed."""
    parsing = Spread.of_ratios(times["json.loads"], times[target.against]).median
    return evolve(target, why=f"json.loads alone takes {parsing:.2f}")


if __name__ == "__main__":
    main()
