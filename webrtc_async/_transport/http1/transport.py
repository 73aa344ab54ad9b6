"""HTTP/1.1 on asyncio, straight to the server: a pool and its connections behind httpx's seam."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx

from webrtc_async._tasks.event_loop import forks
from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async._transport.http1.connection import Http1Connection, Origin
from webrtc_async._transport.http1.happy_eyeballs import connected_socket
from webrtc_async._transport.http1.pool import Http1Pool
from webrtc_async._transport.http1.request_writer import RequestWriter, write_request
from webrtc_async._transport.http1.response import Http1Response

PORTS: Final = {"http": 80, "https": 443}


class Http1Transport(httpx.AsyncBaseTransport):
    """Exchanges over kept connections, in one event loop.

    An exchange is: `writer.write`, then `take` or else `connected`, then `begin`.

    Args:
        max_connections: Most connections at a time.
        keep_alive: Seconds that an idle connection is kept.
        ssl_context: For https; by default httpx's own.
        trust_env: Whether the environment's certificates count for the default.

    Attributes:
        writer: Writes the requests.
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
        self.writer = RequestWriter()
        self._pool: Http1Pool | None = None
        self._forks = 0

    def take(self, origin: Origin, state: AttemptState) -> Http1Connection | None:
        """Return an idle connection that leads there, if there is one; its `begin` comes next."""
        state.is_traced = True
        return self._pool_here().take(origin, state.longest_idle)

    async def connected(
        self, origin: Origin, connect_timeout: float | None, state: AttemptState
    ) -> Http1Connection:
        """Return a connection where none was idle, once one has come back or is made.

        Args:
            origin: Where it has to lead.
            connect_timeout: Seconds that connecting may take.
            state: Told when it has to be made; says how long it may have idled.

        Raises:
            ConnectError: No connection could be made.
            ConnectTimeout: Connecting took too long.
        """
        return await self._pool_here().acquire(origin, connect_timeout, state)

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
        origin, target = origin_of(request.url), request.url.raw_path.decode("ascii")
        written = write_request(request.method, target, fields, content)
        state = request.extensions.get("state") or AttemptState("")
        connection = self.take(origin, state)
        if connection is None:
            connection = await self.connected(origin, timeouts.get("connect"), state)
        response = connection.begin(request.method, written, state, None)
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
        self.writer.forget()
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
        try:
            async with asyncio.timeout(longest):
                # Before there is a socket, which a failure of this would leave to nobody.
                tls = self._secured() if origin.scheme == "https" else None
                connected = await connected_socket(origin.host, origin.port)
                _, connection = await loop.create_connection(
                    lambda: Http1Connection(loop, origin),
                    sock=connected,
                    ssl=tls,
                    server_hostname=origin.host if tls is not None else None,
                )
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except (OSError, UnicodeError) as error:
            # asyncio keeps it for a while, or in a cycle, and its traceback the whole call.
            raise httpx.ConnectError(str(error)) from error.with_traceback(None)
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
