"""Scripted servers and transports."""

import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.abc
import anyio.lowlevel
from anyio.streams.tls import TLSListener
from attrs import define, field
from support.http_library import httpx

from webrtc_async._call.retry_policy import RetryPolicy
from webrtc_async._protocol.wire import WireRequest, WireResponse
from webrtc_async.client import AsyncWebRtcClient

ONCE = RetryPolicy(attempts=1)
SESSION = {"id": "s-1", "tag": "visit"}
BODY_OF_SESSION = json.dumps(SESSION).encode()


def answer(
    status: int = 200, body: object = None, headers: dict[str, str] | None = None
) -> httpx.Response:
    """Return a response of a transport, with JSON if a body is given."""
    return httpx.Response(status, json=body, headers=headers) if body else httpx.Response(status)


def refusal(status: int, **headers: str) -> httpx.Response:
    """Return an error response; an underscore in a header's name stands for a hyphen."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named)


class ScriptedTransport(httpx.AsyncBaseTransport):
    """A transport that gives each request the next step of its script; the last repeats."""

    def __init__(self, *steps: object) -> None:
        self.steps = list(steps) or [answer(200, SESSION)]
        self.requests: list[httpx.Request] = []
        self.times_closed = 0
        self.active = 0
        self.most_active = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step: Any = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        self.active += 1
        self.most_active = max(self.active, self.most_active)
        try:
            if callable(step):
                step = step(request)
            if isinstance(step, Awaitable):
                step = await step
        finally:
            self.active -= 1
        if isinstance(step, BaseException):
            raise step
        assert isinstance(step, httpx.Response)
        # Each request gets a response of its own, because its reader consumes it.
        return httpx.Response(step.status_code, headers=step.headers, content=step.content)

    async def aclose(self) -> None:
        self.times_closed += 1


async def hang(_: object) -> httpx.Response:
    """Never respond."""
    await anyio.sleep_forever()
    raise AssertionError


class Recorder:
    """A sleep that returns at once and records its seconds."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await anyio.lowlevel.checkpoint()


def policy(recorder: Recorder | None = None, **settings: Any) -> RetryPolicy:
    """Return a policy that never waits and whose random number is 0.5, unless told otherwise."""
    return RetryPolicy(
        **{"sleep": (recorder or Recorder()).sleep, "random": lambda: 0.5, **settings}
    )


def client_of(*steps: object, **settings: Any) -> AsyncWebRtcClient:
    """Return a client over a scripted transport, or over one with a single step."""
    if "transport" not in settings and "http_client" not in settings:
        settings["transport"] = ScriptedTransport(*steps)
    return AsyncWebRtcClient(
        settings.pop("account_id", "9900000"),
        **{"auth": ("user", "password"), "retry": policy(), **settings},
    )


class ScriptedSend:
    """A `send` for credentials, with the steps of a scripted transport."""

    def __init__(self, *steps: object) -> None:
        self.steps = list(steps)
        self.requests: list[WireRequest] = []

    async def __call__(self, request: WireRequest) -> WireResponse:
        self.requests.append(request)
        await anyio.lowlevel.checkpoint()
        step: Any = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if callable(step):
            step = await step()
        if isinstance(step, BaseException):
            raise step
        assert isinstance(step, WireResponse)
        return step


def wire_answer(status: int = 200, body: object = None, **headers: str) -> WireResponse:
    """Return a response for credentials; bytes stay as they are, the rest becomes JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return WireResponse(status=status, headers=headers, content=content)


async def reached(condition: Callable[[], bool]) -> None:
    """Yield to other tasks until a condition holds."""
    while not condition():
        await anyio.lowlevel.checkpoint()


Behaviour = Callable[[anyio.abc.ByteStream, bytes], Awaitable[None]]


@define
class SocketServer:
    """A server on 127.0.0.1 that sends raw bytes.

    Attributes:
        behaviours: One for each request; the last is repeated.
        keeps_alive: True to keep the connection open after a behaviour.
        is_tls: True if it speaks TLS.
        port: The port it listens at.
        connections: Accepted connections, without failed handshakes.
        requests: Each request, head and body.
    """

    behaviours: list[Behaviour]
    keeps_alive: bool = False
    is_tls: bool = False
    port: int = 0
    connections: int = 0
    active: int = 0
    most_active: int = 0
    requests: list[bytes] = field(factory=list)

    def url(self, scheme: str | None = None, host: str = "127.0.0.1") -> str:
        """Return the base URL, with the server's own scheme unless one is given."""
        return f"{scheme or ('https' if self.is_tls else 'http')}://{host}:{self.port}/v1"

    async def serve(self, stream: anyio.abc.ByteStream) -> None:
        """Serve one connection."""
        self.connections += 1
        async with stream:
            while (request := await read_request(stream)) is not None:
                self.requests.append(request)
                self.active += 1
                self.most_active = max(self.active, self.most_active)
                behaviour = (
                    self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
                )
                try:
                    await behaviour(stream, request)
                except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                    return
                finally:
                    self.active -= 1
                if not self.keeps_alive:
                    return


async def read_request(stream: anyio.abc.ByteStream) -> bytes | None:
    """Return the next request, or None when there is none."""
    received = b""
    while True:
        head, end, body = received.partition(b"\r\n\r\n")
        lengths = [
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        ]
        if end and len(body) >= sum(lengths):
            return received
        try:
            received += await stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            return None


@asynccontextmanager
async def serving(
    *behaviours: Behaviour, tls: ssl.SSLContext | None = None, keeps_alive: bool = False
) -> AsyncIterator[SocketServer]:
    """Serve behaviours while the body runs."""
    server = SocketServer(
        behaviours=list(behaviours), keeps_alive=keeps_alive, is_tls=tls is not None
    )
    async with listening(server.serve, tls) as server.port:
        yield server


@asynccontextmanager
async def listening(
    serve: Callable[[anyio.abc.ByteStream], Awaitable[None]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Listen while the body runs, and yield the port."""
    listener: Any = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    if tls is not None:
        listener = TLSListener(listener, tls, standard_compatible=False)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        yield port
        tasks.cancel_scope.cancel()


def raw(*parts: bytes) -> Behaviour:
    """Send bytes as they are."""

    async def send(stream: anyio.abc.ByteStream, _: bytes) -> None:
        for part in parts:
            await stream.send(part)

    return send


def http(status: int, body: bytes = b"", *, length: int | None = None, **headers: str) -> Behaviour:
    """Send a whole response, or one with another Content-Length."""
    lines = [
        f"HTTP/1.1 {status} Scripted",
        f"Content-Length: {len(body) if length is None else length}",
    ]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return raw("\r\n".join([*lines, "", ""]).encode() + body)


async def stay_silent(_: anyio.abc.ByteStream, __: bytes) -> None:
    """Never respond."""
    await anyio.sleep_forever()


async def hang_up(_: anyio.abc.ByteStream, __: bytes) -> None:
    """Close the connection without a response."""


async def reset(stream: anyio.abc.ByteStream, _: bytes) -> None:
    """Close even a kept connection without a response."""
    await stream.aclose()


def texts_of(value: object) -> Iterable[str]:
    """Return the texts by which a log could show a value."""
    return repr(value), str(value), f"{value}", f"{value!a}"
