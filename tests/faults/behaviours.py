"""Behaviours of a server for one request, in addition to those in scripted.py."""

import socket
import struct

import anyio
import anyio.abc
from support.scripted import Behaviour

BODY = b'{"id": "s-1"}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


def cut(stream: anyio.abc.ByteStream) -> None:
    """Make the next close of a connection a reset."""
    raw_socket = stream.extra(anyio.abc.SocketAttribute.raw_socket)
    raw_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reset_after(*parts: bytes) -> Behaviour:
    """Send bytes, wait until they arrive, and reset the connection."""

    async def reset(stream: anyio.abc.ByteStream, _: bytes) -> None:
        for part in parts:
            await stream.send(part)
            # A reset discards the bytes that the client has not read yet.
            await anyio.sleep(0.005)
        cut(stream)
        await stream.aclose()
        raise anyio.ClosedResourceError

    return reset


async def close(stream: anyio.abc.ByteStream, _: bytes) -> None:
    """Close the connection in order, kept alive or not."""
    await stream.aclose()
    raise anyio.ClosedResourceError


def dribble(start: bytes, drop: bytes) -> Behaviour:
    """Send a start, and then one byte every 5 ms without end."""

    async def send(stream: anyio.abc.ByteStream, _: bytes) -> None:
        await stream.send(start)
        while True:
            await stream.send(drop)
            await anyio.sleep(0.005)

    return send


def endless(start: bytes, chunk: bytes) -> Behaviour:
    """Send a start, and then as many bytes as the client reads."""

    async def send(stream: anyio.abc.ByteStream, _: bytes) -> None:
        await stream.send(start)
        while True:
            await stream.send(chunk)

    return send


def answered(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> Behaviour:
    """Send a complete response with these bytes as its body."""

    async def send(stream: anyio.abc.ByteStream, _: bytes) -> None:
        lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers, b"", body]
        await stream.send(b"\r\n".join(lines))

    return send


def echoing(status: bytes) -> Behaviour:
    """Respond with the whole request, as some gateways' error pages do."""

    async def send(stream: anyio.abc.ByteStream, request: bytes) -> None:
        await answered(b"<pre>" + request + b"</pre>", status=status)(stream, request)

    return send
