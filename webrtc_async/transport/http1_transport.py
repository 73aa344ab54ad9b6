"""HTTP/1.1 on asyncio, straight to the server: a pool and its connections behind httpx's seam."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any, Final

import httpx

from webrtc_async.event_loop import forks
from webrtc_async.outcome import Progress
from webrtc_async.redaction import UnshownBytes
from webrtc_async.transport.http1_connection import Http1Connection, Origin
from webrtc_async.transport.http1_pool import Http1Pool
from webrtc_async.transport.http1_response import Http1Response
from webrtc_async.transport.request_head import Fields, RequestHeads

PORTS: Final = {"http": 80, "https": 443}


class Http1Transport(httpx.AsyncBaseTransport):
    """Exchanges over kept connections, in one event loop.

    Args:
        max_connections: Most connections at a time.
        keep_alive: Seconds that an idle connection is kept.
        ssl_context: For https; by default httpx's own.
        trust_env: Whether the environment's certificates count for the default.
    """

    def __init__(
        self,
        *,
        max_connections: int,
        keep_alive: float,
        ssl_context: ssl.SSLContext | None = None,
        trust_env: bool = True,
    ) -> None:
        self._max_connections = max_connections
        self._keep_alive = keep_alive
        self._ssl_context = ssl_context
        self._trust_env = trust_env
        self._heads = RequestHeads()
        self._pool: Http1Pool | None = None
        self._forks = 0

    async def exchange(
        self,
        method: str,
        origin: Origin,
        target: str,
        fields: Fields,
        content: bytes,
        progress: Progress,
        *,
        longest: float | None = None,
        connect_timeout: float | None = None,
    ) -> Http1Response:
        """Send a request and return its response, of which nothing has come yet.

        Args:
            method: The method.
            origin: Where to send it.
            target: The path and query, percent-encoded.
            fields: The headers, with Host and with the length of the content.
            content: The body.
            progress: Told what is truly written.
            longest: Seconds that the exchange may take once it has a connection.
            connect_timeout: Seconds that connecting may take.

        Raises:
            LocalProtocolError: It cannot be sent.
            ConnectError: No connection could be made.
            ConnectTimeout: Connecting took too long.
            WriteError: The connection was closed before a byte was sent.
        """
        progress.is_traced = True
        head = UnshownBytes(self._heads.write(method, target, fields))
        pool = self._pool_here()
        connection = pool.take(origin, progress.longest_idle)
        if connection is None:
            connection = await pool.acquire(origin, connect_timeout, progress)
        return connection.begin(method, UnshownBytes(head + content), progress, longest)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send httpx's request and return its response, whose body is still to be read."""
        content = await request.aread()
        # What was read as a whole has a length, however it was to be sent.
        fields = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in request.headers.raw
            if name.lower() != b"transfer-encoding"
        ]
        if len(fields) < len(request.headers.raw):
            fields.append(("Content-Length", str(len(content))))
        timeouts = request.extensions.get("timeout", {})
        response = await self.exchange(
            request.method,
            origin_of(request.url),
            request.url.raw_path.decode("ascii"),
            tuple(fields),
            content,
            request.extensions.get("progress") or Progress(""),
            connect_timeout=timeouts.get("connect"),
        )
        try:
            async with _within(timeouts.get("read")):
                head = await response.head()
        except BaseException:
            response.give_up()
            raise
        return httpx.Response(
            head.status,
            headers=[
                (name.encode("ascii"), value.encode("utf-8")) for name, value in head.headers.fields
            ],
            stream=_Body(response, timeouts.get("read")),
            extensions={"http_version": b"HTTP/1.1", "reason_phrase": head.reason.encode("ascii")},
        )

    async def aclose(self) -> None:
        """Close every connection; exchanges under way fail."""
        self._heads.forget()
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()
            # An aborted connection closes its socket in the loop's next turn.
            await asyncio.sleep(0)

    def _pool_here(self) -> Http1Pool:
        if self._pool is None or self._forks != forks():
            # What was there before a fork is the parent's, and is not even closed here.
            self._forks = forks()
            self._pool = Http1Pool(
                asyncio.get_running_loop(),
                self._connect,
                max_connections=self._max_connections,
                keep_alive=self._keep_alive,
            )
        return self._pool

    async def _connect(self, origin: Origin, longest: float | None) -> Http1Connection:
        loop = asyncio.get_running_loop()
        is_secure = origin.scheme == "https"
        try:
            async with asyncio.timeout(longest):
                peer: dict[str, Any] = {"host": origin.host, "port": origin.port}
                if not _is_address(origin.host):
                    # Loaded by the first connection to a name.
                    from webrtc_async.transport.happy_eyeballs import connected_socket

                    peer = {"sock": await connected_socket(origin.host, origin.port)}
                _, connection = await loop.create_connection(
                    lambda: Http1Connection(loop, origin),
                    **peer,
                    ssl=self._secured() if is_secure else None,
                    server_hostname=origin.host if is_secure else None,
                )
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(str(error)) from error
        return connection

    def _secured(self) -> ssl.SSLContext:
        if self._ssl_context is None:
            self._ssl_context = httpx.create_ssl_context(trust_env=self._trust_env)
        # A server that could choose would choose HTTP/2.
        self._ssl_context.set_alpn_protocols(["http/1.1"])
        return self._ssl_context


def origin_of(url: httpx.URL) -> Origin:
    """Return where a URL leads.

    Raises:
        UnsupportedProtocol: It is not http or https.
    """
    if url.scheme not in PORTS or not url.host:
        raise httpx.UnsupportedProtocol("only http and https URLs with a host can be sent to")
    return Origin(url.scheme, url.raw_host.decode("ascii"), url.port or PORTS[url.scheme])


def _is_address(host: str) -> bool:
    # Which needs no name to be looked up, in a thread, and no race.
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


class _Body(httpx.AsyncByteStream):
    """A response's body, each part of which must come in time."""

    def __init__(self, response: Http1Response, timeout: float | None) -> None:
        self._response = response
        self._timeout = timeout

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = aiter(self._response)
        while True:
            try:
                async with _within(self._timeout):
                    chunk = await anext(chunks, None)
            except BaseException:
                self._response.give_up()
                raise
            if chunk is None:
                return
            yield chunk

    async def aclose(self) -> None:
        await self._response.aclose()


@asynccontextmanager
async def _within(seconds: float | None) -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise httpx.ReadTimeout(str(error)) from error
