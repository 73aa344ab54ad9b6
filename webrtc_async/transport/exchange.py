"""One request over an HTTP client, and the answer to it."""

from collections.abc import AsyncGenerator, Iterable
from typing import Final

import httpx
from anyio import CancelScope, move_on_after
from anyio.lowlevel import checkpoint
from attrs import define, evolve, field

from webrtc_async.content_coding import ContentError, check_length, decode
from webrtc_async.errors import (
    ConfigurationError,
    ResponseTooLargeError,
    UnexpectedResponseError,
)
from webrtc_async.outcome import Progress, Stage
from webrtc_async.transport.failure import tracer
from webrtc_async.transport.library import Library
from webrtc_async.wire import WireRequest, WireResponse

_CHUNKS_AT_A_TIME: Final = 256
"""Chunks after which a reader gives way, so that a stream that never waits can be ended."""


@define(eq=False)
class Exchange:
    """A request under way.

    Attributes:
        request: What is sent; its target is a URL.
        progress: Kept up to date, so that a failure anywhere knows how far it came.
        library: Whose client sends it.
        limit: The most bytes of a body, decoded.
        http: The client that sends it.
        is_own: Whether the client is this package's: a user's has timeouts of its own.
    """

    request: WireRequest
    progress: Progress
    library: Library
    limit: int
    http: httpx.AsyncClient
    is_own: bool
    _built: httpx.Request = field(init=False)
    _head: WireResponse | None = field(default=None, init=False)
    _chunks: list[bytes] = field(factory=list[bytes], init=False, repr=False)

    @property
    def refusal(self) -> WireResponse | None:
        """An answer that is not a success, with what has come of its body.

        Whatever happened to its body, the status tells what the service did.
        """
        return refusal_of(self._head, self._chunks)

    def build(self, connect_timeout: float | None) -> None:
        """Make the request what the HTTP client has as one.

        Args:
            connect_timeout: Seconds that an own client may take to connect; None for no bound.

        Raises:
            ConfigurationError: The HTTP client cannot build it.
        """
        own_timeout = self.library.timeout(None, connect=connect_timeout)
        try:
            self._built = self.http.build_request(
                self.request.method,
                self.request.target,
                # The service's answers are small, and what is not compressed cannot swell.
                headers={"Accept-Encoding": "identity", **self.request.headers},
                content=self.request.content or None,
                timeout=own_timeout if self.is_own else self.library.client_default,
                extensions={"trace": tracer(self.progress, self._see), "progress": self.progress},
            )
        except Exception as error:
            raise ConfigurationError(
                f"the HTTP client cannot build the request ({type(error).__name__}): check "
                "base_url, headers, and the http_client with its cookies.",
                operation=self.progress.operation,
            ) from error

    async def send_within(self, longest: float | None) -> WireResponse | None:
        """Send the request and return the answer, or None if that takes over so many seconds.

        Raises:
            UnexpectedResponseError: The body is over the limit or its encoding cannot be read.
        """
        try:
            with move_on_after(longest):
                return await self._send()
        finally:
            del self._built  # its trace refers back to this exchange
        return None

    async def _send(self) -> WireResponse:
        authorized = "Authorization" in self.request.headers
        try:
            response = await self.http.send(
                self._built,
                stream=True,
                follow_redirects=False,
                auth=None if authorized else self.library.client_default,
            )
        except Exception as error:
            # A user's hook may have seen the answer and raised, as raise_for_status does.
            self._see_head(getattr(error, "response", None))
            raise
        head = None
        try:
            head = self._see_head(response)
            assert head is not None  # noqa: S101  # it is an answer
            content = await self._read(response)
        except BaseException:
            if head is not None and "content-encoding" not in head.headers:
                self.progress.received = b"".join(self._chunks)
            raise
        finally:
            await response.aclose()
            response.stream = self.library.byte_stream()  # the one it had refers back to it
        return WireResponse(status=head.status, headers=head.headers, content=content)

    def _see_head(self, response: object) -> WireResponse | None:
        if not isinstance(response, self.library.response):
            return None
        headers = {name.lower(): value for name, value in response.headers.items()}
        self._head = WireResponse(status=response.status_code, headers=headers)
        self.progress.stage, self.progress.status = Stage.READING, response.status_code
        return self._head

    def _see(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Take an answer's head from the wire: httpx raises at a Location that it cannot read."""
        self._see_head(self.library.response(status, headers=list(headers)))

    async def _read(self, response: httpx.Response) -> bytes:
        try:
            if response.is_stream_consumed:  # by a hook of the user's, or a transport that mocks
                check_length(len(response.content), self.limit)
                return response.content
            encoding = response.headers.get("content-encoding", "")
            return decode(await self._read_raw(response), encoding, self.limit)
        except ContentError as error:
            raise unreadable(error, self.progress.operation, response.status_code) from None

    async def _read_raw(self, response: httpx.Response) -> bytes:
        # As it was sent; sync streams have no place here.
        assert isinstance(response.stream, self.library.byte_stream)  # noqa: S101
        # Not aiter_raw(): it keeps empty chunks to itself, and a stream of those would never end.
        chunks = aiter(response.stream)
        size = seen = 0
        try:
            # A cancellation unwinds httpcore's generators, which closing the outermost does not.
            with CancelScope() as scope:
                async for chunk in chunks:
                    size += len(chunk)
                    seen += 1
                    if size > self.limit:
                        scope.cancel()
                    else:
                        self._chunks.append(chunk)
                    del chunk  # a traceback's local variables may be shown
                    if seen % _CHUNKS_AT_A_TIME == 0:
                        await checkpoint()
        finally:
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()
        check_length(size, self.limit)
        return b"".join(self._chunks)


def refusal_of(head: WireResponse | None, chunks: Iterable[bytes]) -> WireResponse | None:
    """Return an answer that is not a success with what has come of its body, else None."""
    if head is None or head.is_success:
        return None
    is_readable = "content-encoding" not in head.headers
    return evolve(head, content=b"".join(chunks) if is_readable else b"")


def unreadable(error: ContentError, operation: str, status: int) -> UnexpectedResponseError:
    """Return the error for a body that cannot be read."""
    error.with_traceback(None)  # its frames have the body in hand
    kind = ResponseTooLargeError if error.is_too_long else UnexpectedResponseError
    return kind(
        f"the body of the answer ({status}) cannot be read: {error}.",
        operation=operation,
        status=status,
        problems=(str(error),),
    )
