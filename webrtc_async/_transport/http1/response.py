"""A response as it comes over a connection, and its body for whoever reads it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final, Protocol

import httpx

from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async._transport.http1.response_head import ResponseHead
from webrtc_async._transport.http1.response_reader import ResponseReader
from webrtc_async.errors.outcome import Stage

_MOST_UNREAD: Final = 256 * 1024
"""Bytes of a body that may wait for their reader before the connection stops reading."""


class Carrier(Protocol):
    """The connection of a response, as far as the response needs it."""

    loop: asyncio.AbstractEventLoop

    def abort(self) -> None:
        """Close the connection at once."""
        ...

    def pause_reading(self) -> None:
        """Take no more from the server for now."""
        ...

    def resume_reading(self) -> None:
        """Take from the server again."""
        ...


class Http1Response:
    """A response as it comes; iterated, it gives its body.

    It lets its connection go by itself with the last byte, however late it is read.

    Attributes:
        reader: What has come so far.
    """

    __slots__ = (
        "_chunks",
        "_connection",
        "_error",
        "_is_paused",
        "_state",
        "_unread",
        "_waiter",
        "reader",
    )

    def __init__(self, connection: Carrier, method: str, state: AttemptState) -> None:
        self._connection: Carrier | None = connection
        self.reader = ResponseReader(method)
        self._state = state
        self._waiter: asyncio.Future[None] | None = None
        self._error: Exception | None = None
        self._chunks: list[bytes] = []
        self._unread = 0
        self._is_paused = False

    @property
    def is_complete(self) -> bool:
        """Whether all of it has come."""
        return self.reader.is_complete

    @property
    def is_reusable(self) -> bool:
        """Whether its connection may carry another exchange."""
        return self.reader.is_reusable

    @property
    def has_begun(self) -> bool:
        """Whether any byte of it has come."""
        return self.reader.has_begun

    async def head(self) -> ResponseHead:
        """Return the status and headers, once they are there.

        Raises:
            RemoteProtocolError: The server's bytes are no response, or break off.
            ReadError: The connection failed.
            ReadTimeout: The exchange took too long.
        """
        while (head := self.reader.head) is None:
            await self.arrival()
        return head

    def arrival(self) -> "asyncio.Future[None]":
        """Return a future that is done when more has come; whoever waited before is gone.

        Raises:
            RemoteProtocolError: As `head` does, as the others.
            ReadError: The connection failed.
            ReadTimeout: The exchange took too long.
        """
        connection = self._connection
        if connection is None:
            raise self._failure()
        self._waiter = connection.loop.create_future()
        return self._waiter

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give the body in pieces, raising as `head` does."""
        while True:
            while self._chunks:
                chunk = self._chunks.pop(0)
                self._unread -= len(chunk)
                yield chunk
                del chunk  # a traceback's local variables may be shown
            if self.is_complete:
                return
            if self._is_paused and self._connection is not None:
                self._is_paused = False
                self._connection.resume_reading()
            await self.arrival()

    def take(self) -> bytes:
        """Return what has come of the body and was not read."""
        content = b"".join(self._chunks)
        self._chunks.clear()
        self._unread = 0
        return content

    async def aclose(self) -> None:
        """Give up what is still to come, and the connection with it."""
        self.give_up()

    def give_up(self) -> None:
        """Do the same at once."""
        if self._connection is not None:
            self._connection.abort()

    # What the connection calls

    def feed(self, data: bytes) -> None:
        """Take bytes of the server's."""
        self._state.is_reused = False  # it is alive
        body = self.reader.feed(data)
        if body:
            self._chunks.append(body)
            self._unread += len(body)
            if self._unread > _MOST_UNREAD and self._connection is not None and not self._is_paused:
                self._is_paused = True
                self._connection.pause_reading()
        if self.reader.head is not None and not self.is_complete:
            self._wake()

    def feed_end(self) -> None:
        """Take the end of the connection."""
        self.reader.feed_end()

    def was_sent(self) -> None:
        """Note that the last byte of the request has left."""
        if self._state.stage is Stage.SENDING:
            self._state.stage = Stage.AWAITING

    def detach(self, error: Exception | None) -> None:
        """Let the connection go, because the response is complete or has failed."""
        self._connection = None
        self._error = error
        self._wake()

    def _failure(self) -> Exception:
        # Given away, because an error that its own traceback leads to would be a cycle.
        error, self._error = self._error, None
        return error or httpx.ReadError("the response failed before")

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
