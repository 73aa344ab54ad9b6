"""The bytes of faults on raw sockets."""

import asyncio
import json
import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import pytest
import uvicorn
from support.speaking import ACCOUNT, basic
from uvicorn.protocols.http.h11_impl import H11Protocol

from webrtc_async.emulator import Emulator, emulator_app
from webrtc_async.emulator.doors.connection import Connection, idle_timeout_protocol
from webrtc_async.emulator.doors.server import bind
from webrtc_async.emulator.faults.wire_bytes import garbage

PROTOCOLS = [H11Protocol]
"""uvicorn's HTTP parsers: h11 and, if installed, httptools."""
if find_spec("httptools") is not None:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    PROTOCOLS.append(HttpToolsProtocol)

PATIENCE = 10
"""Seconds after which a read without data fails its test."""


class Server(uvicorn.Server):
    """A uvicorn server that signals its start."""

    def __init__(self, emulator: Emulator, base: type) -> None:
        super().__init__(
            uvicorn.Config(
                emulator_app(emulator),
                http=idle_timeout_protocol(base),
                loop="asyncio",
                log_config=None,
                lifespan="off",
                ws="none",
                timeout_graceful_shutdown=1,
            )
        )
        self.has_started = threading.Event()

    async def startup(self, sockets=None) -> None:
        await super().startup(sockets)
        self.has_started.set()


@pytest.fixture(scope="module", params=PROTOCOLS)
def served(request) -> Iterator[tuple[Emulator, int, Server]]:
    emulator = Emulator(seed=1)
    server = Server(emulator, request.param)
    listening = bind("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    assert server.has_started.wait(PATIENCE)
    yield emulator, listening.getsockname()[1], server
    server.should_exit = True
    thread.join()


@pytest.fixture(autouse=True)
def emulator(served, caplog) -> Iterator[Emulator]:
    emulator, _, _ = served
    emulator.reset()
    yield emulator
    # The faults cause no warnings in the server.
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


@pytest.fixture
def wire(served) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", served[1]), timeout=PATIENCE) as connection:
        yield connection


def post(**headers: str) -> bytes:
    lines = [
        f"POST /v1/accounts/{ACCOUNT}/sessions HTTP/1.1",
        "Host: emulator",
        f"Authorization: {basic()}",
        "Content-Length: 0",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def read_to_end(connection: socket.socket) -> bytes:
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received


def read_until(connection: socket.socket, end: bytes) -> list[bytes]:
    """Return the bytes of each read, until the data ends with a suffix."""
    chunks: list[bytes] = []
    while not b"".join(chunks).endswith(end):
        chunk = connection.recv(65536)
        assert chunk, chunks
        chunks.append(chunk)
    return chunks


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def length_in(head: bytes) -> int:
    [length] = re.findall(rb"(?i)content-length: (\d+)", head)
    return int(length)


def assert_serves(connection: socket.socket) -> None:
    """Check that the connection serves a request."""
    connection.sendall(post())
    head, _, body = b"".join(read_until(connection, b"}")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert length_in(head) == len(body)


def test_without_a_fault_nothing_is_wrong(wire):
    """A response is complete, and the connection serves the next request."""
    assert_serves(wire)
    assert_serves(wire)


def test_a_body_is_cut(wire, emulator):
    """The Content-Length is right, fewer bytes follow, and the connection closes."""
    emulator.faults.add(truncate=7)
    wire.sendall(post())
    head, _, body = read_to_end(wire).partition(b"\r\n\r\n")
    assert len(body) == 7
    assert length_in(head) > 7
    assert len(emulator.session_ids(ACCOUNT)) == 1


def test_a_head_is_cut_if_the_body_is_too_short(wire, emulator):
    """If the body is too short to truncate, half of the head is lost."""
    emulator.faults.add(truncate=10_000)
    wire.sendall(post())
    received = read_to_end(wire)
    assert received.startswith(b"HTTP/1.1 200")
    assert b"\r\n\r\n" not in received


@pytest.mark.parametrize("difference", [5, -3])
def test_a_length_is_wrong(wire, emulator, difference):
    """All bytes follow a wrong Content-Length, and the connection stays open."""
    emulator.faults.add(wrong_length=difference, nth=1)
    wire.sendall(post())
    head, _, body = b"".join(read_until(wire, b"}")).partition(b"\r\n\r\n")
    assert json.loads(body)
    assert length_in(head) == len(body) + difference
    assert_serves(wire)


def test_a_response_without_a_body_gets_a_length(wire, emulator):
    """A 204 announces a body that never follows."""
    emulator.faults.add(status=204, nth=1)
    wire.sendall(post())
    assert b"content-length" not in b"".join(read_until(wire, b"\r\n\r\n")).lower()
    assert_serves(wire)
    [session] = emulator.session_ids(ACCOUNT)
    emulator.faults.add("deleteSession", wrong_length=9)
    wire.sendall(
        post().replace(b"POST", b"DELETE").replace(b"sessions", b"sessions/%b" % session.encode())
    )
    head = b"".join(read_until(wire, b"\r\n\r\n"))
    assert head.startswith(b"HTTP/1.1 204")
    assert length_in(head) == 9
    assert_serves(wire)


def test_connection_close_is_obeyed_after_a_fault(wire, emulator):
    """The client's Connection: close is obeyed after a corrupted response."""
    emulator.faults.add(wrong_length=5)
    wire.sendall(post(Connection="close"))
    assert read_to_end(wire).endswith(b"}")


def test_garbage_is_no_http(wire, emulator):
    """The requested number of bytes follows, without a status line, and the connection closes."""
    emulator.faults.add(garbage=300)
    wire.sendall(post())
    received = read_to_end(wire)
    assert received == garbage(300)
    assert len(received) == 300
    assert b"HTTP" not in received


def test_bytes_follow_a_response(wire, emulator):
    """Trailing bytes follow the complete response, before the response to a pipelined request."""
    emulator.faults.add(trailing="<<€>>", nth=1)
    wire.sendall(post() + post(Connection="close"))
    received = read_to_end(wire).split("<<€>>".encode())
    assert len(received) == 2
    for answer in received:
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert length_in(head) == len(body)
    assert len(emulator.session_ids(ACCOUNT)) == 2


@pytest.mark.parametrize(
    ("fields", "sessions"),
    [({"drop": "reset"}, 0), ({"refuse": True}, 0), ({"lose_answer": "reset"}, 1)],
    ids=str,
)
def test_a_reset_is_a_reset(wire, emulator, fields, sessions):
    """No byte follows, and TCP reports a reset."""
    emulator.faults.add(**fields)
    wire.sendall(post())
    with pytest.raises(ConnectionResetError):
        wire.recv(1)
    assert len(emulator.session_ids(ACCOUNT)) == sessions


@pytest.mark.parametrize(
    ("fields", "sessions"), [({"drop": "close"}, 0), ({"lose_answer": "close"}, 1)], ids=str
)
def test_a_close_is_a_close(wire, emulator, fields, sessions):
    """No byte follows, and the connection closes in order."""
    emulator.faults.add(**fields)
    wire.sendall(post())
    assert wire.recv(1) == b""
    assert len(emulator.session_ids(ACCOUNT)) == sessions


def test_a_head_arrives_in_pieces(wire, emulator):
    """The head arrives in several reads, then the whole body."""
    emulator.faults.add(slow_headers=0.5, nth=1)
    wire.sendall(post())
    chunks = read_until(wire, b"}")
    assert len(chunks) > 3
    assert b"\r\n\r\n" not in b"".join(chunks[:3])
    head, _, body = b"".join(chunks).partition(b"\r\n\r\n")
    assert length_in(head) == len(body)
    assert_serves(wire)


def test_a_body_arrives_in_pieces(wire, emulator):
    """The head arrives at once, the body in several reads."""
    emulator.faults.add(slow_body=0.5, nth=1)
    wire.sendall(post())
    [head] = read_until(wire, b"\r\n\r\n")
    chunks = read_until(wire, b"}")
    assert len(chunks) > 3
    assert length_in(head) == len(b"".join(chunks))
    assert_serves(wire)


def test_a_late_response_follows_the_act(wire, emulator):
    """The session exists before the response arrives, which is then complete."""
    emulator.faults.add(delay=0.3, nth=1)
    wire.sendall(post())
    wire.settimeout(0.05)
    while not emulator.session_ids(ACCOUNT):
        with pytest.raises(TimeoutError):
            wire.recv(1)
    wire.settimeout(PATIENCE)
    assert b"".join(read_until(wire, b"}")).startswith(b"HTTP/1.1 200")
    assert_serves(wire)


def test_a_disconnect_ends_the_delay(served, emulator):
    """A client's disconnect ends the delay of a fault."""
    _, port, server = served
    for fields in ({"delay": 3000}, {"slow_headers": 3000}, {"slow_body": 3000}):
        emulator.faults.add(nth=1, **fields)
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as leaving:
            leaving.sendall(post())
            wait_for(lambda: len(server.server_state.tasks) == 1)
        wait_for(lambda: not server.server_state.tasks)


def test_a_fault_affects_its_own_connection_only(wire, served, emulator):
    """A proxy header does not change the connection that is reset."""
    host, port = wire.getsockname()
    assert_serves(wire)
    emulator.faults.add(drop=True, nth=1)
    with socket.create_connection(("127.0.0.1", served[1]), timeout=PATIENCE) as other:
        other.sendall(post(X_Forwarded_For=f"{host}:{port}"))
        with pytest.raises(ConnectionResetError):
            other.recv(1)
    assert_serves(wire)


def test_faults_of_many_connections_are_independent(served, emulator):
    """Of 20 at once, every second response is lost, and the others are complete."""
    for number in range(1, 21, 2):
        emulator.faults.add(nth=number, lose_answer="close")
    connections = [
        socket.create_connection(("127.0.0.1", served[1]), timeout=PATIENCE) for _ in range(20)
    ]
    for each in connections:
        each.sendall(post(Connection="close"))
    answers = [read_to_end(each) for each in connections]
    for each in connections:
        each.close()
    assert sum(answer == b"" for answer in answers) == 10
    assert sum(answer.endswith(b"}") for answer in answers) == 10
    assert len(emulator.session_ids(ACCOUNT)) == 20


@pytest.mark.parametrize("ending", ["reset", "close"])
def test_ending_a_closed_connection_does_nothing(ending):
    """A client's earlier disconnect causes no error in the server."""

    async def end_twice():
        with bind("127.0.0.1", 0) as listening:
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_connection(asyncio.Protocol, *listening.getsockname())
            transport.abort()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            Connection(transport).end(ending)

    asyncio.run(end_twice())
