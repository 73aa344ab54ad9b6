"""Ways to set up and tear down conferences of four, each as a user of it would write it.

    python conference_ways.py WAY URL CONFERENCES

One run in a process of its own; it prints the seconds, and the process's peak memory. It imports
what its way needs and no more, because not all of them live in one environment.
"""

import asyncio
import json
import os
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ACCOUNT, USER, PASSWORD = "9900000", "user", "password"
PARTICIPANTS = ("a", "b", "c", "d")
AT_A_TIME = 32
WARM_UP = 10


async def webrtc_async(url: str, count: int) -> None:
    """`set_up` and `tear_down`, with all that they promise: nothing is turned off."""
    from webrtc_async import AsyncWebRtcClient, ConferencePlan

    plans = (ConferencePlan(PARTICIPANTS, key=f"plan-{number}") for number in range(count))
    async with AsyncWebRtcClient(
        ACCOUNT, auth=(USER, PASSWORD), base_url=url, max_connections=AT_A_TIME
    ) as client:
        up = [result.get() async for result in client.set_up(plans, concurrency=AT_A_TIME)]
        async for gone in client.tear_down(up, concurrency=AT_A_TIME):
            assert gone.error is None


async def httpx(url: str, count: int) -> None:
    """The loop that one writes by hand: no retry, no roll-back, no types."""
    import httpx

    base = f"{url}/accounts/{ACCOUNT}"
    limits = httpx.Limits(max_connections=AT_A_TIME, max_keepalive_connections=AT_A_TIME)
    turn = asyncio.Semaphore(AT_A_TIME)
    async with httpx.AsyncClient(
        auth=(USER, PASSWORD), limits=limits, timeout=60, trust_env=False
    ) as http:

        async def ask(method: str, path: str, body: object = None) -> httpx.Response:
            answer = await http.request(method, f"{base}{path}", json=body)
            return answer.raise_for_status()

        async def one() -> None:
            async with turn:
                session = (await ask("POST", "/sessions")).json()["id"]
                ids = []
                for _ in PARTICIPANTS:
                    created = (await ask("POST", "/participants")).json()
                    ids.append(created["participant"]["id"])
                    path = f"/sessions/{session}/participants/{ids[-1]}"
                    await ask("PUT", path, {"sessionId": session})
            async with turn:
                for each in ids:
                    await ask("DELETE", f"/participants/{each}")
                await ask("DELETE", f"/sessions/{session}")

        await asyncio.gather(*(one() for _ in range(count)))


async def bandwidth_sdk(url: str, count: int) -> None:
    """The vendor's last SDK with WebRTC, which is synchronous, in a pool of threads."""
    from bandwidth.bandwidth_client import BandwidthClient
    from bandwidth.configuration import Environment
    from bandwidth.webrtc.models.subscriptions import Subscriptions

    sdk = BandwidthClient(
        environment=Environment.CUSTOM,
        base_url=url,
        web_rtc_basic_auth_user_name=USER,
        web_rtc_basic_auth_password=PASSWORD,
    ).web_rtc_client.client

    def set_up(_: int) -> tuple[str, list[str]]:
        session, ids = sdk.create_session(ACCOUNT).body.id, []
        for _ in PARTICIPANTS:
            ids.append(sdk.create_participant(ACCOUNT).body.participant.id)
            everyone = Subscriptions(session_id=session)
            sdk.add_participant_to_session(ACCOUNT, session, ids[-1], everyone)
        return session, ids

    def tear_down(up: tuple[str, list[str]]) -> None:
        for each in up[1]:
            sdk.delete_participant(ACCOUNT, each)
        sdk.delete_session(ACCOUNT, up[0])

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(tear_down, pool.map(set_up, range(count))))


async def livekit(url: str, count: int) -> None:
    """LiveKit's nearest equivalent: participants are tokens made here, and a room takes them along.

    Two requests a conference, where Bandwidth's API needs fourteen.
    """
    from livekit import api

    turn = asyncio.Semaphore(AT_A_TIME)
    secret = "a secret of thirty-two characters"
    async with api.LiveKitAPI(url, "key", secret) as client:

        async def one(number: int) -> None:
            name = f"room-{number}"
            async with turn:
                await client.room.create_room(api.CreateRoomRequest(name=name))
                grants = api.VideoGrants(room_join=True, room=name)
                for identity in PARTICIPANTS:
                    api.AccessToken("key", secret).with_identity(identity).with_grants(
                        grants
                    ).to_jwt()
            async with turn:
                await client.room.delete_room(api.DeleteRoomRequest(room=name))

        await asyncio.gather(*(one(number) for number in range(count)))


WAYS = {
    "webrtc_async": webrtc_async,
    "httpx": httpx,
    "bandwidth-sdk": bandwidth_sdk,
    "livekit-api": livekit,
}


def peak_kib() -> int:
    """Return this process's peak; what getrusage has begins at the peak of who started it."""
    [found] = re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text("ascii"))
    return int(found)


def begin_peak_anew() -> None:
    Path("/proc/self/clear_refs").write_text("5", "ascii")


def main() -> None:
    name, url, count = sys.argv[1:]
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    way = WAYS[name]
    asyncio.run(way(url, WARM_UP))
    started, busy = time.perf_counter(), time.process_time()
    asyncio.run(way(url, int(count)))
    spent = {"seconds": time.perf_counter() - started, "cpu": time.process_time() - busy}
    print(json.dumps({**spent, "peak_kib": peak_kib()}))


if __name__ == "__main__":
    main()
