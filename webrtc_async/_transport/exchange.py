"""One request over an HTTP client, and the answer to it."""

import sys
from collections.abc import AsyncGenerator, Iterable
from functools import partial
from typing import Final

import httpx
from anyio import CancelScope, move_on_after
from anyio.lowlevel import checkpoint
from attrs import define, field

from webrtc_async._protocol.content_coding import ContentError, check_length, decode
from webrtc_async._protocol.wire import WireRequest, WireResponse
from webrtc_async._tasks.slot import Slot
from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async._transport.failure import forget_causes, refusal_of, tracer, unreadable
from webrtc_async._transport.library_pool import LibraryPool
from webrtc_async._transport.orphaned_request import TakeOver, in_a_task
from webrtc_async.errors import (
    ConfigurationError,
)
from webrtc_async.errors.outcome import Stage

_CHUNKS_AT_A_TIME: Final = 256
"""Chunks after which a reader gives way, so that a stream that never waits can be ended."""


@define(eq=False)
class Exchange:
    """A request under way.

    Attributes:
        request: What is sent; its target is a URL.
        state: Kept up to date, so that a failure anywhere knows how far it came.
        limit: The most bytes of a body, decoded.
        pool: What sends it.
    """

    request: WireRequest
    state: AttemptState
    limit: int
    pool: LibraryPool
    _head: WireResponse | None = field(default=None, init=False)
    _chunks: list[bytes] = field(factory=list[bytes], init=False, repr=False)

    @property
    def refusal(self) -> WireResponse | None:
        """An answer that is not a success, with what has come of its body.

        Whatever happened to its body, the status tells what the service did.
        """
        return refusal_of(self._head, self._chunks)

    async def answer(
        self,
        longest: float | None,
        connect_timeout: float | None,
        take_over: TakeOver | None,
    ) -> WireResponse | None:
        """Send the request and return the answer, or None if that takes over so many seconds.

        Args:
            longest: Seconds that it may take once it has a place; None for no bound.
            connect_timeout: Seconds that an own client may take to connect; None for no bound.
            take_over: Is given the exchange if this task is cancelled once the request was sent.

        Raises:
            ConfigurationError: The HTTP client cannot build it.
            UnexpectedResponseError: The body is over the limit or its encoding cannot be read.
            ClientClosedError: The client was closed while it waited for a place.
        """
        work = partial(self._answer, longest, connect_timeout)
        if take_over is None:
            return await work()
        return await in_a_task(work, self.state, self.pool.background_tasks, take_over)

    async def _answer(
        self, longest: float | None, connect_timeout: float | None
    ) -> WireResponse | None:
        state = self.state
        # On behalf of the exchange and not of its task, whose hooks may make calls of their own.
        async with Slot(self.pool.limiter, self):
            self.pool.check_open(state.operation)
            http = self.pool.client()
            built = self._built(http, connect_timeout)
            # A pool of ours tells of every byte; of what was given, nothing is known.
            state.stage, state.is_traced = Stage.CONNECTING, not self.pool.is_given
            outer = sys.exception()
            try:
                with move_on_after(longest):
                    return await self._send(http, built)
            except Exception as error:
                if not self.pool.is_given:
                    forget_causes(error, outer)
                # A redirect that httpx cannot follow leaves its response, and so this request.
                built.extensions.clear()
                raise
        return None

    def _built(self, http: httpx.AsyncClient, connect_timeout: float | None) -> httpx.Request:
        library = self.pool.library
        is_own = self.pool.given is None
        request = self.request
        # The service's answers are small, and what is not compressed cannot swell.
        headers = {"Accept-Encoding": "identity", **request.headers}
        if request.authorization:
            headers["Authorization"] = request.authorization
        own_timeout = library.timeout(None, connect=connect_timeout)
        try:
            return http.build_request(
                request.method,
                request.url,
                headers=headers,
                content=request.content or None,
                timeout=own_timeout if is_own else library.client_default,
                extensions={"trace": tracer(self.state, self._see), "state": self.state},
            )
        except Exception as error:
            raise ConfigurationError(
                f"the HTTP client cannot build the request ({type(error).__name__}): check "
                "base_url, headers, and the http_client with its cookies.",
                operation=self.state.operation,
            ) from error

    async def _send(self, http: httpx.AsyncClient, built: httpx.Request) -> WireResponse:
        request = self.request
        authorized = request.authorization or "Authorization" in request.headers
        try:
            response = await http.send(
                built,
                stream=True,
                follow_redirects=False,
                auth=None if authorized else self.pool.library.client_default,
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
                self.state.received = b"".join(self._chunks)
            raise
        finally:
            await response.aclose()
            response.stream = self.pool.library.byte_stream()  # the one it had refers back to it
        return WireResponse(status=head.status, headers=head.headers, content=content)

    def _see_head(self, response: object) -> WireResponse | None:
        if not isinstance(response, self.pool.library.response):
            return None
        headers = {name.lower(): value for name, value in response.headers.items()}
        self._head = WireResponse(status=response.status_code, headers=headers)
        self.state.stage, self.state.status = Stage.READING, response.status_code
        return self._head

    def _see(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Take an answer's head from the wire: httpx raises at a Location that it cannot read."""
        self._see_head(self.pool.library.response(status, headers=list(headers)))

    async def _read(self, response: httpx.Response) -> bytes:
        try:
            if response.is_stream_consumed:  # by a hook of the user's, or a transport that mocks
                check_length(len(response.content), self.limit)
                return response.content
            encoding = response.headers.get("content-encoding", "")
            return decode(await self._read_raw(response), encoding, self.limit)
        except ContentError as error:
            raise unreadable(error, self.state.operation, response.status_code) from None

    async def _read_raw(self, response: httpx.Response) -> bytes:
        # As it was sent; sync streams have no place here.
        assert isinstance(response.stream, self.pool.library.byte_stream)  # noqa: S101
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
