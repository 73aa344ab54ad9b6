"""Creates one after the other over TLS 1.3: new connections, and CPU time.

Each client verifies the server's certificate. A response arrives in one piece, or with its body
5 ms after its head. A client that closes connections it could keep pays for a handshake each time.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks import counting
from benchmarks.report import Spread, Target, column, conditions, publish, table, verdicts
from benchmarks.servers.process import serving
from benchmarks.workers import AIOHTTP, CALLING, HTTPX, OURS, Worker, take_turns, working

PIECES = {"in one piece": 0.0, "in two pieces": 0.005}
"""Seconds between head and body."""


def main(*, quick: bool = False) -> None:
    """Measure calls over TLS, and publish them as tls.md."""
    where = conditions()
    calls, rounds = (100, 2) if quick else (1000, 5)
    connections, cpu = {}, {}
    with certificates() as (certificate, authority), working(CALLING) as workers:
        for pieces, delay in PIECES.items():
            with serving("canned", certificate=certificate, body_delay=delay) as server:
                job = {
                    "job": "calls",
                    "url": f"https://127.0.0.1:{server.port}",
                    "authority": authority,
                }
                for name, worker in workers.items():
                    before = server.connections_opened()
                    worker.do(job | {"calls": calls})
                    connections[pieces, name] = server.connections_opened() - before
                if not delay:
                    counts = counting.instructions(
                        {
                            each.name: (each, job | {"calls": 40 if quick else 200, "warm": 1})
                            for each in CALLING
                        }
                    )
                    cpu = _cpu(workers, job | {"calls": calls // 4, "warm": 1}, rounds)
    measured = [
        *(
            (Target(f"connections for {calls:,} creates, responses {pieces}", "", 1),
             Spread.of([connections[pieces, OURS.name]]))
            for pieces in PIECES
        ),
        *(
            (Target("create over TLS, instructions", other.name, bound),
             Spread.of([counts[OURS.name] / counts[other.name]]))
            for other, bound in ((HTTPX, 0.14), (AIOHTTP, 0.70))
        ),
    ]  # fmt: skip
    rows = [
        [
            name,
            *(f"{connections[pieces, name]:,}" for pieces in PIECES),
            f"{counts[name] / 1000:,.0f} k",
            f"{counts[name] / counts[AIOHTTP.name]:.2f}",
            f"{median(mine) * 1e6:.0f} µs",
            str(Spread.of_ratios(mine, cpu[HTTPX.name])),
            str(Spread.of_ratios(mine, cpu[AIOHTTP.name])),
        ]
        for name, mine in cpu.items()
    ]
    columns = ["client", *(f"connections, {pieces}" for pieces in PIECES), "instructions"]
    columns += ["/ aiohttp", "CPU", "/ httpx", "/ aiohttp"]
    publish(
        "tls",
        f"# Calls over TLS\n\n{__doc__}\n{where}",
        verdicts(measured),
        f"Connections of {calls:,} creates. CPU and instructions of a create, responses in one "
        f"piece; medians of {rounds} rounds in which all take turns.",
        table(columns, rows),
        quick=quick,
    )


def _cpu(workers: dict[str, Worker], job: dict[str, object], rounds: int) -> dict[str, list[float]]:
    results = take_turns({name: (worker, job) for name, worker in workers.items()}, rounds)
    return {name: column(each, "cpu") for name, each in results.items()}


@contextmanager
def certificates() -> Iterator[tuple[str, str]]:
    """Make the files of a server's certificate and of its authority."""
    import trustme

    with tempfile.TemporaryDirectory() as folder:
        authority = trustme.CA()
        certificate, issuer = Path(folder) / "server.pem", Path(folder) / "authority.pem"
        issued = authority.issue_cert("127.0.0.1")
        issued.private_key_and_cert_chain_pem.write_to_path(str(certificate))
        authority.cert_pem.write_to_path(str(issuer))
        yield str(certificate), str(issuer)
