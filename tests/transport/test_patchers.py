"""Tools that stand between a program and the network: they get what plain httpx would give them.

Each test runs with plain httpx too, to show that it is the tool's doing.
"""

import gc
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.calling import calling
from support.scripted import BODY_OF_SESSION, SESSION, http, serving
from support.tls import client_side, server_side

pytestmark = [pytest.mark.anyio, pytest.mark.patchers]

REMOTE = "https://service.example/v1"
OK = http(200, BODY_OF_SESSION)

Get = Callable[..., Awaitable[str]]


def url_of(base_url: str) -> str:
    return f"{base_url}/accounts/9900000/sessions/s-1"


async def get_by_httpx(base_url: str, ssl_context: Any = None) -> str:
    async with httpx.AsyncClient(verify=ssl_context or True) as client:
        return str((await client.get(url_of(base_url))).json()["id"])


async def get(base_url: str, ssl_context: Any = None) -> str:
    async with calling(base_url, ssl_context=ssl_context) as client:
        return (await client.get_session("s-1")).id


@pytest.fixture(params=[get_by_httpx, get], ids=["httpx", "webrtc_async"], name="get")
def _get(request: pytest.FixtureRequest) -> Get:
    return request.param


async def test_respx(get: Get) -> None:
    """respx responds."""
    import respx

    with respx.mock:
        route = respx.get(url_of(REMOTE)).respond(json=SESSION)
        assert await get(REMOTE) == "s-1"
        assert route.call_count == 1


async def test_pytest_httpx(get: Get, httpx_mock: Any) -> None:
    """pytest-httpx responds."""
    httpx_mock.add_response(url=url_of(REMOTE), json=SESSION)
    assert await get(REMOTE) == "s-1"


async def test_pook(get: Get) -> None:
    """Pook responds."""
    import pook

    with pook.use():
        mock = pook.get(url_of(REMOTE), reply=200, response_json=SESSION)
        assert await get(REMOTE) == "s-1"
        assert mock.calls == 1


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # it has no socket for trio
@pytest.mark.parametrize("base_url", [REMOTE, "http://service.example/v1"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_mocket(get: Get, base_url: str) -> None:
    """Mocket responds, also in the place of TLS."""
    from mocket import Mocket, Mocketizer
    from mocket.mocks.mockhttp import Entry

    headers = {"content-type": "application/json"}
    Entry.single_register(Entry.GET, url_of(base_url), body=json.dumps(SESSION), headers=headers)
    with Mocketizer(strict_mode=True):
        assert await get(base_url) == "s-1"
        assert len(Mocket.request_list()) == 1
    gc.collect()  # mocket closes no socket, and the warning belongs to this test


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_vcrpy(get: Get, scheme: str, tmp_path: Path) -> None:
    """Vcrpy records the first exchange and replays it; in the mode "none" it lets nothing out."""
    import vcr

    tls = server_side("127.0.0.1") if scheme == "https" else None
    cassette = str(tmp_path / "cassette.yaml")
    async with serving(OK, tls=tls) as server:
        base_url, context = server.url(scheme), client_side() if tls else None
        for played in (0, 1):
            with vcr.use_cassette(cassette) as used:
                assert await get(base_url, context) == "s-1"
            assert (used.play_count, len(used)) == (played, 1)
        with vcr.use_cassette(str(tmp_path / "other.yaml"), record_mode="none"):
            await refused(get, base_url, context, why="assette")
    assert len(server.requests) == 1


async def test_pytest_socket(get: Get) -> None:
    """pytest-socket lets no connection out, or only those to the hosts that it allows."""
    import pytest_socket

    async with serving(OK) as server:
        try:
            pytest_socket.socket_allow_hosts(["10.0.0.1"], allow_unix_socket=True)
            await refused(get, server.url(), why='with host "127.0.0.1"')
            pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)
            assert await get(server.url()) == "s-1"
            pytest_socket._remove_restrictions()
            pytest_socket.disable_socket(allow_unix_socket=True)
            await refused(get, server.url(), why="tried to use socket")
        finally:
            pytest_socket._remove_restrictions()
            pytest_socket.enable_socket()
    assert len(server.requests) == 1


async def test_pytest_recording(get: Get) -> None:
    """`block_network` of pytest-recording lets no connection out."""
    from pytest_recording.network import blocking_context

    async with serving(OK) as server:
        with blocking_context():
            await refused(get, server.url(), why="Network is disabled")
    assert server.requests == []


async def refused(get: Get, base_url: str, *settings: Any, why: str) -> None:
    """Require that a tool refuses the connection, and that the error says so."""
    with pytest.raises(Exception) as caught:
        await get(base_url, *settings)
    errors: list[BaseException] = [caught.value]
    for error in errors:
        errors += getattr(error, "exceptions", [])
        errors += [error.__cause__] if error.__cause__ else []
    assert any(why in str(error) for error in errors), errors
