"""One request straight over the own transport, and the answer to it: `Exchange` without httpx."""

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import anyio
import httpx

from webrtc_async.content_coding import ContentError, check_length, decode
from webrtc_async.errors import ConfigurationError
from webrtc_async.outcome import Progress, Stage
from webrtc_async.transport.failure import refusal_of, unreadable
from webrtc_async.transport.http1_connection import Origin
from webrtc_async.transport.http1_response import Http1Response
from webrtc_async.transport.http1_transport import Http1Transport, origin_of
from webrtc_async.transport.left import TakeOver
from webrtc_async.transport.request_head import Fields
from webrtc_async.wire import WireRequest, WireResponse

if TYPE_CHECKING:
    from webrtc_async.transport.response_head import ResponseHead

_SERVER: Final = re.compile(r"(https?://[^/?#]+)(/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*+)")
"""A URL whose path httpx would leave as it is."""

_LONGEST_PATH: Final = 60_000
_WITH_LENGTH: Final = frozenset({"POST", "PUT", "PATCH"})


class DirectExchange:
    """A request under way.

    Args:
        request: What is sent; its target is a URL.
        progress: Kept up to date, so that a failure anywhere knows how far it came.
        limit: The most bytes of a body, decoded.
        transport: What sends it.
    """

    def __init__(
        self, request: WireRequest, progress: Progress, limit: int, transport: Http1Transport
    ) -> None:
        self._request = request
        self._progress = progress
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
        request = self._request
        origin, host, path = self._target()
        self._response = response = await self._transport.exchange(
            request.method,
            origin,
            path,
            _fields(request, host),
            request.content,
            self._progress,
            longest=longest,
            connect_timeout=connect_timeout,
        )
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
        return self._progress.received

    def _target(self) -> tuple[Origin, str, str]:
        try:
            return _target(self._request.target)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise ConfigurationError(
                f"the request cannot be built ({type(error).__name__}): check base_url.",
                operation=self._progress.operation,
            ) from error

    def _give_up(self) -> None:
        """End the exchange, unless it is complete, and keep what has come of a body."""
        if self._head is not None and not self._head.encoding:
            self._chunks.append(self._response.take())
            self._progress.received = b"".join(self._chunks)
        self._response.give_up()

    async def _read(self, response: Http1Response) -> WireResponse:
        head = self._head = await response.head()
        self._progress.stage, self._progress.status = Stage.READING, head.status
        try:
            if not response.is_complete:
                await self._receive(response)
            content = self._content(response, head.encoding)
        except ContentError as error:
            raise unreadable(error, self._progress.operation, head.status) from None
        return WireResponse(status=head.status, headers=head.headers, content=content)

    async def _receive(self, response: Http1Response) -> None:
        size = sum(map(len, self._chunks))
        async for chunk in response:
            size += len(chunk)
            check_length(size, self._limit)
            self._chunks.append(chunk)
            del chunk  # a traceback's local variables may be shown

    def _content(self, response: Http1Response, encoding: str) -> bytes:
        # In a frame of its own, because a failure's is not kept: see unreadable().
        content = b"".join((*self._chunks, response.take()))
        check_length(len(content), self._limit)
        return decode(content, encoding, self._limit) if encoding else content


def _fields(request: WireRequest, host: str) -> Fields:
    """Return the headers of a request with those that HTTP needs."""
    length = len(request.content)
    # The service's answers are small, and what is not compressed cannot swell.
    own = (("Host", host), ("Accept-Encoding", "identity"))
    if length or request.method in _WITH_LENGTH:
        return (*own, *request.headers.items(), ("Content-Length", str(length)))
    return (*own, *request.headers.items())


def _target(url: str) -> tuple[Origin, str, str]:
    usual = _SERVER.fullmatch(url)
    if usual is None or len(url) > _LONGEST_PATH:
        parsed = httpx.URL(url)
        return origin_of(parsed), *_host_and_path(parsed)
    origin, host = _server(usual[1])
    return origin, host, usual[2]


@lru_cache(maxsize=16)
def _server(url: str) -> tuple[Origin, str]:
    parsed = httpx.URL(url)
    return origin_of(parsed), _host_and_path(parsed)[0]


def _host_and_path(url: httpx.URL) -> tuple[str, str]:
    return url.netloc.decode("ascii"), url.raw_path.decode("ascii")
