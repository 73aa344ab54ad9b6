"""What importing costs, each time in a new interpreter."""

import subprocess
import sys
from statistics import median

from benchmarks.report import keep, machine, ratio, table

ROUNDS = 9
PROGRAM = "import time; a = time.process_time(); {}; print(time.process_time() - a)"
IMPORTS = {
    "httpx": "import httpx",
    "httpx attrs cattrs anyio tenacity": "import httpx, attrs, cattrs, anyio, tenacity",
    "webrtc_async": "import webrtc_async",
}


def main() -> None:
    times: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(ROUNDS):
        for name, statement in IMPORTS.items():
            command = [sys.executable, "-c", PROGRAM.format(statement)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            times[name].append(float(done.stdout))
    rows = [
        [name, f"{median(each) * 1000:.0f} ms", ratio(each, times["httpx"])]
        for name, each in times.items()
    ]
    keep(
        "imports",
        f"""# Importing

{__doc__}
{machine()}

CPU time. Medians of {ROUNDS} rounds, interleaved; ratios of each round, with their spread.

{table(["import", "time", "/ httpx"], rows)}""",
    )


if __name__ == "__main__":
    main()
