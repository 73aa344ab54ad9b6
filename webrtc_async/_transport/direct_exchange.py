"""One request straight over the own transport, and the answer to it: `Exchange` without httpx."""

from functools import lru_cache
from typing import TYPE_CHECKING

import anyio
import httpx

from webrtc_async._protocol.content_coding import ContentError, check_length, decode
from webrtc_async._protocol.wire import WireRequest, WireResponse
from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async._transport.failure import refusal_of, unreadable
from webrtc_async._transport.http1.connection import Origin
from webrtc_async._transport.http1.request_writer import check_target
from webrtc_async._transport.http1.response import Http1Response
from webrtc_async._transport.http1.transport import Http1Transport, origin_of
from webrtc_async._transport.orphaned_request import TakeOver
from webrtc_async.errors import ConfigurationError
from webrtc_async.errors.outcome import Stage

if TYPE_CHECKING:
    from webrtc_async._transport.http1.response_head import ResponseHead


class DirectExchange:
    """A request under way.

    Args:
        request: What is sent; its target is a URL.
        state: Kept up to date, so that a failure anywhere knows how far it came.
        limit: The most bytes of a body, decoded.
        transport: What sends it.
    """

    __slots__ = ("_chunks", "_head", "_limit", "_request", "_response", "_state", "_transport")

    def __init__(
        self, request: WireRequest, state: AttemptState, limit: int, transport: Http1Transport
    ) -> None:
        self._request = request
        self._state = state
        self._limit = limit
        self._transport = transport
        self._response: Http1Response
        self._head: ResponseHead | None = None
        self._chunks: list[bytes] = []

    @property
    def refusal(self) -> WireResponse | None:
        """An answer that is not a success, with what has come of its body."""
        if self._head is None:
            return None
        head = WireResponse(status=self._head.status, headers=self._head.headers)
        return refusal_of(head, self._chunks)

    async def answer(
        self,
        longest: float | None,
        connect_timeout: float | None,
        take_over: TakeOver | None,
    ) -> WireResponse | None:
        """Send the request and return the answer, or None if that takes over so many seconds.

        Args:
            longest: Seconds that it may take once it has a connection; None for no bound.
            connect_timeout: Seconds that connecting may take; None for no bound.
            take_over: Is given the exchange if this task is cancelled once the request was sent.

        Raises:
            ConfigurationError: It cannot be sent anywhere.
            UnexpectedResponseError: The body is over the limit or its encoding cannot be read.
        """
        request, state, transport = self._request, self._state, self._transport
        origin, host, target = self._place()
        written = transport.writer.write(request, target, host)
        connection = transport.take(origin, state)
        if connection is None:
            connection = await transport.connected(origin, connect_timeout, state)
        self._response = response = connection.begin(request.method, written, state, longest)
        try:
            return await self._read(response)
        except Exception as error:
            self._give_up()
            if isinstance(error, httpx.ReadTimeout):
                return None
            raise
        except BaseException:
            if take_over is None or not take_over(self):
                self._give_up()
            raise

    async def finish(self, within: float) -> bytes:
        """Read what still comes, for so many seconds, and return the body of a success."""
        try:
            with anyio.move_on_after(within):
                answer = await self._read(self._response)
                return answer.content if answer.is_success else b""
        except Exception:  # noqa: S110  # whatever ends it, what came before is the result
            pass
        finally:
            self._give_up()
        return self._state.received

    def _place(self) -> tuple[Origin, str, str]:
        """Return where the request goes, and its host and target on the wire."""
        request = self._request
        try:
            if request.base_url:
                origin, host, path = _parsed(request.base_url)
                # What is below a base URL is percent-encoded already: see PathTemplate.
                return origin, host, path.removesuffix("/") + request.target
            return _parsed(request.target)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise ConfigurationError(
                f"the request cannot be built ({type(error).__name__}): check base_url.",
                operation=self._state.operation,
            ) from error

    def _give_up(self) -> None:
        """End the exchange, unless it is complete, and keep what has come of a body."""
        if self._head is not None and not self._head.encoding:
            self._chunks.append(self._response.take())
            self._state.received = b"".join(self._chunks)
        self._response.give_up()

    async def _read(self, response: Http1Response) -> WireResponse:
        while (head := response.reader.head) is None:
            await response.arrival()
        self._head, state = head, self._state
        state.stage, state.status = Stage.READING, head.status
        try:
            if not response.is_complete:
                await self._receive(response)
            content = self._content(response, head.encoding)
        except ContentError as error:
            raise unreadable(error, self._state.operation, head.status) from None
        return WireResponse(head.status, head.headers, content)

    async def _receive(self, response: Http1Response) -> None:
        size = sum(map(len, self._chunks))
        async for chunk in response:
            size += len(chunk)
            check_length(size, self._limit)
            self._chunks.append(chunk)
            del chunk  # a traceback's local variables may be shown

    def _content(self, response: Http1Response, encoding: str) -> bytes:
        # In a frame of its own, because a failure's is not kept: see unreadable().
        content = response.take()
        if self._chunks:
            content = b"".join((*self._chunks, content))
        check_length(len(content), self._limit)
        return decode(content, encoding, self._limit) if encoding else content


@lru_cache(maxsize=16)
def _parsed(url: str) -> tuple[Origin, str, str]:
    parsed = httpx.URL(url)
    target = check_target(parsed.raw_path.decode("ascii"))
    return origin_of(parsed), parsed.netloc.decode("ascii"), target
