"""The places of faults: a server of raw bytes, a closed port, a proxy."""

import datetime
import functools
import socket
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

import anyio
import anyio.abc
import trustme
from attrs import define, field
from support.scripted import Behaviour, SocketServer, listening, serving
from support.tls import authority, client_side, server_side

from .behaviours import WHOLE, answered

Stage = Callable[[], AbstractAsyncContextManager["Scene"]]

GOOD: Behaviour = answered(b'{"id": "s-1"}', b"Content-Type: application/json")


@define
class Scene:
    """The place of a fault.

    Attributes:
        base_url: The service's URL for the client.
        settings: The client's other settings.
        fault: The behaviour for each request.
        server: The server that gets the requests, if any.
        counted: Returns the number of times that the fault was applied.
    """

    base_url: str
    settings: dict[str, Any] = field(factory=dict)
    fault: Behaviour | None = None
    server: SocketServer | None = None
    counted: Callable[[], int] | None = None

    @property
    def seen(self) -> int:
        """The number of requests, or of connections if no request gets through."""
        if self.counted is not None:
            return self.counted()
        return 0 if self.server is None else len(self.server.requests)

    def meet(self, *behaviours: Behaviour | None) -> None:
        """Apply these faults to the next requests, the last one for ever; None is the fault."""
        if self.server is not None and self.fault is not None:
            self.server.behaviours = [each or self.fault for each in behaviours]


def wire(
    fault: Behaviour, *, keeps_alive: bool = False, tls: Callable[[], ssl.SSLContext] | None = None
) -> Stage:
    """Set up a server that applies the fault to every request."""

    @asynccontextmanager
    async def stage() -> AsyncIterator[Scene]:
        context = None if tls is None else tls()
        async with serving(fault, tls=context, keeps_alive=keeps_alive) as server:
            yield Scene(server.url(), fault=fault, server=server)

    return stage


@asynccontextmanager
async def nobody() -> AsyncIterator[Scene]:
    """Set up a bound port without a listener, so that connections are refused."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield Scene(f"http://127.0.0.1:{taken.getsockname()[1]}/v1")


@asynccontextmanager
async def no_such_host() -> AsyncIterator[Scene]:
    """Return a host name without an address."""
    yield Scene("http://nowhere.invalid/v1")


@asynccontextmanager
async def black_hole() -> AsyncIterator[Scene]:
    """Set up a port whose queue is full, so that a connect never finishes."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        yield Scene(f"http://127.0.0.1:{full.getsockname()[1]}/v1")


def bare(serve: Callable[[anyio.abc.ByteStream], Any], scheme: str = "https") -> Stage:
    """Set up a server that speaks no HTTP, and count its connections."""

    @asynccontextmanager
    async def stage() -> AsyncIterator[Scene]:
        count = 0

        async def counting(stream: anyio.abc.ByteStream) -> None:
            nonlocal count
            count += 1
            async with stream:
                await serve(stream)

        async with listening(counting) as port:
            yield Scene(f"{scheme}://127.0.0.1:{port}/v1", counted=lambda: count)

    return stage


def shaking_hands(tls: Callable[[], ssl.SSLContext]) -> Stage:
    """Set up a server that refuses handshakes like OpenSSL, with OpenSSL's alert.

    anyio's TLS listener closes without the alert.
    """

    async def serve(stream: anyio.abc.ByteStream) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        secured = tls().wrap_bio(incoming, outgoing, server_side=True)
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError, ssl.SSLError):
            while True:
                try:
                    secured.do_handshake()
                except ssl.SSLWantReadError:
                    pass
                finally:
                    await stream.send(outgoing.read())
                incoming.write(await stream.receive())
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
            # A close with unread bytes is a reset, which can lose the alert.
            while True:
                await stream.receive()

    return bare(serve)


async def cut_off(stream: anyio.abc.ByteStream) -> None:
    """Read the start of a handshake, and close."""
    await stream.receive()


def alert(number: int) -> Callable[[anyio.abc.ByteStream], Any]:
    """Send a fatal TLS alert (RFC 8446, section 6), as for an invalid handshake."""

    async def send(stream: anyio.abc.ByteStream) -> None:
        await stream.receive()
        await stream.send(bytes((0x15, 3, 1, 0, 2, 2, number)))

    return send


async def answer_plainly(stream: anyio.abc.ByteStream) -> None:
    """Respond to a handshake like an HTTP server without TLS."""
    await stream.receive()
    await stream.send(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


def behind_proxy(fault: Behaviour) -> Stage:
    """Set up a proxy that applies the fault to every CONNECT."""

    @asynccontextmanager
    async def stage() -> AsyncIterator[Scene]:
        async with serving(fault) as proxy:
            settings = {"proxy": f"http://127.0.0.1:{proxy.port}"}
            yield Scene("https://service.example/v1", settings, fault, proxy)

    return stage


trusting = functools.cache(client_side)


@functools.cache
def certificate(
    name: str = "127.0.0.1", *, is_known: bool = True, is_expired: bool = False
) -> ssl.SSLContext:
    """Return the TLS settings of a server with a certificate."""
    issuer = authority() if is_known else trustme.CA()
    ended = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC) if is_expired else None
    started = datetime.datetime(2019, 1, 1, tzinfo=datetime.UTC) if is_expired else None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert(name, not_before=started, not_after=ended).configure_cert(context)
    return context


@functools.cache
def demanding(latest: ssl.TLSVersion) -> ssl.SSLContext:
    """Return the TLS settings of a server that requires a client certificate."""
    context = server_side("127.0.0.1")
    authority().configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = latest
    return context


@functools.cache
def outdated(version: ssl.TLSVersion, ciphers: str) -> ssl.SSLContext:
    """Return the TLS settings of a server with outdated TLS."""
    context = server_side("127.0.0.1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    context.set_ciphers(ciphers)
    return context


STRAY = WHOLE.replace(b"s-1", b"bad")
"""A response without a request."""
