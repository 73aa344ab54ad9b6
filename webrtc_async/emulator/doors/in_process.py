"""The emulator as an httpx transport, in the same process."""

import sys
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Final, cast

import httpx
from anyio.lowlevel import checkpoint

from webrtc_async._protocol.wire import WireRequest
from webrtc_async.emulator.control.calls import CONTROL_CALLS, Control
from webrtc_async.emulator.core.access_tokens import TOKEN_PATH
from webrtc_async.emulator.core.service import BASE_PATH
from webrtc_async.emulator.doors.in_process_faults import FaultyConnection
from webrtc_async.emulator.emulator import Emulator

_ORIGIN: Final = "http://emulator"
"""Names the emulator in a client's errors and logs."""

if TYPE_CHECKING or find_spec("httpx2") is None:
    _Transport = httpx.AsyncBaseTransport
    _ByteStream = httpx.AsyncByteStream
else:
    _httpx2 = import_module("httpx2")

    # Each library checks for its own classes, and the two have no common base.
    class _Transport(httpx.AsyncBaseTransport, _httpx2.AsyncBaseTransport):
        """A transport of both httpx and httpx2."""

    class _ByteStream(httpx.AsyncByteStream, _httpx2.AsyncByteStream):
        """A body of both httpx and httpx2."""


class EmulatorTransport(_Transport):
    """An httpx or httpx2 transport that sends requests for any host to an emulator.

    For a fault it waits, or raises the same error as httpx's own pool. It reports the progress of a
    request to the trace extension, so that a client's errors say the same as over the network.

    Attributes:
        base_url: URL of the API; a client of this transport uses it unless another one is given.
        token_url: URL of the access tokens, in the same way.

    Args:
        emulator: The emulator that responds.
        control: True to accept control calls as well.
    """

    base_url: Final = f"{_ORIGIN}{BASE_PATH}"
    token_url: Final = f"{_ORIGIN}{TOKEN_PATH}"

    def __init__(self, emulator: Emulator, *, control: bool = True) -> None:
        self.emulator = emulator
        self._control = Control(emulator, CONTROL_CALLS if control else ())
        self._faulty_connection = FaultyConnection()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the emulator's response; no other task runs while the emulator acts."""
        content = await request.aread()
        # Like a network call, this lets other tasks run and can be cancelled before it acts.
        await checkpoint()
        wire_request = WireRequest(
            method=request.method,
            # Raw, because an id can contain %2F.
            target=request.url.raw_path.decode("ascii"),
            headers=dict(request.headers),
            content=content,
        )
        if self._control.has(wire_request.target):
            found = self._control.respond(wire_request)
            response = httpx.Response(found.status, headers=found.headers, content=found.content)
        else:
            reply = self.emulator.reply_to(wire_request)
            with _errors_of(request):
                response = await self._faulty_connection.receive(reply, request)
        return _converted(response, request)


class _Stream(_ByteStream):
    """An httpx body for both libraries."""

    def __init__(self, stream: httpx.AsyncByteStream, request: httpx.Request) -> None:
        self._stream, self._request = stream, request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _errors_of(self._request):
            async for chunk in self._stream:
                yield chunk


@contextmanager
def _errors_of(request: httpx.Request) -> Generator[None, None, None]:
    """Convert errors of httpx to those of the request's own library."""
    try:
        yield
    except httpx.TransportError as error:
        library = _library_of(request)
        if library is httpx:
            raise
        raise getattr(library, type(error).__name__)(str(error), request=request) from None


def _library_of(request: httpx.Request) -> ModuleType:
    return sys.modules[type(request).__module__.partition(".")[0]]


def _converted(response: httpx.Response, request: httpx.Request) -> httpx.Response:
    library = _library_of(request)
    if library is httpx:
        return response
    if response.is_stream_consumed:
        body: dict[str, object] = {"content": response.content}
    else:
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101  # slow or cut
        body = {"stream": _Stream(response.stream, request)}
    converted = library.Response(response.status_code, headers=response.headers.raw, **body)
    return cast("httpx.Response", converted)
