"""The client in threads with a blocking portal, and in workers that were forked."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from anyio.from_thread import start_blocking_portal

from webrtc_async import AsyncWebRtcClient
from webrtc_async.emulator import Emulator, EmulatorServer


def test_threads_share_a_client_by_a_blocking_portal() -> None:
    """Threads without an event loop call one client, and use a conference as a context manager."""
    with EmulatorServer(Emulator()) as service, start_blocking_portal() as portal:
        given = AsyncWebRtcClient("9900000", auth=("user", "password"), base_url=service.base_url)
        with portal.wrap_async_context_manager(given) as client:

            def work(_: int) -> int:
                session = portal.call(client.create_session)
                portal.call(client.delete_session, session.id)
                with portal.wrap_async_context_manager(client.conference(["a", "b"])) as conference:
                    portal.call(conference.join, "c")
                    return len(portal.call(client.list_session_participants, conference.session.id))

            with ThreadPoolExecutor(8) as threads:
                assert list(threads.map(work, range(24))) == [3] * 24
        assert service.emulator.session_ids("9900000") == ()
        assert service.emulator.participant_ids("9900000") == ()


FORKED = """
import asyncio, logging, os, sys
from webrtc_async import AsyncWebRtcClient

client = AsyncWebRtcClient.from_env()
logging.getLogger("asyncio").setLevel(logging.ERROR)  # no lines about steps that took 100 ms

async def work(name):
    async with client.conference(["a", "b"]) as conference:
        await conference.join("c")
        found = await client.list_session_participants(conference.session.id)
        assert len(found) == 3
    made = await asyncio.gather(*(client.create_session() for _ in range(20)))
    assert len({each.id for each in made}) == 20
    await asyncio.gather(*(client.delete_session(each.id) for each in made))

async def work_and_close(name):
    await work(name)
    await client.aclose()

asyncio.run(work("before"))
workers = []
for number in range(3):
    if (pid := os.fork()) == 0:
        try:
            asyncio.run(work_and_close(f"worker {number}"))
        except BaseException as error:
            sys.excepthook(type(error), error, error.__traceback__)
            os._exit(1)
        os._exit(0)
    workers.append(pid)
asyncio.run(work_and_close("parent"))
assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in workers] == [0, 0, 0]
"""


def test_forked_workers_use_the_client_of_their_parent() -> None:
    """A client that was used before the fork works in each worker and in the parent."""
    with EmulatorServer(Emulator()) as service:
        ran = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", "-c", FORKED],
            env={
                **os.environ,
                "BW_ACCOUNT_ID": "9900000",
                "BW_USERNAME": "user",
                "BW_PASSWORD": "password",
                "BW_WEBRTC_BASE_URL": service.base_url,
            },
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        assert service.emulator.session_ids("9900000") == ()
        assert service.emulator.participant_ids("9900000") == ()
