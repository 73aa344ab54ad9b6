"""Connections over TLS: kept for every kind of TLS, and resumed when they are replaced."""

import asyncio
import ssl
from typing import Any

import anyio.abc
import pytest
from anyio.streams.tls import TLSAttribute
from support.backends import event_loops
from support.calling import BODY, OK, calling
from support.scripted import http, serving
from support.tls import SETUPS, TlsSetup, client_side, server_side

from webrtc_async import TlsError
from webrtc_async._transport.http1.connection import Origin
from webrtc_async._transport.http1.tls_sessions import TlsSessions

pytestmark = [pytest.mark.anyio, event_loops()]

each_setup = pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS)
LAST = http(200, BODY, Connection="close")


@each_setup
@pytest.mark.parametrize(
    ("way", "calls"),
    [("direct", 50), ("send", 50), pytest.param("direct", 1000, marks=pytest.mark.slow)],
)
async def test_sequential_calls_share_one_connection(setup: TlsSetup, way: str, calls: int) -> None:
    """Calls one after another open one connection, with every kind of TLS."""

    async def do_nothing(_: object) -> None:
        pass

    async with serving(setup.speak(OK), tls=setup.context(), keeps_alive=True) as server:
        settings = {"ssl_context": client_side(), "http_library": None}
        async with calling(server.url("https"), **settings) as client:
            if way == "send":
                client.http_client.event_hooks["request"].append(do_nothing)
            for _ in range(calls):
                assert (await client.get_session("s-1")).id == "s-1"
        assert (server.connections, len(server.requests)) == (1, calls)


@each_setup
async def test_a_new_connection_resumes_the_session(setup: TlsSetup) -> None:
    """A connection that replaces another resumes its TLS session, if the server gave one."""
    resumed: list[bool] = []

    async def answer(stream: anyio.abc.ByteStream, request: bytes) -> None:
        resumed.append(bool(stream.extra(TLSAttribute.ssl_object).session_reused))
        await LAST(stream, request)

    async with serving(setup.speak(answer), tls=setup.context()) as server:
        settings = {"ssl_context": client_side(), "http_library": None}
        async with calling(server.url("https"), **settings) as client:
            for _ in range(3):
                await client.get_session("s-1")
    is_possible = setup.version < ssl.TLSVersion.TLSv1_3 or setup.tickets > 0
    assert resumed == [False, is_possible, is_possible]


async def test_a_session_belongs_to_its_server_and_its_settings() -> None:
    """Neither another server nor other TLS settings get a session, and only some are kept."""
    sessions, ours, others = TlsSessions(), client_side(), client_side()
    here, there = (Origin("https", "127.0.0.1", port) for port in (1, 2))
    connected: Any = ours.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="127.0.0.1")
    sessions.note(here, connected)
    assert sessions.resuming(here, ours) is not ours
    assert sessions.resuming(here, others) is others
    assert sessions.resuming(there, ours) is ours
    for port in range(3, 19):
        sessions.note(Origin("https", "127.0.0.1", port), connected)
    assert sessions.resuming(here, ours) is ours


async def test_a_changed_certificate_is_checked_again() -> None:
    """If another server takes over an address, no session spares its certificate the check."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 13\r\n\r\n" + BODY)
        writer.close()

    tls, port = server_side("127.0.0.1"), 0
    server = await asyncio.start_server(answer, "127.0.0.1", port, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    settings = {"ssl_context": client_side(), "http_library": None}
    async with calling(f"https://127.0.0.1:{port}/v1", **settings) as client:
        async with server:
            assert (await client.get_session("s-1")).id == "s-1"
        tls = server_side("elsewhere.example")
        async with await asyncio.start_server(answer, "127.0.0.1", port, ssl=tls):
            with pytest.raises(TlsError, match="not valid for"):
                await client.get_session("s-1")
