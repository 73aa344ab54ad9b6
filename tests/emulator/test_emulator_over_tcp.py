"""Invalid bytes and idle connections at a served emulator."""

import re
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import pytest
from support.bad_bodies import BODIES, PARTICIPANT_BODIES
from support.http_library import httpx
from support.speaking import ACCOUNT, basic

from webrtc_async.emulator import Emulator, EmulatorServer

SESSIONS = f"/v1/accounts/{ACCOUNT}/sessions"
PARTICIPANTS = f"/v1/accounts/{ACCOUNT}/participants"


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer(Emulator(seed=1), idle_timeout=1) as server:
        yield server


@pytest.fixture
def http(server) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=server.base_url.removesuffix("/v1"),
        auth=("user", "password"),
        trust_env=False,
        timeout=30,
    ) as http:
        yield http


def port_of(server: EmulatorServer) -> int:
    return httpx.URL(server.base_url).port or 0


def said_to(server: EmulatorServer, content: bytes) -> bytes:
    """Send bytes, and return all bytes received until the connection closes."""
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=30) as connection:
        connection.sendall(content)
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
    return received


def is_empty(emulator: Emulator) -> bool:
    return emulator.session_ids(ACCOUNT) == emulator.participant_ids(ACCOUNT) == ()


@pytest.mark.parametrize(
    "body", [pytest.param(body, id=name) for name, body in (BODIES | PARTICIPANT_BODIES).items()]
)
def test_a_bad_body_is_a_documented_400(http, server, capfd, body):
    """Over TCP as in process: the service's error body, no state, no output on stderr."""
    answer = http.post(PARTICIPANTS, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert set(answer.json()) == {"error", "requestId"}
    assert is_empty(server.emulator)
    assert "Traceback" not in answer.text + capfd.readouterr().err


@pytest.mark.parametrize("method", ["PATCH", "OPTIONS", "TRACE", "PUT", "DELETE", "HEAD"])
def test_a_wrong_method_is_the_gateway_s_403(http, server, method):
    """A known path with another method is an unknown route."""
    answer = http.request(method, SESSIONS)
    assert answer.status_code == 403
    if method != "HEAD":
        assert answer.json() == {"message": "Missing Authentication Token"}
    assert is_empty(server.emulator)


def test_the_server_does_not_name_its_software(http):
    """No header names the server software."""
    headers = http.post(SESSIONS).headers
    assert "server" not in headers
    assert "date" in headers


def test_an_unknown_method_is_refused(http, server):
    """An unknown method is refused by the emulator or by the HTTP parser."""
    assert http.request("BREW", SESSIONS).status_code in {400, 403}
    assert is_empty(server.emulator)


@pytest.mark.parametrize(
    "session_id",
    ["%2F", "a%2Fb", "..%2F..", "%2E%2E", "%00", "%FF", "%", "%zz", "a;b", "%C3%28", "\u20ac"],
)
def test_an_id_is_one_segment(server, session_id):
    """Encoded slashes, dots, zeros and broken escapes match no path."""
    request = (
        f"GET {SESSIONS}/{session_id} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Authorization: {basic()}\r\n\r\n"
    )
    status = int(said_to(server, request.encode()).split(b" ")[1])
    # A path that is not ASCII is invalid HTTP.
    assert status == (404 if session_id.isascii() else 400)


GIBBERISH = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "length and chunks": (
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n"
    ),
    "endless header": b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
    "bad chunk": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a zero in a header": b"GET / HTTP/1.1\r\nHost: x\r\nX: \x00\r\n\r\n",
}


@pytest.mark.parametrize(
    "content", [pytest.param(each, id=name) for name, each in GIBBERISH.items()]
)
def test_invalid_http_is_refused_or_cut_off(server, http, content):
    """Invalid HTTP causes a 4xx or a closed connection, no traceback, and no later error."""
    try:
        answer = said_to(server, content)
    except ConnectionError:
        answer = b""
    assert answer == b"" or re.match(rb"HTTP/1\.1 4\d\d ", answer), answer[:200]
    assert b"Traceback" not in answer
    assert is_empty(server.emulator)
    assert http.post(SESSIONS).status_code == 200


SILENCE = {
    "nothing": b"",
    "half a head": b"POST " + SESSIONS.encode() + b" HTTP/1.1\r\nHost: x\r\n",
    "half a body": (
        b"POST " + SESSIONS.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n"
        b"Authorization: " + basic().encode() + b"\r\n\r\n{"
    ),
    "half of a second request": (
        b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\nPOST " + SESSIONS.encode() + b" HTTP/1.1\r\n"
    ),
}


@pytest.mark.parametrize("content", SILENCE.values(), ids=SILENCE)
def test_an_idle_connection_is_closed(server, content, capfd):
    """An idle connection is closed, and the service does not act."""
    assert said_to(server, content).count(b"HTTP/1.1 ") == content.count(b"\r\n\r\nPOST")
    assert is_empty(server.emulator)
    assert capfd.readouterr().err == ""


def test_a_slow_response_is_not_idle(server, http):
    """A delay of the server's own can exceed the idle timeout."""
    server.emulator.faults.add("createSession", delay=2.5)
    assert http.post(SESSIONS).status_code == 200


def test_a_slow_body_is_waited_for(server):
    """A slow body is not idle, although the whole exceeds the timeout."""
    body = b'{"tag":"slow"}'
    head = (
        f"POST {SESSIONS} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Authorization: {basic()}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=0.7) as connection:
        connection.sendall(head.encode())
        for start in range(0, len(body), 4):
            with pytest.raises(TimeoutError):
                connection.recv(1)
            connection.sendall(body[start : start + 4])
        connection.settimeout(30)
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")


async def flood(port: int, number: int) -> int:
    """Open connections, half of them silent; return the number of created sessions.

    It returns when the server has closed every connection.
    """
    request = (
        f"POST {SESSIONS} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n"
        f"Authorization: {basic()}\r\n\r\n"
    ).encode()
    created = 0
    opening = anyio.CapacityLimiter(200)
    all_open = anyio.Event()
    is_open = 0

    async def call(content: bytes) -> None:
        nonlocal created, is_open
        async with opening:
            stream = await anyio.connect_tcp("127.0.0.1", port)
        async with stream:
            is_open += 1
            if is_open == number:
                all_open.set()
            await all_open.wait()
            received = b""
            try:
                if content:
                    await stream.send(content)
                while True:
                    received += await stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                pass
        assert bool(received) == bool(content)
        created += received.startswith(b"HTTP/1.1 200 ")

    async with anyio.create_task_group() as tasks:
        for index in range(number):
            tasks.start_soon(call, request if index % 2 else b"")
    return created


@contextmanager
def many_files(number: int) -> Iterator[None]:
    """Raise this process's limit of open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(number, hard)), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


SERVING = """
import sys, threading
from webrtc_async.emulator import Emulator
from webrtc_async.emulator import EmulatorServer
with EmulatorServer(Emulator(), idle_timeout=20) as server:
    print(server.base_url, flush=True)
    sys.stdin.read()
    print(len(server.emulator.session_ids("9900000")), flush=True)
"""


def test_hundreds_of_connections_half_of_them_silent(capfd):
    """Active clients are served while idle ones are disconnected."""
    with many_files(4_096), EmulatorServer(Emulator(), idle_timeout=5) as server:
        created = anyio.run(flood, port_of(server), 400)
        assert created == len(server.emulator.session_ids(ACCOUNT)) == 200
    assert capfd.readouterr().err == ""


@pytest.mark.flood
def test_ten_thousand_connections_half_of_them_silent():
    """The same with a server in another process, because of the limit of open files."""
    with (
        many_files(12_000),
        subprocess.Popen(
            [sys.executable, "-c", SERVING],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        port = httpx.URL(process.stdout.readline().strip()).port
        created = anyio.run(flood, port, 10_000)
        output, errors = process.communicate("", timeout=60)
    assert created == int(output) == 5_000
    assert errors == ""
