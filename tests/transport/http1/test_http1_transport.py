"""The package's HTTP/1.1 transport on real sockets: no mixed responses, clean cancellations."""

import asyncio
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import httpcore
import httpx
import pytest
from support.backends import JumpingLoop
from support.calling import BODY, OK
from support.calling import calling as calling_over
from support.scripted import (
    Behaviour,
    SocketServer,
    client_of,
    http,
    policy,
    raw,
    serving,
    stay_silent,
)
from support.tls import client_side, server_side

from webrtc_async._protocol.wire import WireRequest
from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async._transport.http1.connection import (
    Http1Connection,
    Origin,
    ReusedConnectionError,
)
from webrtc_async._transport.http1.pool import Http1Pool
from webrtc_async._transport.http1.response import Http1Response
from webrtc_async._transport.http1.transport import PooledTransport
from webrtc_async.errors import ConnectionFailedError, TransportError, UnknownOutcomeError
from webrtc_async.errors.outcome import Outcome, Stage
from webrtc_async.models import Session

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio alone, the only backend of this transport."""
    return "asyncio"


# It is the default, whichever library the other tests use.
calling = partial(calling_over, http_library=None)


def transport_of(**settings: Any) -> PooledTransport:
    """Return a transport with the given settings."""
    return PooledTransport(**{"max_connections": 10, "keep_alive": 20.0, **settings})


def idle_in(pool: Http1Pool) -> int:
    """Return the number of idle connections of a pool."""
    return sum(map(len, vars(pool)["_idle"].values()))


async def get(
    transport: PooledTransport, server: SocketServer, *, content: bytes = b"", **settings: Any
) -> tuple[int, bytes]:
    """Make a request, and return its status and body."""
    state = settings.pop("state", AttemptState("test"))
    request = WireRequest("POST" if content else "GET", server.url(), content=content)
    timeouts = settings.get("attempt_timeout"), settings.get("connect_timeout")
    response = await transport.send(request, state, *timeouts)
    head = await response.head()
    return head.status, await body_of(response)


async def body_of(response: Http1Response) -> bytes:
    """Read a response to its end."""
    chunks: list[bytes] = []

    def accept(chunk: bytes) -> bool:
        chunks.append(chunk)
        return True

    await response.receive(accept)
    return b"".join(chunks)


CONNECT_AND_READ = httpx.Timeout(None, connect=0.1, read=0.1)


def descriptors() -> int:
    """Return the number of open file descriptors; 0 if the system does not tell."""
    listed = Path("/proc/self/fd")
    return len(os.listdir(listed)) if listed.exists() else 0


# Separate responses


async def test_an_extra_response_reaches_no_request() -> None:
    """An unrequested response is never taken for the next one, whether sent at once or later."""
    stray = b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n" + b'{"id": "strange"}'[:16]

    async def answer_twice(stream: anyio.abc.ByteStream, request: bytes) -> None:
        await OK(stream, request)
        await stream.send(stray)

    both = raw(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b%b" % (len(BODY), BODY, stray))
    async with (
        serving(both, answer_twice, OK, keeps_alive=True) as server,
        calling(server.url()) as client,
    ):
        for _ in range(4):
            assert (await client.get_session("s-1")).id == "s-1"
            await anyio.wait_all_tasks_blocked()
        assert server.connections == 3


async def test_bytes_without_a_request_close_a_connection() -> None:
    """Bytes on an idle connection close it before the next request is sent."""
    said = anyio.Event()

    async def speak_up(stream: anyio.abc.ByteStream, request: bytes) -> None:
        await OK(stream, request)
        await client_is_idle.wait()
        await stream.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        said.set()

    client_is_idle = anyio.Event()
    async with serving(speak_up, OK, keeps_alive=True) as server, calling(server.url()) as client:
        await client.get_session("s-1")
        client_is_idle.set()
        await said.wait()
        assert (await client.get_session("s-1")).id == "s-1"
        assert (server.connections, len(server.requests)) == (2, 2)


async def test_a_create_on_a_stale_connection_is_not_repeated() -> None:
    """If a kept connection closes without a response, a create says so and is not repeated."""

    async def close(stream: anyio.abc.ByteStream, _: bytes) -> None:
        await stream.aclose()

    async with serving(OK, close, keeps_alive=True) as server:
        async with calling(server.url(), retry=policy()) as client:
            await client.get_session("s-1")
            with pytest.raises(UnknownOutcomeError, match="kept from an earlier call") as caught:
                await client.create_session()
        assert len(server.requests) == 2
    assert isinstance(caught.value.__cause__, ReusedConnectionError)
    assert caught.value.outcome is Outcome.UNKNOWN


async def test_a_connection_closed_before_the_request_sent_nothing() -> None:
    """If the connection closes before the request, the outcome is "not sent"."""
    async with serving(OK, keeps_alive=True) as server:
        transport, state = transport_of(), AttemptState("test")
        pool = transport.bind_to_loop()
        origin = Origin("http", "127.0.0.1", server.port)
        connection = await pool.acquire(origin, None, state)
        connection.abort()
        state.is_traced = True
        with pytest.raises(httpx.WriteError):
            connection.begin("GET", b"GET / HTTP/1.1\r\n\r\n", state, None)
        assert (state.stage, state.outcome) == (Stage.CONNECTING, Outcome.NOT_SENT)
        assert (pool.size, idle_in(pool)) == (0, 0)
        await transport.aclose()


async def test_the_stage_follows_the_bytes_written() -> None:
    """The stage is SENDING until the kernel has taken the last byte, and AWAITING after that."""
    may_read, state = anyio.Event(), AttemptState("test")
    content = b"x" * 20_000_000

    async def read_later(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await may_read.wait()
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(len(content))
        assert state.stage is Stage.AWAITING
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(read_later, "127.0.0.1", 0)
    scripted = SocketServer([], port=server.sockets[0].getsockname()[1])
    transport = transport_of()
    async with server, anyio.create_task_group() as tasks:
        answers: list[tuple[int, bytes]] = []

        async def send() -> None:
            answers.append(await get(transport, scripted, content=content, state=state))

        tasks.start_soon(send)
        while state.stage in {Stage.QUEUED, Stage.CONNECTING}:
            await anyio.lowlevel.checkpoint()
        assert (state.stage, state.outcome) == (Stage.SENDING, Outcome.UNKNOWN)
        may_read.set()
    assert answers == [(200, b"ok")]
    await transport.aclose()


async def test_an_early_response_is_read() -> None:
    """A refusal sent before the whole request is read; its connection is not reused."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        with suppress(ConnectionError):
            await reader.read()
        writer.close()
        served.set()

    served = anyio.Event()
    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    scripted = SocketServer([], port=server.sockets[0].getsockname()[1])
    transport = transport_of()
    async with server:
        assert await get(transport, scripted, content=b"x" * 20_000_000) == (413, b"no")
        assert transport.bind_to_loop().size == 0
        await served.wait()
        await transport.aclose()


# TLS


@pytest.mark.parametrize("tickets", [0, 2])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_sequential_calls_share_one_tls_connection(
    version: ssl.TLSVersion, tickets: int
) -> None:
    """A kept TLS connection carries the next call, for every version of TLS."""
    tls = server_side("127.0.0.1")
    tls.minimum_version = tls.maximum_version = version
    tls.num_tickets = tickets
    async with serving(OK, tls=tls, keeps_alive=True) as server:
        async with calling(server.url("https"), ssl_context=client_side()) as client:
            for _ in range(20):
                assert (await client.get_session("s-1")).id == "s-1"
        assert server.connections == 1


# Bodies


@pytest.mark.parametrize("is_secure", [False, True])
async def test_long_bodies_in_both_directions(is_secure: bool) -> None:
    """Bodies of megabytes arrive whole in both directions, even if the reader is slow."""
    long = Session(tag="x" * 3_000_000)
    tag = b'{"id": "s-1", "tag": "%b"}' % (b"y" * 3_000_000)
    tls = server_side("127.0.0.1") if is_secure else None
    settings = {"ssl_context": client_side()} if is_secure else {}
    async with serving(http(200, tag), tls=tls, keeps_alive=True) as server:
        url = server.url("https" if is_secure else "http")
        async with calling(url, **settings) as client:
            for _ in range(2):
                assert (await client.create_session(long)).tag == "y" * 3_000_000
        assert server.connections == 1
        assert len(server.requests[0]) > 3_000_000


@pytest.mark.parametrize(
    "behaviour",
    [
        raw(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n" + BODY + b"\r\n0\r\n\r\n"
        ),
        raw(
            b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n", BODY
        ),
        raw(b"HTTP/1.0 200 OK\r\n\r\n" + BODY),
        raw(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", BODY),
    ],
    ids=["chunked", "continued", "1.0", "until closed"],
)
async def test_unusual_responses_are_read(behaviour: Behaviour) -> None:
    """The transport reads every form of body that HTTP/1 allows."""
    async with serving(behaviour) as server, calling(server.url()) as client:
        assert (await client.get_session("s-1")).id == "s-1"


async def test_an_unread_body_is_buffered_up_to_a_bound() -> None:
    """The transport reads a body on demand, and buffers a bounded part of an unread one."""
    loop = asyncio.get_running_loop()
    near, far = socket.socketpair()
    far.setblocking(False)
    with far:
        _, connection = await loop.create_connection(
            lambda: Http1Connection(loop, Origin("http", "x", 80)), sock=near
        )
        response = connection.begin("GET", b"GET / HTTP/1.1\r\n\r\n", AttemptState("test"), None)
        left = memoryview(bytes(8_000_000))
        await loop.sock_sendall(far, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(left))
        turns_without_room = 0
        while left and turns_without_room < 20:
            try:
                left = left[far.send(left) :]
                turns_without_room = 0
            except BlockingIOError:
                turns_without_room += 1
                await asyncio.sleep(0)
        assert len(left) > 4_000_000
        sending = asyncio.create_task(loop.sock_sendall(far, left))
        assert len(await body_of(response)) == 8_000_000
        await sending
        connection.abort()


async def test_an_unusual_path_in_the_base_url_is_quoted() -> None:
    """Both transports percent-encode the same characters of a base URL's path."""
    for http_library in (None, "httpx"):
        async with serving(OK) as server:
            url = server.url() + "/{a}"
            async with calling(url, http_library=http_library) as client:
                await client.get_session("s-1")
        target = server.requests[0].split()[1]
        assert target == b"/v1/%7Ba%7D/accounts/9900000/sessions/s-1"


# Cancellation, timeouts, slots


async def test_a_cancellation_at_any_point_leaves_no_trace() -> None:
    """A call cancelled after any number of loop turns returns its one connection."""
    async with serving(OK, keeps_alive=True) as server:
        async with calling(server.url(), max_connections=1) as client:
            is_cancelled = True
            turns = 0
            while is_cancelled:
                task = asyncio.create_task(client.get_session("s-1"))
                for _ in range(turns):
                    await asyncio.sleep(0)
                is_cancelled = task.cancel()
                await asyncio.wait([task])
                with anyio.fail_after(10):
                    assert (await client.get_session("s-1")).id == "s-1"
                turns += 1
        assert turns > 3


async def test_a_thousand_calls_over_ten_connections_go_in_order() -> None:
    """Ten connections serve a thousand calls in the order of their requests."""
    async with serving(OK, keeps_alive=True) as server:
        async with (
            calling(server.url(), max_connections=10) as client,
            anyio.create_task_group() as tasks,
        ):
            for number in range(1000):
                tasks.start_soon(client.get_session, f"s-{number}")
        assert server.connections <= 10
        asked = [int(request.split(b" ")[1].rpartition(b"s-")[2]) for request in server.requests]
    assert len(asked) == 1000
    # The first ten wait for connections of their own, and not for each other.
    queued = [number for number in asked if number >= 10]
    assert all(abs(number - place) <= 10 for place, number in enumerate(queued, 10))


async def test_no_socket_is_left() -> None:
    """Calls, failures, cancellations and a close leave no file descriptor open."""
    before = descriptors()
    async with serving(OK, OK, stay_silent, keeps_alive=True) as server:
        chosen = policy(attempts=1, attempt_timeout=None)
        async with (
            calling(server.url(), retry=chosen, deadline=0.2) as client,
            anyio.create_task_group() as tasks,
        ):

            async def call() -> None:
                with suppress(TransportError):
                    await client.get_session("s-1")

            for _ in range(20):
                tasks.start_soon(call)
        await anyio.wait_all_tasks_blocked()
    assert descriptors() <= before


async def test_an_idle_connection_is_closed_in_time() -> None:
    """A connection is closed after keep_alive seconds without use; the others stay open."""
    ended = anyio.Event()

    async def until_closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b"":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            if await reader.read(1) == b"":
                break
        ended.set()
        writer.close()

    server = await asyncio.start_server(until_closed, "127.0.0.1", 0)
    scripted = SocketServer([], port=server.sockets[0].getsockname()[1])
    transport = transport_of(keep_alive=0.05)
    async with server:
        assert await get(transport, scripted) == (200, b"ok")
        pool = transport.bind_to_loop()
        assert idle_in(pool) == 1
        with anyio.fail_after(10):
            await ended.wait()
        assert (idle_in(pool), pool.size) == (0, 0)
        await transport.aclose()


async def test_an_exchange_has_its_own_bound() -> None:
    """A request that exceeds its timeout fails alone; a later one with more time succeeds."""

    async def slowly(stream: anyio.abc.ByteStream, request: bytes) -> None:
        await anyio.sleep(0.1)
        await OK(stream, request)

    async with serving(OK, OK, slowly, stay_silent, keeps_alive=True) as server:
        transport = transport_of()
        for longest in (30.0, 0.05, 30.0):
            assert await get(transport, server, attempt_timeout=longest) == (200, BODY)
        with pytest.raises(httpx.ReadTimeout):
            await get(transport, server, attempt_timeout=0.05)
        await transport.aclose()
        with pytest.raises(httpx.LocalProtocolError):
            await transport.handle_async_request(httpx.Request("GE T", server.url()))


def test_a_bound_ends_with_its_exchange() -> None:
    """A timeout that passes after its response leaves the connection as it is."""

    async def test() -> None:
        loop = asyncio.get_running_loop()
        near, far = socket.socketpair()
        with far:
            _, connection = await loop.create_connection(
                lambda: Http1Connection(loop, Origin("http", "x", 80)), sock=near
            )
            pool = Http1Pool(loop, no_other, max_connections=1, keep_alive=60)
            connection.owner = pool
            for bound in (5.0, None):
                response = connection.begin("GET", b"GET", AttemptState("test"), bound)
                far.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                assert (await response.head()).status == 200
                await asyncio.sleep(30)
                assert connection.is_quiet()
            pool.close()

    async def no_other(origin: Origin, longest: float | None) -> Http1Connection:
        raise AssertionError

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(test())


# As httpx's transport


async def test_httpx_s_client_works_over_it() -> None:
    """`httpx.AsyncClient` streams in both directions over it."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    async with (
        serving(http(200, b"hello", X_Id="1"), keeps_alive=True) as server,
        httpx.AsyncClient(transport=transport_of(), timeout=httpx.Timeout(None, read=5)) as client,
    ):
        response = await client.post(server.url(), content=pieces())
        assert (response.status_code, response.text, response.headers["x-id"]) == (
            200,
            "hello",
            "1",
        )
        assert (response.reason_phrase, response.http_version) == ("Scripted", "HTTP/1.1")
        async with client.stream("GET", server.url()) as streamed:
            assert [chunk async for chunk in streamed.aiter_bytes()] == [b"hello"]
        assert server.requests[0].endswith(b"\r\n\r\nonetwo")
        assert b"transfer-encoding" not in server.requests[0].lower()
        assert server.connections == 1
        with pytest.raises(httpx.UnsupportedProtocol):
            await client.get("gopher://127.0.0.1/")


@pytest.mark.parametrize(
    "behaviour", [stay_silent, raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")]
)
async def test_httpx_s_read_timeout_counts(behaviour: Behaviour) -> None:
    """A server silent for longer than httpx's timeout causes httpx's ReadTimeout."""

    async def then_silence(stream: anyio.abc.ByteStream, request: bytes) -> None:
        await behaviour(stream, request)
        await anyio.sleep_forever()

    async with (
        serving(then_silence) as server,
        httpx.AsyncClient(transport=transport_of(), timeout=CONNECT_AND_READ) as client,
    ):
        with pytest.raises(httpx.ReadTimeout):
            await client.get(server.url())


async def test_a_handshake_that_hangs_is_a_connect_timeout() -> None:
    """The connect timeout covers the TLS handshake."""
    async with (
        serving(stay_silent) as server,
        httpx.AsyncClient(transport=transport_of(), timeout=CONNECT_AND_READ) as client,
    ):
        with pytest.raises(httpx.ConnectTimeout):
            await client.get(server.url("https"))


# Host names


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_host_name_is_resolved_and_verified(scheme: str) -> None:
    """Any address of the host serves; over TLS the certificate must match the name."""
    tls = server_side("localhost") if scheme == "https" else None
    settings = {"ssl_context": client_side()} if tls else {}
    async with (
        serving(OK, tls=tls) as server,
        calling(server.url(scheme, "localhost"), **settings) as client,
    ):
        assert (await client.get_session("s-1")).id == "s-1"


async def test_a_name_without_an_address_is_a_failed_connection() -> None:
    """A host without an address is retried like a refused connection, and the error names it."""
    async with calling("http://nowhere.invalid") as client:
        with pytest.raises(ConnectionFailedError, match=r"nowhere\.invalid") as caught:
            await client.get_session("s-1")
    assert caught.value.outcome is Outcome.NOT_SENT


# The choice of transport


async def test_the_own_transport_serves_by_default() -> None:
    """By default, direct connections on asyncio use the package's own transport."""
    async with serving(OK) as server, calling(server.url()) as client:
        await client.get_session("s-1")
        assert "over its own HTTP/1.1 transport" in repr(client)
        # httpx would send more headers.
        assert b"accept: */*" not in server.requests[0].lower()


@pytest.mark.parametrize("settings", [{"http_library": "httpx"}, {"proxy": "http://127.0.0.1:1"}])
async def test_httpx_serves_when_asked_to(settings: Any) -> None:
    """http_library="httpx" and a proxy make httpx send every request."""
    async with serving(OK) as server, calling(server.url(), **settings) as client:
        if "proxy" in settings:
            with pytest.raises(ConnectionFailedError):
                await client.get_session("s-1")
        else:
            await client.get_session("s-1")
        assert "over httpx," in repr(client)


async def test_the_environment_s_proxy_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the environment has a proxy for a remote service, httpx sends the requests."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    async with calling("https://service.example/v1") as client:
        assert "over httpx," in repr(client)
    monkeypatch.delenv("HTTPS_PROXY")
    monkeypatch.setenv("NO_PROXY", "example")
    for variable in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    async with calling("https://service.example/v1") as client:
        assert "over its own HTTP/1.1 transport," in repr(client)


REPLACED = [
    (httpx.AsyncHTTPTransport, "handle_async_request", "httpx"),
    (httpcore.AsyncConnectionPool, "handle_async_request", "httpx"),
    (httpx.AsyncClient, "send", "its own HTTP/1.1 transport"),
    (httpx.AsyncClient, "_send_single_request", "its own HTTP/1.1 transport"),
    (httpx.AsyncClient, "_transport_for_url", "its own HTTP/1.1 transport"),
]


@pytest.mark.parametrize(("owner", "name", "over"), REPLACED)
async def test_a_replaced_method_sees_calls(
    owner: type, name: str, over: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A patched method of httpx or httpcore is called from the next call on."""
    seen: list[object] = []
    original: Any = getattr(owner, name)

    def watch(self: Any, request: Any, **settings: Any) -> Any:
        seen.append(request)
        return original(self, request, **settings)

    async with serving(OK, keeps_alive=True) as server, calling(server.url()) as client:
        await client.get_session("s-1")
        monkeypatch.setattr(owner, name, watch)
        await client.get_session("s-1")
        assert f"over {over}," in repr(client)
        monkeypatch.undo()
        await client.get_session("s-1")
        assert len(server.requests) == 3
    assert len(seen) == 1


async def test_a_callable_object_in_place_of_a_method_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A patch may be any callable object, even one with the name of the original."""
    seen: list[str] = []
    original = httpx.AsyncClient.send

    class Wrapper:
        __module__, __name__ = "httpx", "send"

        async def __call__(self, request: httpx.Request, **settings: Any) -> httpx.Response:
            seen.append(request.method)
            return await original(client.http_client, request, **settings)

    async with serving(OK) as server, calling(server.url()) as client:
        monkeypatch.setattr(httpx.AsyncClient, "send", Wrapper())
        await client.get_session("s-1")
    assert seen == ["GET"]


async def test_a_given_transport_serves() -> None:
    """A user's own transport serves every request."""
    async with client_of() as client:
        assert "over the http_client or transport that was given" in repr(client)


ON_ANOTHER_SYSTEM = """
import os, select, sys
del os.fork, os.register_at_fork, select.poll
sys.path.insert(0, {tests!r})
import asyncio
from support.scripted import client_of, http, serving

async def main():
    async with serving(http(200, b'{{"id":"s-1"}}')) as server:
        async with client_of(transport=None, base_url=server.url()) as client:
            print((await client.get_session("s-1")).id, client)

asyncio.run(main())
"""


def test_httpx_serves_systems_without_poll() -> None:
    """On a system without fork and poll, such as Windows, httpx sends the requests."""
    program = ON_ANOTHER_SYSTEM.format(tests=str(Path(__file__).parents[2]))
    ran = subprocess.run(
        [sys.executable, "-c", program], check=True, timeout=30, capture_output=True, text=True
    )
    assert ran.stdout.startswith("s-1 ")
    assert "over httpx," in ran.stdout


# Processes


def test_a_fork_inherits_no_connection() -> None:
    """A forked process opens new connections and leaves the parent's alone."""
    program = """
import asyncio, os, sys
from webrtc_async._protocol.wire import WireRequest
from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async._transport.http1.transport import PooledTransport

async def serve(reader, writer):
    while await reader.readline():
        while (await reader.readline()).strip():
            pass
        writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
    writer.close()

async def get(transport, port):
    request = WireRequest("GET", f"http://127.0.0.1:{port}/")
    response = await transport.send(request, AttemptState("x"), None, None)
    return (await response.head()).status

async def parent():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport = PooledTransport(max_connections=1, keep_alive=20.0)
    assert await get(transport, port) == 200
    first = transport.bind_to_loop()
    if (child := os.fork()) == 0:
        async def look():
            return transport.bind_to_loop() is not first
        os._exit(0 if asyncio.run(look()) else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0
    assert transport.bind_to_loop() is first
    assert await get(transport, port) == 200
    await transport.aclose()

asyncio.run(parent())
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
