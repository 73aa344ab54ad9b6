"""What a call asks of the system: how often the loop wakes up, sends and polls."""

from benchmarks import counting
from benchmarks.report import Section, table
from benchmarks.servers.process import serving
from benchmarks.target import Spread, Target
from benchmarks.workers import AIOHTTP, FLOOR, HTTPX, OURS, OWN

COLUMNS = {
    "wake-ups of the loop": ("epoll_wait", "epoll_pwait"),
    "sends": ("sendto", "sendmsg", "write"),
    "receives": ("recvfrom", "recvmsg", "read"),
    "polls": ("poll", "ppoll"),
    "getpid": ("getpid",),
}
BOUNDS = {"wake-ups of the loop": 2, "sends": 1, "polls": 0}
WHY = {"polls": "it sees bytes or an end that came since, which no caller may get as its answer"}


def measure(*, quick: bool = False) -> Section:
    with serving("canned") as port:
        counted = {
            each.name: _by_column(
                counting.system_calls(each, f"http://127.0.0.1:{port}", calls=50 if quick else 300)
            )
            for each in (OURS, HTTPX, AIOHTTP, FLOOR)
        }
    measured = [
        (
            Target(
                f"a create, {column}",
                f"httpx {counted['httpx'][column]:.1f}",
                bound,
                is_count=True,
                why=WHY.get(column, ""),
            ),
            Spread.of([counted[OWN][column]]),
        )
        for column, bound in BOUNDS.items()
    ]
    rows = [
        [name, *(f"{numbers[column]:.1f}" for column in COLUMNS)]
        for name, numbers in counted.items()
    ]
    return Section(
        f"""## System calls

Of a create, one after the other, by strace; two runs subtracted. On Python 3.11 each
`asyncio.get_running_loop()` is a getpid.

{table(["client", *COLUMNS], rows)}""",
        tuple(measured),
    )


def _by_column(counted: dict[str, float]) -> dict[str, float]:
    return {
        column: sum(max(0.0, counted.get(name, 0.0)) for name in names)
        for column, names in COLUMNS.items()
    }
