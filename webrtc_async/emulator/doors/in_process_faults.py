"""Faults in process: late or wrong responses, and the errors that httpx's own pool raises."""

import re
from collections.abc import AsyncIterator
from typing import Final, Literal

import anyio
import httpx

from webrtc_async._protocol.wire import WireResponse
from webrtc_async.emulator.faults.reply import Reply
from webrtc_async.emulator.faults.rule import FaultRule
from webrtc_async.emulator.faults.wire_bytes import KEEP_ALIVE, PIECES, garbage, pieces

_RESPONSE: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[^\n]*\n(.*?\n)?\r?\n(.*)", re.DOTALL)


class FaultyConnection:
    """A simulated connection on which faults happen."""

    def __init__(self) -> None:
        self._surplus = b""

    async def receive(self, reply: Reply, request: httpx.Request) -> httpx.Response:
        """Return the response, or raise the error, that httpx's pool would.

        Args:
            reply: The emulator's reply.
            request: The request.
        """
        if self._surplus:
            await _report(request, "http11.send_request_body.complete")
            # The pool reads bytes after the last response as the response to this request.
            surplus, self._surplus = self._surplus, b""
            return _read_surplus(surplus, request)
        rule = reply.fault
        if rule is not None and rule.refuse:
            await _report(request, "connection.connect_tcp.started")
            await _wait(reply.delay, request, "connect")
            raise httpx.ConnectError("All connection attempts failed", request=request)
        await _report(request, "http11.send_request_body.complete")
        await _wait(reply.delay, request)
        if rule is None:
            return _whole(reply.response)
        if ending := rule.drop or rule.lose_answer:
            raise _ended(ending, request)
        if rule.garbage is not None:
            raise _illegal(garbage(rule.garbage), request)
        assert reply.response is not None  # noqa: S101  # all other faults happen after acting
        return await self._receive_faulty(reply.response, rule, request)

    async def _receive_faulty(
        self, response: WireResponse, rule: FaultRule, request: httpx.Request
    ) -> httpx.Response:
        if rule.slow_body is not None:
            return _streamed(
                response, _SlowBody(response.content, rule.slow_body / PIECES, request)
            )
        if rule.slow_headers is not None:
            for _ in range(PIECES):
                await _wait(rule.slow_headers / PIECES, request)
        if rule.truncate is not None:
            return _truncated(response, rule.truncate, request)
        if rule.wrong_length is not None:
            return self._with_wrong_length(response, rule.wrong_length, request)
        if rule.trailing is not None:
            self._surplus = rule.trailing.encode("utf-8", "surrogatepass")
        return _whole(response)

    def _with_wrong_length(
        self, response: WireResponse, difference: int, request: httpx.Request
    ) -> httpx.Response:
        if not response.content:
            return _whole(response)
        length = max(0, len(response.content) + difference)
        if difference > 0:
            return _streamed(response, _CutBody(response.content, length, KEEP_ALIVE, request))
        self._surplus = response.content[length:]
        return _streamed(response, httpx.ByteStream(response.content[:length]), length)


class _SlowBody(httpx.AsyncByteStream):
    def __init__(self, content: bytes, gap: float, request: httpx.Request) -> None:
        self._content, self._gap, self._request = content, gap, request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in pieces(self._content):
            await _wait(self._gap, self._request)
            yield piece


class _CutBody(httpx.AsyncByteStream):
    def __init__(self, content: bytes, length: int, wait: float, request: httpx.Request) -> None:
        self._content, self._length, self._wait = content, length, wait
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content
        await _wait(self._wait, self._request)
        raise httpx.RemoteProtocolError(
            "peer closed connection without sending complete message body "
            f"(received {len(self._content)} bytes, expected {self._length})",
            request=self._request,
        )


async def _report(request: httpx.Request, event: str) -> None:
    """Report an event of httpcore's to the request's trace extension."""
    trace = request.extensions.get("trace")
    if trace is not None:
        await trace(event, {"request": request})


async def _wait(
    seconds: float, request: httpx.Request, step: Literal["connect", "read"] = "read"
) -> None:
    if not seconds:
        return
    timeout: float | None = request.extensions.get("timeout", {}).get(step)
    if timeout is None or seconds <= timeout:
        await anyio.sleep(seconds)
        return
    await anyio.sleep(timeout)
    kind = httpx.ReadTimeout if step == "read" else httpx.ConnectTimeout
    raise kind("", request=request)


def _whole(response: WireResponse | None) -> httpx.Response:
    assert response is not None  # noqa: S101  # only refuse and drop remove it
    return httpx.Response(response.status, headers=response.headers, content=response.content)


def _streamed(
    response: WireResponse,
    stream: httpx.AsyncByteStream,
    length: int | None = None,
) -> httpx.Response:
    length = len(response.content) if length is None else length
    headers = {**response.headers, "content-length": str(length)}
    return httpx.Response(response.status, headers=headers, stream=stream)


def _truncated(response: WireResponse, count: int, request: httpx.Request) -> httpx.Response:
    if count >= len(response.content):
        raise _ended("close", request)
    kept = _CutBody(response.content[:count], len(response.content), 0, request)
    return _streamed(response, kept)


def _ended(ending: str, request: httpx.Request) -> httpx.TransportError:
    if ending == "reset":
        return httpx.ReadError("", request=request)
    return httpx.RemoteProtocolError(
        "Server disconnected without sending a response.", request=request
    )


def _read_surplus(surplus: bytes, request: httpx.Request) -> httpx.Response:
    found = _RESPONSE.fullmatch(surplus)
    if found is None:
        raise _illegal(surplus, request)
    lines = (found[2] or b"").splitlines()
    headers = [
        (name.strip(), value.strip()) for name, _, value in (x.partition(b":") for x in lines)
    ]
    return httpx.Response(int(found[1]), headers=headers, content=found[3])


def _illegal(content: bytes, request: httpx.Request) -> httpx.RemoteProtocolError:
    line = content.splitlines()[0]
    return httpx.RemoteProtocolError(f"illegal status line: {bytearray(line)}", request=request)
