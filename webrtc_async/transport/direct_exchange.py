"""One request straight over the own transport, and the answer to it: `Exchange` without httpx."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

import httpx
from attrs import define, field

from webrtc_async.content_coding import ContentError, check_length, decode
from webrtc_async.errors import ConfigurationError
from webrtc_async.outcome import Progress, Stage
from webrtc_async.transport.exchange import refusal_of, unreadable
from webrtc_async.transport.http1_connection import Origin
from webrtc_async.transport.http1_response import Http1Response
from webrtc_async.transport.http1_transport import Http1Transport, origin_of
from webrtc_async.transport.request_head import Fields
from webrtc_async.wire import WireRequest, WireResponse

_SERVER: Final = re.compile(r"(https?://[^/?#]+)(/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*+)")
"""A URL whose path httpx would leave as it is."""

_LONGEST_PATH: Final = 60_000
_WITH_LENGTH: Final = frozenset({"POST", "PUT", "PATCH"})


class _Target(NamedTuple):
    origin: Origin
    host: str
    path: str


@define(eq=False)
class DirectExchange:
    """A request under way.

    Attributes:
        request: What is sent; its target is a URL.
        progress: Kept up to date, so that a failure anywhere knows how far it came.
        limit: The most bytes of a body, decoded.
        transport: What sends it.
    """

    request: WireRequest
    progress: Progress
    limit: int
    transport: Http1Transport
    _target: _Target = field(init=False)
    _connect_timeout: float | None = field(default=None, init=False)
    _head: WireResponse | None = field(default=None, init=False)
    _chunks: list[bytes] = field(factory=list[bytes], init=False, repr=False)

    @property
    def refusal(self) -> WireResponse | None:
        """An answer that is not a success, with what has come of its body."""
        return refusal_of(self._head, self._chunks)

    def build(self, connect_timeout: float | None) -> None:
        """Find out where the request goes.

        Args:
            connect_timeout: Seconds that connecting may take; None for no bound.

        Raises:
            ConfigurationError: It cannot be sent anywhere.
        """
        self._connect_timeout = connect_timeout
        try:
            self._target = _target(self.request.target)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise ConfigurationError(
                f"the request cannot be built ({type(error).__name__}): check base_url.",
                operation=self.progress.operation,
            ) from error

    async def send_within(self, longest: float | None) -> WireResponse | None:
        """Send the request and return the answer, or None if that takes over so many seconds.

        Raises:
            UnexpectedResponseError: The body is over the limit or its encoding cannot be read.
        """
        request, (origin, host, path) = self.request, self._target
        response = await self.transport.exchange(
            request.method,
            origin,
            path,
            _fields(request, host),
            request.content,
            self.progress,
            longest=longest,
            connect_timeout=self._connect_timeout,
        )
        try:
            return await self._read(response)
        except httpx.ReadTimeout:
            self._keep(response)
            return None
        except BaseException:
            self._keep(response)
            raise
        finally:
            response.give_up()

    def _keep(self, response: Http1Response) -> None:
        if self._head is not None and "content-encoding" not in self._head.headers:
            self.progress.received = b"".join([*self._chunks, response.take()])

    async def _read(self, response: Http1Response) -> WireResponse:
        status, _, _, headers = await response.head()
        self.progress.stage, self.progress.status = Stage.READING, status
        self._head = WireResponse(status=status, headers=headers)
        try:
            if encoding := headers.get("content-encoding", ""):
                content = decode(await self._read_raw(response), encoding, self.limit)
            else:
                content = await self._read_raw(response)
        except ContentError as error:
            raise unreadable(error, self.progress.operation, status) from None
        return WireResponse(status=status, headers=headers, content=content)

    async def _read_raw(self, response: Http1Response) -> bytes:
        if response.is_complete:
            content = response.take()
            check_length(len(content), self.limit)
            self._chunks.append(content)
            return content
        size = 0
        async for chunk in response:
            size += len(chunk)
            check_length(size, self.limit)
            self._chunks.append(chunk)
            del chunk  # a traceback's local variables may be shown
        return b"".join(self._chunks)


def _fields(request: WireRequest, host: str) -> Fields:
    """Return the headers of a request with those that HTTP needs."""
    length = len(request.content)
    # The service's answers are small, and what is not compressed cannot swell.
    own = (("Host", host), ("Accept-Encoding", "identity"))
    if length or request.method in _WITH_LENGTH:
        return (*own, *request.headers.items(), ("Content-Length", str(length)))
    return (*own, *request.headers.items())


def _target(url: str) -> _Target:
    usual = _SERVER.fullmatch(url)
    if usual is None or len(url) > _LONGEST_PATH:
        parsed = httpx.URL(url)
        return _Target(origin_of(parsed), *_host_and_path(parsed))
    origin, host = _server(usual[1])
    return _Target(origin, host, usual[2])


@lru_cache(maxsize=16)
def _server(url: str) -> tuple[Origin, str]:
    parsed = httpx.URL(url)
    return origin_of(parsed), _host_and_path(parsed)[0]


def _host_and_path(url: httpx.URL) -> tuple[str, str]:
    return url.netloc.decode("ascii"), url.raw_path.decode("ascii")
