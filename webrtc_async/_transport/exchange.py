"""One request and the reading of its response."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

import anyio

from webrtc_async._protocol.content_coding import (
    ContentError,
    check_length,
    decode,
    decode_start,
)
from webrtc_async._protocol.wire import WireRequest, WireResponse
from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async._transport.failure import unreadable
from webrtc_async._transport.http1.response_head import ResponseHead
from webrtc_async._transport.orphaned_request import OnCallerCancelled
from webrtc_async.errors.outcome import Stage


class Reply(Protocol):
    """A response on its way.

    Attributes:
        is_complete: True once the whole response was received.
    """

    @property
    def is_complete(self) -> bool: ...

    def head(self) -> Awaitable[ResponseHead]:
        """Return the status and headers, once they were received."""
        ...

    async def receive(self, accept: Callable[[bytes], bool]) -> None:
        """Pass the chunks of the body to a function until the end, or until it returns False."""
        ...

    def take(self) -> bytes:
        """Return the part of the body that was received and not read."""
        ...

    def give_up(self) -> None:
        """End a response that is not complete."""
        ...


class Exchange:
    """A request that was sent, or will be, and the response as far as it was received.

    Args:
        request: The request.
        state: Kept up to date, so that every failure knows how far the request came.
        limit: Bytes of the decoded body, at most.
    """

    __slots__ = ("_chunks", "_head", "_limit", "_reply", "_size", "request", "state")

    def __init__(self, request: WireRequest, state: AttemptState, limit: int) -> None:
        self.request = request
        self.state = state
        self._limit = limit
        self._reply: Reply
        self._head: ResponseHead | None = None
        self._chunks: list[bytes] = []
        self._size = 0

    @property
    def refusal(self) -> WireResponse | None:
        """A response that is not a success, with the received part of its body, if any.

        Its status counts, even if reading the body failed.
        """
        head = self._head
        if head is None or 200 <= head.status <= 299:
            return None
        return WireResponse(head.status, head.headers, self._received(head))

    def see_head(self, head: ResponseHead) -> None:
        """Note that the head of the response was received."""
        self._head = head
        self.state.stage, self.state.status = Stage.READING, head.status

    async def read(
        self, reply: Reply, on_caller_cancelled: OnCallerCancelled | None = None
    ) -> WireResponse:
        """Read the response to the request.

        If the caller is cancelled meanwhile, `on_caller_cancelled` gets this exchange.

        Raises:
            UnexpectedResponseError: The body is over the limit, or cannot be decoded.
        """
        self._reply = reply
        try:
            return await self._read(reply)
        except Exception:
            self._give_up(reply)
            raise
        except BaseException:
            if on_caller_cancelled is None or not on_caller_cancelled(self):
                self._give_up(reply)
            raise

    async def finish(self, grace: float) -> bytes:
        """Read on for some seconds, and return the body of a success, as far as it was received."""
        try:
            # After any failure, the received part counts.
            with suppress(Exception), anyio.move_on_after(grace):
                response = await self._read(self._reply)
                return response.content if response.is_success else b""
        finally:
            self._give_up(self._reply)
        return self.state.received

    async def _read(self, reply: Reply) -> WireResponse:
        head = await reply.head()
        self.see_head(head)
        try:
            if not reply.is_complete:
                await reply.receive(self._accept)
            content = self._content(reply, head.encoding)
        except ContentError as error:
            raise unreadable(error, self.state.operation, head.status) from None
        return WireResponse(head.status, head.headers, content)

    def _accept(self, chunk: bytes) -> bool:
        self._size += len(chunk)
        self._chunks.append(chunk)
        return self._size <= self._limit

    def _content(self, reply: Reply, encoding: str) -> bytes:
        # In a frame of its own, because a failure's is not kept: see unreadable().
        content = reply.take()
        if self._chunks:
            content = b"".join((*self._chunks, content))
        try:
            check_length(max(self._size, len(content)), self._limit)
            return decode(content, encoding, self._limit) if encoding else content
        except ContentError:
            self._chunks = [content]
            raise

    def _give_up(self, reply: Reply) -> None:
        """End the exchange, and keep the received part of the body."""
        if self._head is not None:
            self._chunks.append(reply.take())
            self.state.received = self._received(self._head)
        reply.give_up()

    def _received(self, head: ResponseHead) -> bytes:
        """Return the received part of the body, as far as it can be decoded."""
        return decode_start(b"".join(self._chunks), head.encoding, self._limit)
