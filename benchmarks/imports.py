"""What importing costs, each time in a new interpreter."""

import subprocess
import sys
from statistics import median

from benchmarks.report import keep, machine, table, verdicts
from benchmarks.target import Spread, Target

ROUNDS = 9
PROGRAM = "import time; a = time.process_time(); {}; print(time.process_time() - a)"
BOUND = Target("import webrtc_async, CPU time", "import httpx", 1.25)
IMPORTS = {
    "httpx": "import httpx",
    "httpx attrs cattrs anyio tenacity": "import httpx, attrs, cattrs, anyio, tenacity",
    "webrtc_async": "import webrtc_async",
}


def main(*, quick: bool = False) -> None:
    rounds = 2 if quick else ROUNDS
    conditions = machine()
    times: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(rounds):
        for name, statement in IMPORTS.items():
            command = [sys.executable, "-c", PROGRAM.format(statement)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            times[name].append(float(done.stdout))
    rows = [
        [name, f"{median(each) * 1000:.0f} ms", str(Spread.of_ratios(each, times["httpx"]))]
        for name, each in times.items()
    ]
    keep(
        "imports",
        f"""# Importing

{__doc__}
{conditions}

{verdicts([(BOUND, Spread.of_ratios(times["webrtc_async"], times["httpx"]))])}

CPU time. Medians of {rounds} rounds, interleaved; ratios of each round, with their spread.

{table(["import", "time", "/ httpx"], rows)}""",
        quick=quick,
    )


if __name__ == "__main__":
    main()
