"""A server of HTTP/2, and a gateway from HTTP/2 to a scripted server of HTTP/1.1."""

import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
import anyio.abc
import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
import h11
from support.scripted import listening
from support.tls import server_side

CLOSED = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream)

INTERNAL_ERROR, REFUSED_STREAM = 2, 7
"""Error codes of RFC 9113, section 7."""

Headers = list[tuple[bytes, bytes]]
Respond = Callable[["Http2Exchange"], Awaitable[None]]


class Http2Exchange:
    """A request of HTTP/2, and the server's means to respond.

    Attributes:
        number: The number of its stream.
        headers: The request's headers, with its pseudo-headers.
        body: The request's body.
        h2: The state of the whole connection.
        stream: The bytes of the whole connection.
    """

    def __init__(self, connection: "_Connection", number: int, headers: Headers) -> None:
        self.number = number
        self.headers = headers
        self.body = b""
        self.h2, self.stream = connection.h2, connection.stream
        self._connection = connection

    async def head(self, status: int, headers: Headers = (), *, ends: bool = False) -> None:
        """Send a status with headers; ends with the status if there is no body."""
        fields = [(b":status", b"%d" % status), *headers]
        self.h2.send_headers(self.number, fields, end_stream=ends)
        await self.flush()

    async def data(self, content: bytes) -> None:
        """Send a part of the body, as the client's windows allow."""
        while content:
            size = min(
                self.h2.local_flow_control_window(self.number), self.h2.max_outbound_frame_size
            )
            if size == 0:
                await self._connection.window.wait()
                continue
            self.h2.send_data(self.number, content[:size])
            content = content[size:]
            await self.flush()

    async def end(self) -> None:
        """End the response."""
        self.h2.end_stream(self.number)
        await self.flush()

    async def reset(self, code: int) -> None:
        """Reset the stream of this request."""
        self.h2.reset_stream(self.number, code)
        await self.flush()

    async def go_away(self, last: int) -> None:
        """End the connection for all requests after the stream with this number."""
        self.h2.close_connection(last_stream_id=last)
        await self.flush()

    async def flush(self) -> None:
        """Send what h2 has written."""
        await self._connection.flush()


class _Connection:
    def __init__(self, stream: anyio.abc.ByteStream) -> None:
        # The server may send what a client has to refuse.
        config = h2.config.H2Configuration(
            client_side=False, header_encoding=None, validate_outbound_headers=False
        )
        self.h2 = h2.connection.H2Connection(config)
        self.stream = stream
        self.window = anyio.Event()
        self._lock = anyio.Lock()

    async def flush(self) -> None:
        async with self._lock:
            if written := self.h2.data_to_send():
                await self.stream.send(written)

    def _events(self, received: bytes) -> list[h2.events.Event]:
        # hpack logs every header that it decodes; this server's logs are not the client's.
        logging.disable()
        try:
            return self.h2.receive_data(received)
        finally:
            logging.disable(logging.NOTSET)

    async def serve(self, respond: Respond, streams: int = 100) -> None:
        exchanges: dict[int, Http2Exchange] = {}
        async with self.stream, anyio.create_task_group() as tasks:
            allowed = {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: streams}
            self.h2.local_settings = h2.settings.Settings(client=False, initial_values=allowed)
            self.h2.initiate_connection()
            with suppress(*CLOSED, h2.exceptions.ProtocolError):
                while True:
                    await self.flush()
                    for event in self._events(await self.stream.receive()):
                        match event:
                            case h2.events.RequestReceived():
                                number = event.stream_id
                                exchanges[number] = Http2Exchange(self, number, event.headers)
                            case h2.events.DataReceived():
                                exchanges[event.stream_id].body += event.data
                            case h2.events.StreamEnded():
                                tasks.start_soon(_answer, respond, exchanges.pop(event.stream_id))
                            case _:
                                # Perhaps more bytes may be sent now.
                                self.window.set()
                                self.window = anyio.Event()
            tasks.cancel_scope.cancel()


async def _answer(respond: Respond, exchange: Http2Exchange) -> None:
    with suppress(*CLOSED, h2.exceptions.ProtocolError):
        await respond(exchange)


@asynccontextmanager
async def serving_http2(
    respond: Respond, tls: ssl.SSLContext, streams: int = 100
) -> AsyncIterator[int]:
    """Serve HTTP/2 over TLS while the body runs, some requests at a time, and yield the port."""

    async def serve(stream: anyio.abc.ByteStream) -> None:
        await _Connection(stream).serve(respond, streams)

    async with listening(serve, tls) as port:
        yield port


def offering_http2() -> ssl.SSLContext:
    """Return the TLS settings of a server that chooses HTTP/2."""
    context = server_side("127.0.0.1")
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def forwarding(port: int) -> Respond:
    """Respond as the HTTP/1.1 server at a port of this machine does.

    If that server breaks off, the connection to the client ends; a response that cannot be read
    resets the stream.
    """

    async def forward(exchange: Http2Exchange) -> None:
        upstream = await anyio.connect_tcp("127.0.0.1", port)
        async with upstream:
            try:
                await upstream.send(_in_http1(exchange))
                await _pass_on(upstream, exchange)
            except h11.RemoteProtocolError:
                await exchange.reset(INTERNAL_ERROR)
            except CLOSED:
                await exchange.stream.aclose()

    return forward


def _in_http1(exchange: Http2Exchange) -> bytes:
    pseudo = {name: value for name, value in exchange.headers if name.startswith(b":")}
    lines = [b"%s %s HTTP/1.1" % (pseudo[b":method"], pseudo[b":path"])]
    lines += [b"host: " + pseudo[b":authority"]]
    lines += [b"%s: %s" % each for each in exchange.headers if not each[0].startswith(b":")]
    return b"\r\n".join([*lines, b"", exchange.body])


async def _pass_on(upstream: anyio.abc.ByteStream, exchange: Http2Exchange) -> None:
    parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=400_000)
    method = dict(exchange.headers)[b":method"]
    parser.send(h11.Request(method=method, target="/", headers=[("Host", "service")]))
    parser.send(h11.EndOfMessage())
    while True:
        event: Any = parser.next_event()
        match event:
            case h11.NEED_DATA:
                try:
                    parser.receive_data(await upstream.receive())
                except anyio.EndOfStream:
                    if parser.their_state is h11.SEND_RESPONSE or _is_short(parser):
                        raise
                    parser.receive_data(b"")
            case h11.InformationalResponse() | h11.Response():
                await exchange.head(event.status_code, _for_http2(event))
            case h11.Data():
                await exchange.data(bytes(event.data))
            case h11.EndOfMessage():
                await exchange.end()
                return
            case _:
                raise h11.RemoteProtocolError("the connection was switched to another protocol")


def _is_short(parser: h11.Connection) -> bool:
    """Return True if the end of the bytes is not the end of the response."""
    return not isinstance(parser._reader, h11._readers.Http10Reader)


def _for_http2(response: h11.InformationalResponse | h11.Response) -> Headers:
    """Return the headers without those about the connection, and without a length that is none."""
    names = {name for name, _ in response.headers}
    dropped = {b"connection", b"transfer-encoding", b"upgrade", b"keep-alive"}
    if b"transfer-encoding" in names or response.status_code == 204:
        dropped.add(b"content-length")
    return [(name, value) for name, value in response.headers if name not in dropped]
