"""HTTP/2, by an `AsyncClient(http2=True)` of httpx or httpx2 that the client is given."""

import importlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from support.http2 import Http2Exchange, Respond, offering_http2, serving_http2
from support.scripted import ONCE
from support.tls import client_side

from webrtc_async import (
    AsyncWebRtcClient,
    ConnectionFailedError,
    DeadlineExceededError,
    Outcome,
    Stage,
)

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("library", ["httpx", "httpx2"])]


@asynccontextmanager
async def client_of(
    library: str, respond: Respond, streams: int = 100
) -> AsyncIterator[AsyncWebRtcClient]:
    """Serve HTTP/2, some requests at a time, and return a client of it."""
    http_clients = importlib.import_module(library)
    async with (
        serving_http2(respond, offering_http2(), streams) as port,
        http_clients.AsyncClient(http2=True, verify=client_side()) as http_client,
        AsyncWebRtcClient(
            "9900000",
            auth=("user", "password"),
            base_url=f"https://127.0.0.1:{port}/v1",
            http_client=http_client,
            retry=ONCE,
            create_grace=0,
        ) as client,
    ):
        yield client


async def test_calls_at_a_time_share_a_connection(library: str) -> None:
    """Concurrent calls, creates among them, get their own responses over one connection."""
    connections: set[int] = set()

    async def respond(exchange: Http2Exchange) -> None:
        connections.add(id(exchange.h2))
        path = dict(exchange.headers)[b":path"].decode()
        await exchange.head(200)
        await exchange.data(json.dumps({"id": path.rpartition("/")[2]}).encode())
        await exchange.end()

    async def read(session_id: str) -> None:
        assert (await client.get_session(session_id)).id == session_id

    async with client_of(library, respond) as client, anyio.create_task_group() as tasks:
        assert (await client.create_session()).id == "sessions"
        for number in range(10):
            tasks.start_soon(read, f"s-{number}")
    assert len(connections) == 1


async def late(client: AsyncWebRtcClient) -> DeadlineExceededError:
    """Make a create that is late, and return its error."""
    with pytest.raises(DeadlineExceededError) as caught:
        await client.with_options(deadline=0.1).create_session()
    return caught.value


async def test_a_call_is_connecting_until_it_has_a_stream(library: str) -> None:
    """A request that waits for another one's stream to end is not yet sent."""
    has_begun = anyio.Event()

    async def respond(_: Http2Exchange) -> None:
        has_begun.set()
        await anyio.sleep_forever()

    async with client_of(library, respond, 1) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(client.create_session)
        await has_begun.wait()
        assert (await late(client)).stage is Stage.CONNECTING
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("has_head", "stage", "outcome"),
    [
        (False, Stage.AWAITING, Outcome.UNKNOWN),
        (True, Stage.READING, Outcome.ANSWERED),
    ],
)
async def test_a_call_is_reading_from_the_head_on(
    library: str, has_head: bool, stage: Stage, outcome: Outcome
) -> None:
    """A call waits for the response until the head is there, and then for the body."""

    async def respond(exchange: Http2Exchange) -> None:
        if has_head:
            await exchange.head(200)
        await anyio.sleep_forever()

    async with client_of(library, respond) as client:
        error = await late(client)
    assert (error.stage, error.outcome) == (stage, outcome)


async def test_an_abandoned_stream_that_the_server_counts_sends_nothing(library: str) -> None:
    """h2 refuses to open a stream too many, before a byte is written."""

    async def respond(_: Http2Exchange) -> None:
        await anyio.sleep_forever()

    async with client_of(library, respond, 1) as client:
        await late(client)
        with pytest.raises(ConnectionFailedError) as caught:
            await client.create_session()
    assert caught.value.outcome is Outcome.NOT_SENT
