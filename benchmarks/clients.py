"""One create of a participant, by each client: what a user of it would write."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from webrtc_async import AsyncWebRtcClient, Participant

Call = Callable[[], Awaitable[object]]

ACCOUNT, USER, PASSWORD = "9900000", "user", "password"
PATH = f"/v1/accounts/{ACCOUNT}/participants"
BODY = {
    "callbackUrl": "https://example.com/callbacks/webrtc",
    "publishPermissions": ["AUDIO", "VIDEO"],
    "tag": "visit-42-doctor",
    "deviceApiVersion": "V3",
}
PARTICIPANT = Participant(
    callback_url="https://example.com/callbacks/webrtc",
    publish_permissions=["AUDIO", "VIDEO"],
    tag="visit-42-doctor",
    device_api_version="V3",
)


@asynccontextmanager
async def webrtc_async(port: int, connections: int) -> AsyncIterator[Call]:
    """Typed both ways, strict, with retry, deadline, caps and errors on: nothing is turned off."""
    async with AsyncWebRtcClient(
        ACCOUNT,
        auth=(USER, PASSWORD),
        base_url=f"http://127.0.0.1:{port}/v1",
        max_connections=connections,
    ) as client:

        async def call() -> object:
            return await client.create_participant(PARTICIPANT)

        yield call


@asynccontextmanager
async def httpx(port: int, connections: int) -> AsyncIterator[Call]:
    """Untyped: a dict goes in, a dict comes out."""
    import httpx

    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    async with httpx.AsyncClient(
        auth=(USER, PASSWORD), limits=limits, timeout=30.0, trust_env=False
    ) as client:
        url = f"http://127.0.0.1:{port}{PATH}"

        async def call() -> object:
            return (await client.post(url, json=BODY)).raise_for_status().json()

        yield call


@asynccontextmanager
async def aiohttp(port: int, connections: int) -> AsyncIterator[Call]:
    """Untyped: a dict goes in, a dict comes out."""
    import aiohttp

    async with aiohttp.ClientSession(
        auth=aiohttp.BasicAuth(USER, PASSWORD),
        connector=aiohttp.TCPConnector(limit=connections),
        timeout=aiohttp.ClientTimeout(total=30.0),
        raise_for_status=True,
    ) as session:
        url = f"http://127.0.0.1:{port}{PATH}"

        async def call() -> object:
            async with session.post(url, json=BODY) as response:
                return await response.json()

        yield call


CLIENTS = {"webrtc_async": webrtc_async, "httpx": httpx, "aiohttp": aiohttp}


async def run(name: str, port: int, *, calls: int, tasks: int, connections: int) -> None:
    """Make so many calls by so many tasks."""
    async with CLIENTS[name](port, connections) as call:
        await work(call, calls=calls, tasks=tasks)


async def work(call: Call, *, calls: int, tasks: int) -> None:
    """Make so many calls by so many tasks."""

    async def repeat(times: int) -> None:
        for _ in range(times):
            await call()

    share, rest = divmod(calls, tasks)
    async with asyncio.TaskGroup() as group:
        for number in range(tasks):
            group.create_task(repeat(share + (number < rest)))


def main() -> None:
    name, port, calls, tasks, connections = sys.argv[1:]
    asyncio.run(
        run(name, int(port), calls=int(calls), tasks=int(tasks), connections=int(connections))
    )


if __name__ == "__main__":
    main()
