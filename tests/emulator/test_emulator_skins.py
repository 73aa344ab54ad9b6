"""One service with three forms of access: in process, under ASGI, and behind a TCP port."""

import asyncio
import socket
import tracemalloc
from collections.abc import AsyncIterator, Iterator

import anyio
import pytest
from support.http_library import httpx
from support.speaking import ACCOUNT, Caller

from webrtc_async.emulator import Emulator, EmulatorTransport, emulator_app
from webrtc_async.emulator.doors.server import EmulatorServer, bind

CONVERSATION = [
    ("POST", "/sessions", b'{"tag":"a"}'),
    ("POST", "/participants", b""),
    ("GET", "/sessions/x%2F..%2Fy", b""),
    ("POST", "/sessions", b"nonsense"),
    ("PATCH", "/sessions", b""),
    ("GET", "/sessions/%E2%82%AC?colour=red", b""),
    ("GET", "/sessions/x", b""),
]


def expected() -> list[tuple[int, bytes]]:
    """Return the service's own response, through the simplest access."""
    caller = Caller(Emulator(seed=3, clock=lambda: 0.0))
    answers = [caller.send(method, path, raw=body) for method, path, body in CONVERSATION]
    return [(answer.status, answer.content) for answer in answers]


@pytest.fixture(params=["in process", "ASGI", "TCP"])
async def skin(request: pytest.FixtureRequest) -> AsyncIterator[tuple]:
    """An HTTP client and an emulator's URL."""
    emulator = Emulator(seed=3, clock=lambda: 0.0)
    if request.param == "TCP":
        with EmulatorServer(emulator) as server:
            async with httpx.AsyncClient(trust_env=False) as client:
                yield client, server.base_url
        return
    transport = (
        EmulatorTransport(emulator)
        if request.param == "in process"
        else httpx.ASGITransport(emulator_app(emulator))
    )
    async with httpx.AsyncClient(transport=transport) as client:
        yield client, "http://emulator/v1"


@pytest.mark.anyio
async def test_every_skin_gives_the_same_responses(skin):
    """The same requests get the same responses, byte for byte, through every access."""
    client, url = skin
    answers = [
        await client.request(
            method, f"{url}/accounts/{ACCOUNT}{path}", content=body, auth=("user", "password")
        )
        for method, path, body in CONVERSATION
    ]
    assert [(answer.status_code, answer.content) for answer in answers] == expected()
    assert all("x-amzn-requestid" in answer.headers for answer in answers)


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer(Emulator()) as server:
        yield server


def test_a_body_of_100_megabytes_is_refused_and_not_kept(server):
    """A huge body is read to its end, dropped, and refused with the documented 400."""
    chunk = b"x" * 1_000_000
    with httpx.Client(trust_env=False, auth=("user", "password"), timeout=60) as client:
        tracemalloc.start()
        response = client.post(
            f"{server.base_url}/accounts/{ACCOUNT}/sessions",
            content=(chunk for _ in range(100)),
        )
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert response.status_code == 400
    assert set(response.json()) == {"error", "requestId"}
    assert peak < 30_000_000
    assert server.emulator.session_ids(ACCOUNT) == ()


def test_a_connection_closed_during_a_body_does_no_harm(server, capfd):
    """A broken connection leaves no trace, and the next client is served."""
    port = int(server.base_url.rsplit(":", 1)[1].split("/")[0])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(
            b"POST /v1/accounts/9900000/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{"
        )
    url = f"{server.base_url}/accounts/{ACCOUNT}/sessions"
    with httpx.Client(trust_env=False, auth=("user", "password")) as client:
        assert client.post(url).status_code == 200
    assert len(server.emulator.session_ids(ACCOUNT)) == 1
    assert capfd.readouterr().err == ""


@pytest.mark.anyio
async def test_an_endless_body_is_cut_off():
    """An endless body is refused and not read forever."""
    app = emulator_app(Emulator())
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"x" * 50_000_000, "more_body": True}

    async def send(message):
        sent.append(message)

    path = f"/v1/accounts/{ACCOUNT}/sessions"
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "headers": [(b"authorization", b"Basic dXNlcjpwYXNzd29yZA==")],
        "query_string": b"",
    }
    with anyio.fail_after(30):
        await app(scope, receive, send)
    assert sent[0]["status"] == 400


def test_a_port_in_use_is_an_os_error():
    """A second listener on a port is refused by `bind`."""
    with bind("127.0.0.1", 0) as taken, pytest.raises(OSError, match="in use"):
        bind("127.0.0.1", taken.getsockname()[1])


def test_a_response_waits_for_no_acknowledgement():
    """Accepted connections have TCP_NODELAY; without it a second write would wait 40 ms."""

    async def accepted() -> int:
        options = asyncio.get_running_loop().create_future()

        def look(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = writer.get_extra_info("socket")
            options.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with bind("127.0.0.1", 0) as listening:
            async with await asyncio.start_server(look, sock=listening) as server:
                _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
                writer.close()
                return await options

    assert asyncio.run(accepted()) == 1


def test_a_stopped_server_frees_its_port():
    """After the context nothing listens on the port."""
    with EmulatorServer(Emulator()) as server:
        port = int(server.base_url.rsplit(":", 1)[1].split("/")[0])
    bind("127.0.0.1", port).close()


def test_serving_keeps_the_program_s_event_loop():
    """A program that serves the emulator in a thread keeps its own kind of event loop."""
    with EmulatorServer(Emulator()) as server:
        assert httpx.get(f"{server.url}/_emulator/health", trust_env=False).text == "ok\n"
    with asyncio.Runner() as runner:
        assert type(runner.get_loop()).__module__.startswith("asyncio.")
