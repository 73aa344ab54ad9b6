"""The emulator in place of the network, in the same process."""

import sys
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, cast

import httpx
from anyio.lowlevel import checkpoint

from webrtc_async._protocol.wire import WireRequest
from webrtc_async.emulator.control.calls import CONTROL_CALLS, Control
from webrtc_async.emulator.doors.in_process_faults import Misbehaviour
from webrtc_async.emulator.emulator import Emulator

if TYPE_CHECKING or find_spec("httpx2") is None:
    _Transport = httpx.AsyncBaseTransport
    _ByteStream = httpx.AsyncByteStream
else:
    _httpx2 = import_module("httpx2")

    # Each library looks for its own classes, and the two share no parent.
    class _Transport(httpx.AsyncBaseTransport, _httpx2.AsyncBaseTransport):
        """A transport of both httpx and httpx2."""

    class _ByteStream(httpx.AsyncByteStream, _httpx2.AsyncByteStream):
        """A body of both httpx and httpx2."""


class EmulatorTransport(_Transport):
    """Sends requests of httpx or httpx2 to an emulator, whatever host they are for.

    Where a fault rule of the emulator strikes, it waits, and raises what httpx's own pool raises.

    Args:
        emulator: What answers.
        control: Whether control calls are answered as well.
    """

    def __init__(self, emulator: Emulator, *, control: bool = True) -> None:
        self.emulator = emulator
        self._control = Control(emulator, CONTROL_CALLS if control else ())
        self._misbehaviour = Misbehaviour()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the emulator's answer; nothing else runs between its check and its change."""
        content = await request.aread()
        # A network call gives way and can be cancelled, so this one does and can, before it acts.
        await checkpoint()
        asked = WireRequest(
            method=request.method,
            # Raw, because an id that holds %2F is still one id.
            target=request.url.raw_path.decode("ascii"),
            headers=dict(request.headers),
            content=content,
        )
        if self._control.knows(asked.target):
            answer = self._control.answer(asked)
            found = httpx.Response(answer.status, headers=answer.headers, content=answer.content)
        else:
            reply = self.emulator.reply_to(asked)
            with _errors_of(request):
                found = await self._misbehaviour.passed_on(reply, request)
        return _answer_to(request, found)


class _Stream(_ByteStream):
    """A body of httpx as one of both."""

    def __init__(self, stream: httpx.AsyncByteStream, request: httpx.Request) -> None:
        self._stream, self._request = stream, request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _errors_of(self._request):
            async for chunk in self._stream:
                yield chunk


@contextmanager
def _errors_of(request: httpx.Request) -> Generator[None, None, None]:
    """Raise what httpx names so as the request's own library does."""
    try:
        yield
    except httpx.TransportError as error:
        library = _library_of(request)
        if library is httpx:
            raise
        raise getattr(library, type(error).__name__)(str(error), request=request) from None


def _library_of(request: httpx.Request) -> ModuleType:
    return sys.modules[type(request).__module__.partition(".")[0]]


def _answer_to(request: httpx.Request, found: httpx.Response) -> httpx.Response:
    library = _library_of(request)
    if library is httpx:
        return found
    if found.is_stream_consumed:
        body: dict[str, object] = {"content": found.content}
    else:
        assert isinstance(found.stream, httpx.AsyncByteStream)  # noqa: S101  # slow, or cut off
        body = {"stream": _Stream(found.stream, request)}
    answer = library.Response(found.status_code, headers=found.headers.raw, **body)
    return cast("httpx.Response", answer)
