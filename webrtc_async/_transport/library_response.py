"""A response of httpx or httpx2, for the one reader of responses."""

from collections.abc import AsyncGenerator, Callable
from typing import Final

import httpx
from anyio import CancelScope
from anyio.lowlevel import checkpoint

from webrtc_async._transport.http1.response_head import ResponseHead, parsed_head
from webrtc_async._transport.http_library import Library

_CHUNKS_AT_A_TIME: Final = 256
"""Chunks between two checkpoints, because a stream that never waits could not be cancelled."""


def head_of(response: httpx.Response) -> ResponseHead:
    """Return the head of a response."""
    return parsed_head(response.status_code, b"", response.headers.raw)


class LibraryResponse:
    """A response whose body is still to be read, unless a hook or a mock has read it; a `Reply`.

    Args:
        response: The library's response.
        library: The library.
    """

    def __init__(self, response: httpx.Response, library: Library) -> None:
        self._response = response
        self._byte_stream = library.byte_stream
        self._head = head_of(response)
        self.is_complete = response.is_stream_consumed
        if self.is_complete:
            self._head.encoding = ""  # the library has undone it
        self._unread = response.content if self.is_complete else b""

    async def head(self) -> ResponseHead:
        """Return the status and headers."""
        return self._head

    async def receive(self, accept: Callable[[bytes], bool]) -> None:
        """Pass the chunks of the body to a function until the end, or until it returns False."""
        # Not aiter_raw(): it drops empty chunks, and a stream of nothing else would never end.
        stream = self._response.stream
        assert isinstance(stream, self._byte_stream)  # noqa: S101  # only async streams get here
        chunks = aiter(stream)
        seen = 0
        try:
            # A cancellation unwinds httpcore's generators; closing the outermost would not.
            with CancelScope() as scope:
                async for chunk in chunks:
                    seen += 1
                    if not accept(chunk):
                        scope.cancel()
                    del chunk  # a traceback may show local variables
                    if seen % _CHUNKS_AT_A_TIME == 0:
                        await checkpoint()
        finally:
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()

    def take(self) -> bytes:
        """Return the part of the body that was received and not read."""
        unread, self._unread = self._unread, b""
        return unread

    def give_up(self) -> None:
        """Do nothing: the sender closes a library's response."""
