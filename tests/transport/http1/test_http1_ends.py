"""Where a response ends, on asyncio and uvloop, with and without TLS."""

from contextlib import nullcontext, suppress
from functools import partial
from typing import Any

import anyio
import anyio.abc
import httpx
import pytest
from anyio.streams.tls import TLSStream
from support.backends import event_loops
from support.calling import BODY, OK
from support.calling import calling as calling_over
from support.scripted import Behaviour, raw, serving
from support.tls import client_side, server_side

from webrtc_async import AsyncWebRtcClient, Participant, UnknownOutcomeError

pytestmark = [pytest.mark.anyio, event_loops()]

# The own pool is the default, whichever library the other tests use.
calling = partial(calling_over, http_library=None)

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
LISTED = b'[{"id": "p-1"}]'


def ended_by_tls(content: bytes) -> Behaviour:
    """Send bytes and end the connection by TLS's close_notify."""

    async def send(stream: anyio.abc.ByteStream, _: bytes) -> None:
        await stream.send(content)
        assert isinstance(stream, TLSStream)
        # The client closes without a close_notify of its own.
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
            await stream.unwrap()

    return send


def hooked(client: AsyncWebRtcClient) -> AsyncWebRtcClient:
    """Add an event hook, so that every request goes through `AsyncClient.send`."""

    async def do_nothing(_: object) -> None:
        pass

    client.http_client.event_hooks["request"].append(do_nothing)
    return client


WAYS: dict[str, dict[str, Any]] = {
    "direct": {},
    "send": {},
    "httpx": {"http_library": "httpx"},
    "httpx2": {"http_library": "httpx2"},
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_cut_connection_ends_no_body(way: str) -> None:
    """A body that only the end of TLS can end is lost if TLS did not end: no list, nobody, done."""
    # The server of these tests closes without a close_notify.
    calls = {
        "get_session": {"session_id": "s-1"},
        "list_session_participants": {"session_id": "s-1"},
        "get_participant_subscriptions": {"session_id": "s-1", "participant_id": "p-1"},
        "delete_session": {"session_id": "s-1"},
        "create_session": {},
    }
    async with serving(raw(HEAD), tls=server_side("127.0.0.1")) as server:
        settings = {"ssl_context": client_side(), **WAYS[way]}
        async with calling(server.url("https"), **settings) as client:
            for name, values in calls.items():
                asked = hooked(client) if way == "send" else client
                with pytest.raises(UnknownOutcomeError, match="close_notify") as caught:
                    await getattr(asked, name)(**values)
                assert caught.value.status == 200


@pytest.mark.parametrize("way", WAYS)
async def test_tls_ends_a_body(way: str) -> None:
    """A body without a length is whole if TLS's close_notify ends it."""
    behaviours = [ended_by_tls(HEAD + body) for body in (LISTED, b"", b"")]
    results = []
    async with serving(*behaviours, tls=server_side("127.0.0.1")) as server:
        for name in ("list_session_participants", "list_session_participants", "delete_session"):
            # httpx would keep a connection whose TLS has ended, so each call has its own client.
            settings = {"ssl_context": client_side(), **WAYS[way]}
            async with calling(server.url("https"), **settings) as client:
                asked = hooked(client) if way == "send" else client
                results.append(await getattr(asked, name)("s-1"))
    assert results == [[Participant(id="p-1")], [], None]


@pytest.mark.parametrize("end", ["length", "length, cut", "tcp", "tls", "cut"])
@pytest.mark.parametrize("size", [300_000, 600_000])
async def test_a_slow_reader_loses_nothing(end: str, size: int) -> None:
    """However a body ends, a reader that comes late gets all of it, and the next call is served."""
    body, arrived = b"x" * size, anyio.Event()
    length = b"Content-Length: %d\r\n" % size if end.startswith("length") else b""
    whole = b"HTTP/1.1 200 OK\r\n" + length + b"\r\n" + body

    async def send(stream: anyio.abc.ByteStream, request: bytes) -> None:
        await stream.send(whole)
        arrived.set()
        if end == "tls":
            await ended_by_tls(b"\n")(stream, request)

    tls = server_side("127.0.0.1") if end in {"length, cut", "tls", "cut"} else None
    received = b""
    async with serving(send, OK, tls=tls, keeps_alive=end == "length") as server:
        url = server.url("https" if tls else "http")
        async with calling(url, ssl_context=client_side()) as client:
            async with client.http_client.stream("GET", url) as response:
                await arrived.wait()
                await anyio.wait_all_tasks_blocked()
                cut = pytest.raises(httpx.RemoteProtocolError, match="close_notify")
                with cut if end == "cut" else nullcontext():
                    async for chunk in response.aiter_raw():
                        received += chunk
                        await anyio.wait_all_tasks_blocked()
            assert received.rstrip(b"\n") == body
            assert (await client.get_session("s-1")).id == "s-1"
        assert server.connections == (1 if end == "length" else 2)


CHUNKED = b"d\r\n" + BODY + b"\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "late"),
    [
        (b"204 No Content\r\nContent-Length: 13", BODY),
        (b"204 No Content\r\nTransfer-Encoding: chunked", CHUNKED),
        (b"304 Not Modified\r\nContent-Length: 13", BODY),
        (b"304 Not Modified\r\nTransfer-Encoding: chunked", CHUNKED),
    ],
)
@pytest.mark.parametrize("is_secure", [False, True])
async def test_a_body_where_none_can_be_is_no_answer(
    head: bytes, late: bytes, is_secure: bool
) -> None:
    """The body of a 204 or 304, even a late one, is never read as the next response."""
    client_is_done = anyio.Event()

    async def send(stream: anyio.abc.ByteStream, _: bytes) -> None:
        await stream.send(b"HTTP/1.1 " + head + b"\r\n\r\n")
        await client_is_done.wait()
        await stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n" + late)

    tls = server_side("127.0.0.1") if is_secure else None
    async with serving(send, OK, tls=tls, keeps_alive=True) as server:
        url = server.url("https" if is_secure else "http")
        async with calling(url, ssl_context=client_side()) as client:
            with suppress(Exception):
                await client.delete_session("s-1")
            client_is_done.set()
            assert (await client.get_session("s-1")).id == "s-1"
        assert server.connections == 2


async def test_a_response_with_two_framings_is_read_once() -> None:
    """A response with a length and chunks is read as chunks, and its connection is not kept."""
    both = raw(
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED
    )
    async with serving(both, keeps_alive=True) as server, calling(server.url()) as client:
        for _ in range(2):
            assert (await client.get_session("s-1")).id == "s-1"
        assert server.connections == 2
