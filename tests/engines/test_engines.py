"""Job engines: plans are sent to workers, conferences and errors come back."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from webrtc_async import ConferencePlan
from webrtc_async._protocol.wire import WireRequest
from webrtc_async.emulator import Emulator
from webrtc_async.emulator.doors.server import EmulatorServer
from webrtc_async.emulator.faults.reply import Reply

sys.path.insert(0, str(Path(__file__).parent))

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("default")]

ACCOUNT = "9900000"
BATCHES, PLANS = 6, 25


class WatchedEmulator(Emulator):
    """An emulator that sets an event after a third of the expected requests."""

    def __init__(self) -> None:
        super().__init__()
        self.is_busy = threading.Event()

    def reply_to(self, request: WireRequest) -> Reply:
        answer = super().reply_to(request)
        if self.requests_handled > BATCHES * PLANS * 5 // 3:
            self.is_busy.set()
        return answer


def plans(batch: int) -> list[ConferencePlan]:
    """Return the plans of a batch."""
    return [ConferencePlan(["agent", "caller"], key=f"{batch}-{number}") for number in range(PLANS)]


def test_dask_continues_when_a_worker_is_killed(tmp_path: Path) -> None:
    """After a worker is killed, each plan is set up once, and no conference is lost."""
    import batch
    import cloudpickle
    import dask
    from distributed import Client, LocalCluster

    cloudpickle.register_pickle_by_value(batch)  # workers cannot import it
    emulator = WatchedEmulator()
    with (
        EmulatorServer(emulator) as server,
        dask.config.set({"distributed.scheduler.allowed-failures": 10}),
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        jobs = [
            client.submit(
                batch.set_up_batch_blocking, server.base_url, tmp_path / f"{number}", plans(number)
            )
            for number in range(BATCHES)
        ]
        assert emulator.is_busy.wait(120)
        victim = next(iter(client.run(os.getpid).values()))
        os.kill(victim, signal.SIGKILL)
        batches = client.gather(jobs)
    check(emulator, batches, tmp_path)


def test_arq_continues_when_a_worker_is_killed(tmp_path: Path, redis_port: int) -> None:
    """The job of a killed worker is retried, and continues from its journal."""
    from arq import create_pool
    from arq.connections import RedisSettings

    emulator = WatchedEmulator()
    journals = tmp_path / "journals"
    journals.mkdir()

    async def spread(base_url: str) -> list[object]:
        pool = await create_pool(RedisSettings(port=redis_port))
        jobs = [
            await pool.enqueue_job("set_up", number, plans(number)) for number in range(BATCHES)
        ]
        environ = {"BASE_URL": base_url, "JOURNALS": str(journals), "REDIS_PORT": str(redis_port)}
        command = [sys.executable, "-m", "arq", "arq_worker.WorkerSettings"]
        workers = [
            subprocess.Popen(  # noqa: ASYNC220  # they outlive this line
                command,
                cwd=Path(__file__).parent,
                env={**os.environ, **environ},
                stderr=subprocess.DEVNULL,
            )
            for _ in range(2)
        ]
        try:
            assert await asyncio.to_thread(emulator.is_busy.wait, 60)
            workers[0].kill()
            return [await job.result(timeout=120) for job in jobs if job is not None]
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
            await pool.aclose()

    with EmulatorServer(emulator) as server:
        batches = asyncio.run(spread(server.base_url))
    check(emulator, batches, journals)


def test_a_client_works_in_celery_s_forked_pool(tmp_path: Path) -> None:
    """A client that was used before Celery's pool forks works in each process of the pool."""
    import celery

    sessions = 8
    with EmulatorServer(Emulator()) as server:
        environ = {
            "BW_ACCOUNT_ID": ACCOUNT,
            "BW_USERNAME": "user",
            "BW_PASSWORD": "password",
            "BW_WEBRTC_BASE_URL": server.base_url,
            "MESSAGES": str(tmp_path),
            "PYTHONUNBUFFERED": "1",
        }
        command = "-m celery -A celery_worker worker --pool prefork --concurrency 2 -l INFO"
        worker = subprocess.Popen(
            [sys.executable, *command.split()],
            cwd=Path(__file__).parent,
            env={**os.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert worker.stdout is not None
        try:
            folders = dict.fromkeys(
                ["data_folder_in", "data_folder_out", "control_folder"], str(tmp_path)
            )
            with celery.Celery(broker="filesystem://", broker_transport_options=folders) as app:
                for _ in range(sessions):
                    app.send_task("open_room")
            lines = []
            while sum("succeeded" in line for line in lines) < sessions:
                lines.append(worker.stdout.readline())
                assert lines[-1], "".join(lines)
                assert "Traceback" not in lines[-1], "".join(lines)
        finally:
            worker.terminate()
            worker.communicate()
        pool = {re.findall(r"ForkPoolWorker-\d+", line)[0] for line in lines if "succeed" in line}
        assert len(pool) == 2
        # One more session is from before the fork.
        assert len(server.emulator.session_ids(ACCOUNT)) == sessions + 1


def check(emulator: Emulator, batches, journals: Path) -> None:
    """Check that each gathered conference exists once, and that any other was in flight."""
    gathered = [conference for batch in batches for conference in batch]
    keys = [conference.key for conference in gathered]
    assert sorted(keys) == sorted(plan.key for batch in range(BATCHES) for plan in plans(batch))
    assert all(conference["agent"].token for conference in gathered)
    sessions = {conference.session.id for conference in gathered}
    assert len(sessions) == len(gathered)
    assert sessions <= set(emulator.session_ids(ACCOUNT))
    # The responses to creates in flight during the kill were lost.
    written = "".join(path.read_text() for path in journals.iterdir())
    others = set(emulator.session_ids(ACCOUNT)) - sessions
    assert not [each for each in others if each in written]
    assert len(others) <= 4
