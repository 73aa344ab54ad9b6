"""A create of a participant, and a list of the 20 participants of a full session.

webrtc_async is typed and strict, with retry, deadline, caps and redaction on. "Hooked" has an event
hook on its `httpx.AsyncClient`, so that every call passes `AsyncClient.send`. The calls of httpx
and aiohttp are untyped: a dict goes in, a dict comes out. A bare socket is the floor: it sends one
string and reads the one response there is.
"""

from statistics import median

from benchmarks import counting
from benchmarks.report import Measured, Spread, Target, column, conditions, publish, table, verdicts
from benchmarks.servers.process import serving
from benchmarks.workers import (
    AIOHTTP,
    CALLING,
    HOOKED,
    HTTPX,
    OURS,
    Contestant,
    Results,
    take_turns,
    working,
)

CREATE, LIST = "create_participant", "list_participants"
BOUNDS = (
    (OURS, CREATE, HTTPX, 0.11),
    (OURS, CREATE, AIOHTTP, 0.60),
    (HOOKED, CREATE, HTTPX, 0.50),
    (OURS, LIST, AIOHTTP, 1.2),
)
WORK = {CREATE: "create", LIST: "list of 20"}

SYSTEM_CALLS = {
    "wake-ups of the loop": ("epoll_wait", "epoll_pwait"),
    "sends": ("sendto", "sendmsg", "write"),
    "receives": ("recvfrom", "recvmsg", "read"),
    "polls": ("poll", "ppoll"),
    "getpid": ("getpid",),
}
TASKS = (1, 100, 1000)
CONNECTIONS = 100
WARM_HTTPX = 10
"""Concurrent calls that open httpx's connections: with more, each call costs 10 times as much."""


def main(*, quick: bool = False) -> None:
    """Measure single calls, and publish them as call.md."""
    where = conditions()
    with serving("canned") as server:
        job = {"job": "calls", "url": f"http://127.0.0.1:{server.port}", "connections": CONNECTIONS}
        counts = counting.instructions(
            {
                f"{each.name} {operation}": (
                    each,
                    job | {"operation": operation, "calls": 40 if quick else 200},
                )
                for operation in WORK
                for each in CALLING
            }
        )
        system_calls = {
            each.name: counting.system_calls(each, job | {"calls": 50 if quick else 200})
            for each in CALLING
        }
        rounds = 2 if quick else 7
        cpu = _take_turns(job, rounds, quick=quick)
        lists = _take_turns(job | {"operation": LIST}, rounds, tasks=(1,), quick=quick)
    publish(
        "call",
        f"# Cost of a call\n\n{__doc__}\n{where}",
        verdicts([*_measured(counts), _list_time(lists[1])]),
        *(
            f"## Instructions of a {work}\n\nCalls one after the other, in user space of the "
            f"client's process, by cachegrind.\n\n{_instructions(counts, operation)}"
            for operation, work in WORK.items()
        ),
        f"## System calls of a create\n\nBy strace.\n\n{_system_calls(system_calls)}",
        f"""## CPU time, by concurrent tasks

At most {CONNECTIONS} connections. Medians of {rounds} rounds in which all take turns; ratios are of
the same round, with lowest and highest.

{_cpu(cpu)}""",
        f"The same for a list of 20:\n\n{_cpu(lists)}",
        quick=quick,
    )


def _measured(counts: dict[str, float]) -> list[Measured]:
    return [
        (
            Target(f"{WORK[operation]}, {ours.name}, instructions", other.name, bound),
            Spread.of([counts[f"{ours.name} {operation}"] / counts[f"{other.name} {operation}"]]),
        )
        for ours, operation, other, bound in BOUNDS
        if ours in CALLING
    ]


def _list_time(results: Results) -> Measured:
    ours, theirs = (column(results[each.name], "cpu") for each in (OURS, AIOHTTP))
    target = Target(f"{WORK[LIST]}, {OURS.name}, CPU time", AIOHTTP.name, 1.2)
    return target, Spread.of_ratios(ours, theirs)


def _instructions(counts: dict[str, float], operation: str) -> str:
    mine = {each.name: counts[f"{each.name} {operation}"] for each in CALLING}
    rows = [
        [name, f"{count / 1000:,.0f} k"]
        + [f"{count / mine[other.name]:.3f}" for other in (HTTPX, AIOHTTP)]
        for name, count in mine.items()
    ]
    return table(["client", "a call", "/ httpx", "/ aiohttp"], rows)


def _system_calls(counted: dict[str, dict[str, float]]) -> str:
    rows = [
        [name]
        + [
            f"{sum(max(0.0, counts.get(each, 0.0)) for each in calls):.1f}"
            for calls in SYSTEM_CALLS.values()
        ]
        for name, counts in counted.items()
    ]
    return table(["client", *SYSTEM_CALLS], rows)


def _take_turns(
    job: dict[str, object], rounds: int, *, tasks: tuple[int, ...] = TASKS, quick: bool
) -> dict[int, Results]:
    def load(client: Contestant, number: int) -> dict[str, object]:
        calls = 100 if quick else 300 if client is HTTPX else 1000
        warm = min(number, WARM_HTTPX) if client is HTTPX else number
        return job | {"tasks": number, "calls": max(number, calls), "warm": warm}

    with working(CALLING) as workers:
        return {
            number: take_turns(
                {each.name: (workers[each.name], load(each, number)) for each in CALLING}, rounds
            )
            for number in tasks
        }


def _cpu(results: dict[int, Results]) -> str:
    rows = []
    for tasks, by_client in results.items():
        for name, each in by_client.items():
            mine = column(each, "cpu")
            ratios = (
                str(Spread.of_ratios(mine, column(by_client[other.name], "cpu")))
                for other in (HTTPX, AIOHTTP)
            )
            rows.append([f"{tasks:,}", name, f"{median(mine) * 1e6:.0f} µs", *ratios])
    return table(["tasks", "client", "a call", "/ httpx", "/ aiohttp"], rows)
