"""A connection of HTTP/1.1 on asyncio.

Every change of state is synchronous, so a cancellation leaves nothing half done.
"""

import asyncio
import math
import select
import ssl
from contextlib import suppress
from typing import Final, NamedTuple, Protocol, cast

import httpx

from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async._transport.http1.response import Http1Response
from webrtc_async._transport.http1.response_head import ResponseError
from webrtc_async.errors.outcome import Stage

_LONG: Final = 64 * 1024
"""Bytes of a request from which asyncio's TLS may buffer a part of it without a word."""


class Origin(NamedTuple):
    """The scheme, host and port of a server."""

    scheme: str
    host: str
    port: int


class _Owner(Protocol):
    """The pool that a connection belongs to."""

    def release(self, connection: "Http1Connection") -> None: ...
    def discard(self, connection: "Http1Connection") -> None: ...


class ReusedConnectionError(httpx.ReadError):
    """A connection kept from an earlier call ended before it received a response."""


class Http1Connection(asyncio.Protocol):
    """A connection that carries one request at a time.

    Attributes:
        origin: The server.
        exchanges: The number of requests that were sent.
        is_closed: True once it is closed.
        owner: The pool; None until the connection was made.
        retires: The time of the event loop from which it carries no further request.
        loop: Its event loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, origin: Origin) -> None:
        self.origin = origin
        self.exchanges = 0
        self.is_closed = False
        self.owner: _Owner | None = None
        self.retires = math.inf
        self.loop = loop
        self._current: Http1Response | None = None
        self._deadline = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._is_writing_slowly = False
        self._tls: ssl.SSLObject | None = None

    def begin(
        self, method: str, request: bytes, state: AttemptState, timeout: float | None
    ) -> Http1Response:
        """Send a whole request, and return its response, which is still to be received.

        After `timeout` seconds the exchange fails with ReadTimeout.

        Raises:
            WriteError: The connection was closed, and no byte was sent.
        """
        self.exchanges += 1
        response = self._current = Http1Response(self, method, state)
        if timeout is not None:
            self._watch(self.loop.time() + timeout)
        state.is_reused = self.exchanges > 1
        # TLS passes on what it gets, and pauses only for what follows. So the last byte follows.
        is_split = self._tls is not None and len(request) > _LONG
        self._transport.write(memoryview(request)[:-1] if is_split else request)
        if self._transport.is_closing():
            # The only send has failed, and nothing was buffered: no byte was sent.
            state.stage = Stage.CONNECTING
            self._current = None
            self.abort()
            raise httpx.WriteError("the connection was closed before the request could be sent")
        if is_split:
            self._transport.write(request[-1:])
        state.stage = Stage.SENDING if self._is_writing_slowly else Stage.AWAITING
        return response

    def is_quiet(self) -> bool:
        """Return True if nothing was received since the last response, not even the end.

        The socket may hold bytes that the event loop has not read yet. They would be taken for the
        response to the next request, or that request would be sent to a server that has gone.
        """
        return not self.is_closed and not self._poll.poll(0)

    def abort(self) -> None:
        """Close the connection at once; a request on it fails."""
        if not self.is_closed:
            self._end(httpx.ReadError("the connection was closed on this side"))

    def pause_reading(self) -> None:
        """Stop receiving."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Receive again."""
        self._transport.resume_reading()

    # Called by asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        # At the lowest limits, a pause says that the kernel has not taken all of a write. asyncio's
        # TLS pauses as soon as its buffer *reaches* the limit, so 0 would pause it while empty.
        self._tls = self._transport.get_extra_info("ssl_object")
        self._transport.set_write_buffer_limits(high=int(self._tls is not None), low=0)
        self._poll = select.poll()
        self._poll.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Pass bytes on to the response; without a request, nobody has asked for them."""
        response = self._current
        if response is None:
            self.abort()
            return
        try:
            response.see(data)
        except ResponseError as error:
            self._end(_lost(error))
            return
        if response.is_complete:
            self._complete(response)

    def eof_received(self) -> None:
        """Treat the end of the server's bytes as the end of the connection."""
        self.connection_lost(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the request, unless the end of the connection is the end of its response."""
        if self.is_closed:
            return
        response = self._current
        if response is None:
            self._end(None)
            return
        error: Exception
        if exc is not None:
            error = httpx.ReadError(str(exc))
            error.__cause__ = exc
        else:
            try:
                is_certain = self._tls is None or self._read_on(self._tls, response)
                if not response.is_complete:
                    response.feed_end(is_certain=is_certain)
            except ResponseError as problem:
                error = _lost(problem)
            else:
                self._complete(response)
                return
        if self.exchanges > 1 and not response.has_begun:
            cause = error
            error = ReusedConnectionError(f"a connection kept from an earlier call: {error}")
            error.__cause__ = cause
        self._end(error)

    def pause_writing(self) -> None:
        """Note that the kernel has not accepted all of the request."""
        self._is_writing_slowly = True

    def resume_writing(self) -> None:
        """Note that the kernel has accepted all of the request."""
        self._is_writing_slowly = False
        if self._current is not None:
            self._current.was_sent()

    # Ends

    def _read_on(self, tls: ssl.SSLObject, response: Http1Response) -> bool:
        """Read what TLS has received, and return True if the server has said that this is all.

        uvloop drops it if the connection ends while reading is paused.
        """
        with suppress(ssl.SSLError):
            while received := tls.read(_LONG):
                response.see(received)
            return True
        return False

    def _complete(self, response: Http1Response) -> None:
        self._current = None
        self._deadline = math.inf
        response.detach(None)
        is_at_rest = response.is_reusable and not self._is_writing_slowly
        if is_at_rest and self.owner is not None and not self._transport.is_closing():
            self.owner.release(self)
        else:
            self._end(None)

    def _end(self, error: Exception | None) -> None:
        self.is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        response, self._current = self._current, None
        self._transport.abort()
        if response is not None:
            response.detach(error)
        if self.owner is not None:
            self.owner.discard(self)

    def _watch(self, deadline: float) -> None:
        self._deadline = deadline
        if self._timer is not None and deadline < self._timer.when():
            self._timer.cancel()
            self._timer = None
        # A later deadline needs no new timer: the current one checks again when it is due.
        if self._timer is None:
            self._timer = self.loop.call_at(deadline, self._check_deadline)

    def _check_deadline(self) -> None:
        self._timer = None
        if self.loop.time() >= self._deadline:
            self._end(httpx.ReadTimeout("the exchange took too long"))
        elif self._deadline < math.inf:
            self._watch(self._deadline)


def _lost(error: ResponseError) -> httpx.RemoteProtocolError:
    lost = httpx.RemoteProtocolError(str(error))
    # The frames of its traceback hold bytes of the response, and tokens among them.
    lost.__cause__ = error.with_traceback(None)
    return lost
