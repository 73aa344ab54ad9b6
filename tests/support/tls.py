"""TLS settings of servers and clients, by one private certificate authority."""

import functools
import ssl
from collections.abc import Callable, Mapping
from typing import Any

import anyio
import anyio.abc
import anyio.lowlevel
import trustme
from attrs import frozen
from support.scripted import Behaviour


@functools.cache
def authority() -> trustme.CA:
    """Return the certificate authority of the test run; making one takes most of a second."""
    return trustme.CA()


def server_side(*names: str) -> ssl.SSLContext:
    """Return the TLS settings of a server with these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(*names).configure_cert(context)
    return context


def client_side() -> ssl.SSLContext:
    """Return the TLS settings of a client that trusts the authority."""
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return context


@frozen
class TlsSetup:
    """A way in which a server on 127.0.0.1 speaks TLS.

    Attributes:
        version: The version.
        tickets: The number of session tickets after a handshake of TLS 1.3.
        is_in_pieces: True if the head and the body of a response are sent one after the other.
    """

    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    tickets: int = 2
    is_in_pieces: bool = False

    @functools.cache  # noqa: B019  # there are four of them
    def context(self) -> ssl.SSLContext:
        """Return the settings of the server."""
        context = server_side("127.0.0.1")
        context.minimum_version = context.maximum_version = self.version
        context.num_tickets = self.tickets
        return context

    def over(self, stream: anyio.abc.ByteStream) -> anyio.abc.ByteStream:
        """Return a stream that sends in this way."""
        return _InPieces(stream) if self.is_in_pieces else stream

    def speak(self, behaviour: Behaviour) -> Behaviour:
        """Return a behaviour that sends in this way."""
        return lambda stream, request: behaviour(self.over(stream), request)


SETUPS = {
    "tls-1.2": TlsSetup(ssl.TLSVersion.TLSv1_2),
    "tls-1.3": TlsSetup(),
    "tls-1.3-no-tickets": TlsSetup(tickets=0),
    "tls-1.3-in-pieces": TlsSetup(is_in_pieces=True),
}


class _InPieces(anyio.abc.ByteStream):
    """A stream whose messages arrive in two pieces: head and body of a response."""

    def __init__(self, stream: anyio.abc.ByteStream) -> None:
        self._stream = stream

    async def send(self, item: bytes) -> None:
        head = item.find(b"\r\n\r\n") + 4
        middle = head if 4 <= head < len(item) else len(item) // 2
        await self._stream.send(item[:middle])
        # The client reads the first piece in the meantime.
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
        await self._stream.send(item[middle:])

    async def receive(self, max_bytes: int = 65536) -> bytes:
        return await self._stream.receive(max_bytes)

    async def send_eof(self) -> None:
        await self._stream.send_eof()

    async def aclose(self) -> None:
        await self._stream.aclose()

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        return self._stream.extra_attributes
