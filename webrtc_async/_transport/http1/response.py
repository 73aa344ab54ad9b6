"""A response that is received over a connection."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import httpx

from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async._transport.http1.response_head import ResponseError, ResponseHead
from webrtc_async._transport.http1.response_reader import ResponseReader
from webrtc_async.errors.outcome import Stage

_MAX_UNREAD: Final = 256 * 1024
"""Unread bytes of a body at which the connection stops receiving."""


class _Carrier(Protocol):
    """The connection of a response, as far as the response needs it."""

    loop: asyncio.AbstractEventLoop

    def abort(self) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class Http1Response(ResponseReader):
    """A response that is being received; a `Reply`.

    It releases its connection with the last byte, no matter when the body is read.
    """

    __slots__ = ("_chunks", "_connection", "_error", "_is_paused", "_state", "_unread", "_waiter")

    def __init__(self, connection: _Carrier, method: str, state: AttemptState) -> None:
        super().__init__(method)
        self._connection: _Carrier | None = connection
        self._state = state
        self._waiter: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self._chunks: list[bytes] = []
        self._unread = 0
        self._is_paused = False

    async def head(self) -> ResponseHead:
        """Return the status and headers, once they were received.

        Raises:
            RemoteProtocolError: The server's bytes are not a response, or it breaks off.
            ReadError: The connection failed.
            ReadTimeout: The exchange took too long.
        """
        while (head := self.received_head) is None:
            await self._arrival()
        return head

    async def next_chunk(self) -> bytes | None:
        """Return the next chunk of the body, or None at its end; raises as `head` does."""
        while not self._chunks:
            if self.is_complete:
                return None
            if self._is_paused and self._connection is not None:
                self._is_paused = False
                self._connection.resume_reading()
            await self._arrival()
        chunk = self._chunks.pop(0)
        self._unread -= len(chunk)
        return chunk

    async def receive(self, accept: Callable[[bytes], bool]) -> None:
        """Pass the chunks of the body to a function until the end, or until it returns False."""
        while (chunk := await self.next_chunk()) is not None:
            if not accept(chunk):
                return
            del chunk  # a traceback may show local variables

    def take(self) -> bytes:
        """Return the part of the body that was received and not read."""
        content = b"".join(self._chunks)
        self._chunks.clear()
        self._unread = 0
        return content

    def give_up(self) -> None:
        """Close the connection, unless the response is complete."""
        if self._connection is not None:
            self._connection.abort()

    # Called by the connection

    def see(self, data: bytes) -> None:
        """Read bytes of the server."""
        self._state.is_reused = False  # the connection is not stale
        try:
            body = self.feed(data)
        except ResponseError:
            self._chunks.append(self.take_parsed())
            raise
        if body:
            self._chunks.append(body)
            self._unread += len(body)
            # A complete response passes its connection on, which must go on receiving.
            is_full = self._unread > _MAX_UNREAD and not self.is_complete
            if is_full and self._connection is not None and not self._is_paused:
                self._is_paused = True
                self._connection.pause_reading()
        if self.received_head is not None and not self.is_complete:
            self._wake()

    def was_sent(self) -> None:
        """Note that the last byte of the request was sent."""
        if self._state.stage is Stage.SENDING:
            self._state.stage = Stage.AWAITING

    def detach(self, error: Exception | None) -> None:
        """Release the connection, because the response is complete or has failed."""
        self._connection = None
        self._error = error
        self._wake()

    def _arrival(self) -> "asyncio.Future[None]":
        """Return a future that is done when more was received."""
        connection = self._connection
        if connection is None:
            raise self._error or httpx.ReadError("the response failed before")
        self._waiter = connection.loop.create_future()
        return self._waiter

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
