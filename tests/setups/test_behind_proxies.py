"""The client behind nginx and HAProxy, over TLS; needs both programs (Debian packages)."""

from collections.abc import Iterator
from pathlib import Path

import anyio
import httpx
import pytest
from setups.proxies import HAProxy, Nginx, Proxy
from support.scripted import policy
from support.tls import client_side

from webrtc_async import AsyncWebRtcClient, ServerError, Session, UnknownOutcomeError
from webrtc_async.emulator import Emulator, EmulatorServer

pytestmark = [pytest.mark.setups, pytest.mark.anyio]

CALLS = 200


@pytest.fixture
def service() -> Iterator[EmulatorServer]:
    with EmulatorServer(Emulator()) as server:
        yield server


@pytest.fixture(params=[Nginx, HAProxy], ids=["nginx", "haproxy"])
def proxy(
    request: pytest.FixtureRequest, service: EmulatorServer, tmp_path: Path
) -> Iterator[Proxy]:
    port = int(httpx.URL(service.base_url).port or 0)
    started = request.param(tmp_path, port)
    started.wait_until_it_listens()
    yield started
    started.stop()


def client_behind(proxy: Proxy, **settings: object) -> AsyncWebRtcClient:
    return AsyncWebRtcClient(
        "9900000",
        auth=("user", "password"),
        base_url=proxy.base_url,
        **{"ssl_context": client_side(), **settings},
    )


async def test_a_conference_behind_a_proxy(proxy: Proxy, service: EmulatorServer) -> None:
    """A whole conference is set up and torn down; nothing is left."""
    async with (
        client_behind(proxy) as client,
        client.conference(["agent", "caller"]) as conference,
    ):
        await conference.join("supervisor", subscribe_to=["agent"])
        assert len(await client.list_session_participants(conference.session.id)) == 3
    assert service.emulator.session_ids("9900000") == ()


async def test_compressed_responses(proxy: Proxy) -> None:
    """A user's hook may ask for compressed responses, which the proxy makes."""
    encodings = []

    async def ask(request: httpx.Request) -> None:
        request.headers["Accept-Encoding"] = "gzip"

    async def note(response: httpx.Response) -> None:
        encodings.append(response.headers.get("content-encoding"))

    async with client_behind(proxy) as client:
        client.http_client.event_hooks = {"request": [ask], "response": [note]}
        made = await client.create_session(Session(tag="a" * 50))
        assert (await client.get_session(made.id)).tag == "a" * 50
    assert encodings == ["gzip", "gzip"]


async def test_idle_connections_that_the_proxy_closes(proxy: Proxy) -> None:
    """A call after the proxy's keep-alive time-out fails no more than any other."""
    async with client_behind(proxy, retry=policy(attempts=1)) as client:
        for _ in range(2):
            await client.create_session()
            await anyio.sleep(1.1)
        await client.create_session()


@pytest.mark.parametrize("is_draining", [False, True])
async def test_many_calls_while_the_proxy_drains(
    proxy: Proxy, service: EmulatorServer, is_draining: bool
) -> None:
    """Calls survive connections that the proxy closes, and no create happens twice.

    If the proxy closes a connection at the moment in which a create is sent over it, nobody can
    know the outcome.
    """
    made: list[str] = []
    unknown: list[UnknownOutcomeError] = []

    async def create_and_get(client: AsyncWebRtcClient) -> None:
        for _ in range(CALLS // 20):
            try:
                session = await client.create_session()
            except UnknownOutcomeError as error:
                unknown.append(error)
                continue
            made.append(session.id)
            assert (await client.get_session(session.id)).id == session.id

    async with client_behind(proxy) as client, anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(create_and_get, client)
        while is_draining and len(made) < CALLS // 2 - 10:
            proxy.drain()
            await anyio.sleep(0.2)
    existing = set(service.emulator.session_ids("9900000"))
    assert existing >= set(made)
    assert len(existing) - len(made) <= len(unknown) <= (3 if is_draining else 0)


async def test_an_html_page_of_a_proxy_whose_service_is_down(tmp_path: Path) -> None:
    """The page of a proxy is a `ServerError`, repeated like any other, and not quoted as JSON."""
    with EmulatorServer(Emulator()) as service:
        port = int(httpx.URL(service.base_url).port or 0)
    for number, kind in enumerate([Nginx, HAProxy]):
        folder = tmp_path / str(number)
        folder.mkdir()
        proxy = kind(folder, port)
        proxy.wait_until_it_listens()
        try:
            async with client_behind(proxy, retry=policy(attempts=3)) as client:
                with pytest.raises(ServerError) as caught:
                    await client.create_session()
            assert (caught.value.status, caught.value.attempts) == (502, 3)
        finally:
            proxy.stop()
