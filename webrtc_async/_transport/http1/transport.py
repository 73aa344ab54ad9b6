"""The pooled transport of httpx: an own HTTP/1.1 pool on asyncio, httpx's own elsewhere."""

import asyncio
import select
from collections.abc import AsyncIterator, Coroutine
from functools import lru_cache
from typing import Any, Final, Self, TypeVar

import httpx

from webrtc_async._protocol.redaction import HiddenBytes
from webrtc_async._protocol.wire import WireRequest
from webrtc_async._tasks.event_loop import PerLoop, is_asyncio
from webrtc_async._transport.attempt_state import AttemptState, Tracer
from webrtc_async._transport.http1.connection import Http1Connection, Origin
from webrtc_async._transport.http1.happy_eyeballs import connected_socket
from webrtc_async._transport.http1.pool import Http1Pool
from webrtc_async._transport.http1.request_writer import RequestWriter, check_target, write_request
from webrtc_async._transport.http1.response import Http1Response
from webrtc_async._transport.http1.response_head import ResponseHead
from webrtc_async._transport.http_library import LibraryTransport, is_transport_original
from webrtc_async._transport.tls_settings import TlsSettings, check_negotiated
from webrtc_async.errors import ConfigurationError

PartT = TypeVar("PartT")

PORTS: Final = {"http": 80, "https": 443}

HAS_POLL: Final = hasattr(select, "poll")
"""True if the system can tell without waiting that a connection has ended; Windows cannot."""


class PooledTransport(httpx.AsyncHTTPTransport):
    """A transport of httpx with its own pool of HTTP/1.1 connections on asyncio.

    trio, systems without `poll`, requests with extensions or timeouts that the own pool does not
    know, and methods of httpx or httpcore that somebody has replaced get httpx's own pool. It is
    opened by the first request that needs it, because its TLS context takes 19 ms.
    """

    def __init__(
        self,
        *,
        max_connections: int,
        keep_alive: float,
        tls: TlsSettings | None = None,
    ) -> None:
        self._max_connections = max_connections
        self._keep_alive = keep_alive
        self._tls = TlsSettings() if tls is None else tls
        self._writer = RequestWriter()
        self._http1_pools = PerLoop(self._make_pool)
        self._httpx = LibraryTransport(self._open_httpx, self._tls)

    def bind_to_loop(self) -> Http1Pool:
        """Return the own pool in the running event loop of asyncio."""
        return self._http1_pools.get()

    @property
    def is_open(self) -> bool:
        """True if there may be connections."""
        return self._http1_pools.current is not None or self._httpx.is_open

    async def send(
        self,
        request: WireRequest,
        state: AttemptState,
        attempt_timeout: float | None,
        connect_timeout: float | None,
    ) -> Http1Response:
        """Send a request over the own pool, without httpx, and return its response.

        The caller runs in the event loop of the last `bind_to_loop`.

        Raises:
            InvalidURL: The URL cannot be parsed, or is not one of http or https.
            ConnectError: No connection could be made.
            ConnectTimeout: Connecting took too long.
            WriteError: The connection was closed before a byte was sent.
        """
        origin, host, target = _place_of(request)
        written = self._writer.write(request, target, host)
        state.is_traced = True
        pool = self._http1_pools.current or self.bind_to_loop()
        connection = await pool.acquire(origin, connect_timeout, state)
        return connection.begin(request.method, written, state, attempt_timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request of httpx and return its response, with the body still to be read."""
        if HAS_POLL and is_asyncio() and _is_plain(request) and is_transport_original():
            return await self._handle(request)
        return await self._httpx.handle_async_request(request)

    async def aclose(self) -> None:
        """Close every connection; requests that were not answered fail."""
        self._writer.forget()
        if (pool := self._http1_pools.take()) is not None:
            pool.close()
            # An aborted connection closes its socket in the loop's next turn.
            await asyncio.sleep(0)
        await self._httpx.aclose()

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        timeouts = request.extensions.get("timeout", {})
        tracer: Tracer | None = request.extensions.get("trace")
        state = AttemptState("") if tracer is None else tracer.state
        origin, written = origin_of(request.url), _written(request, await request.aread())
        connection = await self.bind_to_loop().acquire(origin, timeouts.get("connect"), state)
        response = connection.begin(request.method, written, state, None)
        try:
            head = await _within(timeouts.get("read"), response.head())
        except BaseException:
            response.give_up()
            raise
        if tracer is not None:
            tracer.on_head(head.status, _raw_headers(head))
        return httpx.Response(
            head.status,
            headers=_raw_headers(head),
            stream=_Body(response, timeouts.get("read")),
            extensions={"http_version": b"HTTP/1.1", "reason_phrase": head.reason.encode("ascii")},
        )

    def _make_pool(self) -> Http1Pool:
        return Http1Pool(
            asyncio.get_running_loop(),
            self._connect,
            max_connections=self._max_connections,
            keep_alive=self._keep_alive,
        )

    async def _connect(self, origin: Origin, connect_timeout: float | None) -> Http1Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(connect_timeout):
                # Before there is a socket, which nobody would close if the TLS settings fail.
                tls = await self._tls.load() if origin.scheme == "https" else None
                connected = await connected_socket(origin.host, origin.port)
                transport, connection = await loop.create_connection(
                    lambda: Http1Connection(loop, origin),
                    sock=connected,
                    ssl=tls,
                    # DNS may end a name with a dot, and certificates do not (RFC 6066, section 3).
                    server_hostname=origin.host.rstrip(".") if tls is not None else None,
                )
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(str(error)) from error
        if tls is not None:
            try:
                check_negotiated(transport.get_extra_info("ssl_object"))
            except ConfigurationError:
                connection.abort()
                raise
        return connection

    def _open_httpx(self) -> httpx.AsyncHTTPTransport:
        limits = httpx.Limits(
            max_connections=self._max_connections,
            max_keepalive_connections=self._max_connections,
            keepalive_expiry=self._keep_alive,
        )
        return httpx.AsyncHTTPTransport(verify=self._tls.for_library(), limits=limits)


def origin_of(url: httpx.URL) -> Origin:
    """Return the origin that a URL leads to.

    Raises:
        UnsupportedProtocol: The URL is not one of http or https.
    """
    if url.scheme not in PORTS or not url.host:
        raise httpx.UnsupportedProtocol("only http and https URLs with a host can be sent to")
    return Origin(url.scheme, url.raw_host.decode("ascii"), url.port or PORTS[url.scheme])


def host_header(url: httpx.URL) -> str:
    """Return the Host header for a URL, without the dot that a name in DNS may end with."""
    host, colon, port = url.netloc.decode("ascii").partition(".:")
    return f"{host}:{port}" if colon else host.removesuffix(".")


def _place_of(request: WireRequest) -> tuple[Origin, str, str]:
    """Return a request's origin, its Host header and its target on the wire."""
    if not request.base_url:
        return _parsed(request.target)
    origin, host, path = _parsed(request.base_url)
    # A target below a base URL is percent-encoded already: see PathTemplate.
    return origin, host, path.removesuffix("/") + request.target


@lru_cache(maxsize=16)
def _parsed(url: str) -> tuple[Origin, str, str]:
    parsed = httpx.URL(url)
    target = check_target(parsed.raw_path.decode("ascii"))
    return origin_of(parsed), host_header(parsed), target


def _is_plain(request: httpx.Request) -> bool:
    """Return True if the own pool knows every extension of a request."""
    extensions = request.extensions
    timeouts = extensions.get("timeout", {})
    return (
        extensions.keys() <= {"timeout", "trace"}
        and isinstance(extensions.get("trace"), Tracer | None)
        and timeouts.get("write") is None
        and timeouts.get("pool") is None
    )


def _written(request: httpx.Request, content: bytes) -> HiddenBytes:
    """Return the bytes of a request of httpx."""
    # In a frame of its own, because a traceback of _handle may show local variables.
    fields = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in request.headers.raw
        if name.lower() != b"transfer-encoding"
    ]
    if len(fields) < len(request.headers.raw):
        # A body that was read as a whole has a length, even if it was to be sent in chunks.
        fields.append(("Content-Length", str(len(content))))
    target = request.url.raw_path.decode("ascii")
    return write_request(request.method, target, fields, content)


def _raw_headers(head: ResponseHead) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("utf-8")) for name, value in head.headers.fields]


class _Body(httpx.AsyncByteStream):
    """The body of a response, with httpx's read timeout for each chunk."""

    def __init__(self, response: Http1Response, timeout: float | None) -> None:
        self._response = response
        self._timeout = timeout

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            try:
                chunk = await _within(self._timeout, self._response.next_chunk())
            except BaseException:
                self._response.give_up()
                raise
            if chunk is None:
                return
            yield chunk
            del chunk  # a traceback may show local variables

    async def aclose(self) -> None:
        self._response.give_up()


async def _within(seconds: float | None, coming: Coroutine[Any, Any, PartT]) -> PartT:
    """Wait for a part of a response, for as long as httpx's read timeout allows."""
    if seconds is None:
        return await coming
    try:
        async with asyncio.timeout(seconds):
            return await coming
    except TimeoutError as error:
        raise httpx.ReadTimeout(str(error)) from error
