"""A request and its response by the `AsyncClient` of httpx or httpx2."""

from collections.abc import AsyncGenerator, Callable
from typing import Any, Final

import httpx
from anyio import CancelScope
from anyio.lowlevel import checkpoint

from webrtc_async._transport.attempt_state import AttemptState, Tracer
from webrtc_async._transport.exchange import Exchange
from webrtc_async._transport.http1.response_head import ResponseHead, parsed_head
from webrtc_async._transport.http1.transport import host_header
from webrtc_async._transport.http_library import Library
from webrtc_async.errors import ConfigurationError

_CHUNKS_AT_A_TIME: Final = 256
"""Chunks between two checkpoints, because a stream that never waits could not be cancelled."""


def build_request(client: httpx.AsyncClient, exchange: Exchange, timeout: Any) -> httpx.Request:
    """Return the request of an exchange, with the client's own headers, cookies and parameters.

    Raises:
        ConfigurationError: The client cannot build the request.
    """
    request = exchange.request
    # The service's responses are small, and what is not compressed cannot swell.
    headers = {"Accept-Encoding": "identity", **request.headers}
    if request.authorization:
        headers["Authorization"] = request.authorization
    tracer = Tracer(
        exchange.state, lambda status, raw: exchange.see_head(parsed_head(status, b"", list(raw)))
    )
    try:
        built = client.build_request(
            request.method,
            request.url,
            headers=headers,
            content=request.content or None,
            timeout=timeout,
            extensions={"trace": tracer},
        )
    except Exception as error:
        raise unbuildable(exchange.state, error) from error
    if (host := built.url.raw_host).endswith(b"."):
        # DNS may end a name with a dot; certificates and virtual hosts do not.
        built.headers["Host"] = host_header(built.url)
        built.extensions["sni_hostname"] = host.decode("ascii").removesuffix(".")
    return built


def unbuildable(state: AttemptState, error: Exception) -> ConfigurationError:
    """Return the error for a request that cannot be built."""
    return ConfigurationError(
        f"the HTTP client cannot build the request ({type(error).__name__}). Nothing was sent. "
        "Check base_url, headers, and the http_client with its cookies.",
        operation=state.operation,
    )


async def send_request(
    client: httpx.AsyncClient, library: Library, built: httpx.Request, exchange: Exchange
) -> httpx.Response:
    """Send the request of an exchange and return the response, with the body still to be read."""
    request = exchange.request
    is_authorized = request.authorization or "Authorization" in request.headers
    auth = None if is_authorized else library.client_default
    try:
        return await client.send(built, stream=True, follow_redirects=False, auth=auth)
    except Exception as error:
        # A user's hook may have seen the response and raised, as raise_for_status does.
        response = getattr(error, "response", None)
        if isinstance(response, library.response):
            exchange.see_head(head_of(response))
        raise


def head_of(response: httpx.Response) -> ResponseHead:
    """Return the head of a response."""
    return parsed_head(response.status_code, b"", response.headers.raw)


class LibraryResponse:
    """A `Reply` whose body is still to be read, unless a hook or a mock has read it."""

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
