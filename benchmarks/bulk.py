"""A session of 1,000 participants, set up and torn down by a task for each.

Each is created, added and deleted again: 3,002 calls. LiveKit's client makes as many calls of its
own service. The vendor's SDK is synchronous: it has threads, as many as suit it best.
"""

import math
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from attrs import frozen

from benchmarks.report import Measured, conditions, keep, table, verdicts
from benchmarks.servers.process import serving
from benchmarks.target import Spread, Target
from benchmarks.workers import (
    AIOHTTP,
    BANDWIDTH,
    DEFAULT_HTTPX,
    FAST,
    FLOOR,
    LIVEKIT,
    OURS,
    OWN,
    Contestant,
    Worker,
    take_turns,
    working,
)

ROUNDS = 7
CALLS = 3
"""For each participant, one after the other; two more are the session's."""

THREADS = (32, 64, 100, 200)

Turn = tuple[str, int]
"""A contestant's name, and how many connections or threads it may have."""


@frozen
class Scene:
    """Where the set-up happens.

    Attributes:
        others: Against whom, with how many connections at most.
        bounds: The least that this package's calls per second may be of another's: its own
            connections, the other, the bound.
        cpu_bound: The same of its calls per CPU second, against the vendor's SDK.
    """

    name: str
    delay: float
    connections: tuple[int, ...]
    others: tuple[tuple[Contestant, int], ...]
    bounds: tuple[tuple[int, Contestant, float], ...]
    is_tls: bool = False
    cpu_bound: float | None = None

    def delays(self, participants: int, connections: int) -> float:
        """Return the seconds that the delays alone take: of the session's two calls, and waves."""
        return self.delay * (2 + max(CALLS, math.ceil(CALLS * participants / connections)))


SCENES = (
    Scene(
        "answers after 20 ms",
        0.020,
        (100, 200),
        (
            (FAST, 100),
            (FAST, 200),
            (DEFAULT_HTTPX, 100),
            (AIOHTTP, 100),
            (AIOHTTP, 200),
            (LIVEKIT, 100),
            (FLOOR, 100),
            (FLOOR, 200),
        ),
        (
            (100, BANDWIDTH, 4.0),
            (200, BANDWIDTH, 5.0),
            (100, DEFAULT_HTTPX, 8.0),
            (100, AIOHTTP, 1.1),
            (100, LIVEKIT, 2.0),
        ),
        cpu_bound=5.0,
    ),
    Scene(
        "the same over TLS",
        0.020,
        (100,),
        ((AIOHTTP, 100), (FLOOR, 100)),
        ((100, BANDWIDTH, 3.3),),
        is_tls=True,
    ),
    Scene(
        "answers after 100 ms",
        0.100,
        (500,),
        ((AIOHTTP, 500), (FLOOR, 500)),
        ((500, BANDWIDTH, 7.0),),
    ),
)


def main(*, quick: bool = False) -> None:
    where = conditions()
    participants, rounds = (50, 1) if quick else (1000, ROUNDS)
    contestants = [OURS, FAST, DEFAULT_HTTPX, AIOHTTP, LIVEKIT, FLOOR, BANDWIDTH]
    measured, texts = [], []
    with working(contestants) as workers:
        for scene in SCENES:
            found = _play(scene, workers, participants, rounds)
            measured += _measured(scene, found, participants)
            texts.append(_text(scene, found, participants))
    keep(
        "bulk",
        "\n\n".join(
            [
                f"# Many participants\n\n{__doc__}\n{where}",
                verdicts(measured),
                f"Medians of {rounds} rounds, in which all took turns; ratios of each round, with "
                "their spread. Over TLS, all verify the server's certificate. However cheap a call "
                "is, each connection waits out the delay of each of its calls: what that takes is "
                "in the tables, and what it allows is in the verdicts.",
                *texts,
            ]
        ),
        quick=quick,
    )


def _play(
    scene: Scene, workers: dict[str, Worker], participants: int, rounds: int
) -> dict[Turn, list[dict[str, float]]]:
    with (
        _certificates(is_wanted=scene.is_tls) as (servers, authority),
        serving("canned", delay=scene.delay, certificate=servers) as port,
    ):
        job = {
            "job": "set_up",
            "url": f"{'https' if scene.is_tls else 'http'}://127.0.0.1:{port}",
            "certificate": authority,
            "participants": participants,
        }
        threads = _best_threads(workers[BANDWIDTH.name], job, max(50, participants // 2))
        pairs: list[Turn] = [(OWN, n) for n in scene.connections]
        pairs += [(each.name, n) for each, n in scene.others]
        pairs.append((BANDWIDTH.name, threads))
        results = take_turns(
            {_turn(pair): (workers[pair[0]], job | {"connections": pair[1]}) for pair in pairs},
            rounds,
        )
    return {pair: results[_turn(pair)] for pair in pairs}


def _best_threads(worker: Worker, job: dict[str, object], participants: int) -> int:
    """Return with how many threads the vendor's SDK is fastest here, by a part of the work."""
    job = job | {"participants": participants}
    turns = {str(each): (worker, job | {"connections": each}) for each in THREADS}
    results = take_turns(turns, 2)
    return min(THREADS, key=lambda threads: min(_of(results[str(threads)], "wall")))


def _turn(pair: Turn) -> str:
    return f"{pair[0]} {pair[1]}"


@contextmanager
def _certificates(*, is_wanted: bool) -> Iterator[tuple[str | None, str | None]]:
    """Give the files of a server's certificate and of what issued it."""
    if not is_wanted:
        yield None, None
        return
    import trustme

    with tempfile.TemporaryDirectory() as folder:
        authority = trustme.CA()
        issued = authority.issue_cert("127.0.0.1")
        servers, issuer = Path(folder) / "server.pem", Path(folder) / "authority.pem"
        issued.private_key_and_cert_chain_pem.write_to_path(str(servers))
        authority.cert_pem.write_to_path(str(issuer))
        yield str(servers), str(issuer)


def _measured(
    scene: Scene, found: dict[Turn, list[dict[str, float]]], participants: int
) -> Iterable[Measured]:
    """Compare speeds: a ratio of times, turned over."""
    by_name = {name: results for (name, _), results in found.items()}
    first = {name: results for (name, _), results in reversed(found.items())}
    for connections, other, bound in scene.bounds:
        mine, floors = (_of(found[name, connections], "wall") for name in (OWN, FLOOR.name))
        theirs = _of(first[other.name], "wall")
        yield _speed(
            f"{scene.name}, {connections} connections, calls a second",
            other.name, bound, theirs, mine,
            _limits(theirs, floors, scene.delays(participants, connections)),
        )  # fmt: skip
    if scene.cpu_bound is not None:
        for connections in scene.connections:
            yield _speed(
                f"{scene.name}, {connections} connections, calls a CPU second",
                BANDWIDTH.name, scene.cpu_bound,
                _of(by_name[BANDWIDTH.name], "cpu"),
                _of(found[OWN, connections], "cpu"),
            )  # fmt: skip


def _speed(
    work: str, against: str, bound: float, theirs: list[float], ours: list[float], why: str = ""
) -> Measured:
    target = Target(work, against, bound, is_speed=True, why=why)
    return target, Spread.of_ratios(theirs, ours)


def _limits(theirs: list[float], floors: list[float], delays: float) -> str:
    """Say what the least of clients reaches, and what one that cost nothing would."""
    reached, allowed = Spread.of_ratios(theirs, floors).median, median(theirs) / delays
    return f"a bare socket reaches {reached:.2f}, and the delays allow {allowed:.2f}"


def _of(results: list[dict[str, float]], what: str) -> list[float]:
    return [each[what] for each in results]


def _text(scene: Scene, found: dict[Turn, list[dict[str, float]]], participants: int) -> str:
    calls = CALLS * participants + 2
    ours = found[OWN, scene.connections[0]]
    rows = [
        [
            name,
            str(n),
            f"{median(_of(results, 'wall')):.2f} s",
            f"{scene.delays(participants, n):.2f} s",
            f"{calls / median(_of(results, 'wall')):,.0f}",
            f"{calls / median(_of(results, 'cpu')):,.0f}",
            str(Spread.of_ratios(_of(results, "wall"), _of(ours, "wall"))),
        ]
        for (name, n), results in found.items()
    ]
    columns = ["client", "connections or threads", "time", "delays alone", "calls a second"]
    columns += ["calls a CPU second", f"time / {OWN} {scene.connections[0]}"]
    return f"## {scene.name[0].upper()}{scene.name[1:]}\n\n{table(columns, rows)}"


if __name__ == "__main__":
    main()
