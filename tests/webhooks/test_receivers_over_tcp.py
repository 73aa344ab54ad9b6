"""Receivers under each framework, over TCP: every request gets a documented status."""

import gzip
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
from aiohttp import web
from fastapi import Request
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from support.webhook_receivers import (
    EVERY,
    PATIENCE,
    VALUE,
    Receiver,
    receiving,
    served_aiohttp,
    served_asgi,
    served_fastapi,
)

from webrtc_async.webhooks import SharedSecret

EVENT = b'{"event":"onLeave","timestamp":"1","participantId":"p","deviceId":"d"}'


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=PATIENCE) as http:
        yield http


@pytest.mark.usefixtures("quiet")
def test_only_post_is_allowed(receiver: Receiver, http: httpx.Client) -> None:
    """Another method gets a 405 that allows POST, with the secret or without."""
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"):
        for path in (VALUE, "wrong", VALUE + "/"):
            answer = http.request(method, f"{receiver.url}/webhooks/{path}")
            assert (answer.status_code, answer.headers["allow"]) == (405, "POST"), (method, path)


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("serve", EVERY)
@pytest.mark.parametrize(
    "value", ["%-and-%41-and-%25", "odd ?#[]@!$&'()*+,;=:~\\\"<>^`{|} characters"]
)
def test_a_secret_of_any_characters(serve: Any, http: httpx.Client, value: str) -> None:
    """A callback URL may encode its secret or have it as it is, and may end with a slash."""
    as_it_is = [value] if "?" not in value else []
    with receiving(serve, SharedSecret(value=value)) as receiver:
        for each in [quote(value, safe=""), *as_it_is]:
            for end in ("", "/"):
                target = f"{receiver.url}/webhooks/{each}{end}"
                assert http.post(target, content=EVENT).status_code == 200, target
        for wrong in (value[:-1], value[1:], ""):
            target = f"{receiver.url}/webhooks/{quote(wrong, safe='')}"
            assert http.post(target, content=EVENT).status_code == 403
    assert len(receiver.all_received()) == 1


def post(receiver: Receiver, framing: bytes, body: bytes) -> socket.socket:
    """Send a request with these headers and this part of its body."""
    address = urlsplit(receiver.url)
    sender = socket.create_connection((address.hostname, address.port), timeout=PATIENCE)
    head = f"POST /webhooks/{VALUE} HTTP/1.1\r\nHost: localhost\r\n".encode()
    sender.sendall(head + framing + b"\r\n\r\n" + body)
    return sender


PARTIAL_POSTS = [
    (b"Content-Length: 100", b""),
    (b"Content-Length: 100", EVENT),
    (b"Transfer-Encoding: chunked", b"46\r\n" + EVENT + b"\r\n"),
    (b"Expect: 100-continue\r\nContent-Length: 100", b""),
]


@pytest.mark.usefixtures("quiet")
def test_a_poster_leaves_mid_body(receiver: Receiver, http: httpx.Client) -> None:
    """A poster that leaves before the end of its body reaches no handler and no server's log."""
    for framing, part in PARTIAL_POSTS:
        post(receiver, framing, part).close()
        with post(receiver, framing, part) as sender:
            sender.shutdown(socket.SHUT_WR)
            while sender.recv(1000):
                pass
    assert http.post(receiver.callback_url, content=b"{").status_code == 400
    assert receiver.all_received() == []


BROKEN = [gzip.compress(EVENT)[:15], b"\x1f\x8b", b"\0" * 100]


@pytest.mark.usefixtures("quiet")
def test_a_broken_coding(receiver: Receiver, http: httpx.Client) -> None:
    """A body that its coding does not fit gets a 400, and the next post is served."""
    for coding in ("gzip", "deflate"):
        for body in BROKEN:
            headers = {"content-encoding": coding}
            answer = http.post(receiver.callback_url, content=body, headers=headers)
            assert answer.status_code == 400, (coding, body)
    assert http.post(receiver.callback_url, content=EVENT).status_code == 200


BOMB = gzip.compress(bytes(50_000_000))
OVERSIZED = [
    (b"Content-Length: 1000000000", b"x" * 70_000),
    (b"Transfer-Encoding: chunked", b"11170\r\n" + b"x" * 70_000),
    (b"Content-Encoding: gzip\r\nContent-Length: %d" % len(BOMB), BOMB),
]


@pytest.mark.usefixtures("quiet")
def test_an_oversized_body_is_not_read(receiver: Receiver) -> None:
    """The response to a body over 64 KiB comes before the end of the body."""
    for framing, part in OVERSIZED:
        with post(receiver, framing, part) as sender:
            assert sender.recv(1000).startswith(b"HTTP/1.1 400 "), framing
    assert receiver.all_received() == []


class Reader:
    """Others that read the body, each in its framework's way."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def depends(self, request: Request) -> None:
        self.bodies.append(await request.body())

    async def depends_on_stream(self, request: Request) -> None:
        self.bodies.append(b"".join([part async for part in request.stream()]))

    async def before(self, request: Any, call_next: Any) -> Any:
        await self.depends(request)
        return await call_next(request)

    async def streams_before(self, request: Any, call_next: Any) -> Any:
        await self.depends_on_stream(request)
        return await call_next(request)

    @property
    def aiohttp_before(self) -> Any:
        @web.middleware
        async def read(request: web.Request, handler: Any) -> Any:
            self.bodies.append(await request.read())
            return await handler(request)

        return read

    @property
    def aiohttp_after(self) -> Any:
        @web.middleware
        async def read(request: web.Request, handler: Any) -> Any:
            response = await handler(request)
            self.bodies.append(await request.read())
            return response

        return read

    @property
    def aiohttp_streams_before(self) -> Any:
        @web.middleware
        async def read(request: web.Request, handler: Any) -> Any:
            self.bodies.append(await request.content.read())
            return await handler(request)

        return read


def through(dispatch: Any) -> dict[str, Any]:
    return {"middleware": [Middleware(BaseHTTPMiddleware, dispatch=dispatch)]}


SHARED = {
    "ASGI, a middleware before": (served_asgi, lambda it: through(it.before)),
    "FastAPI, a middleware before": (served_fastapi, lambda it: through(it.before)),
    "FastAPI, a dependency before": (served_fastapi, lambda it: {"before": [it.depends]}),
    "FastAPI, a dependency after": (served_fastapi, lambda it: {"after": [it.depends]}),
    "FastAPI, another after": (served_fastapi, lambda it: {"after": [it.depends_on_stream]}),
    "aiohttp, before": (served_aiohttp, lambda it: {"middlewares": [it.aiohttp_before]}),
    "aiohttp, after": (served_aiohttp, lambda it: {"middlewares": [it.aiohttp_after]}),
}


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(("serve", "options"), SHARED.values(), ids=SHARED)
def test_a_body_that_others_read_too(serve: Any, options: Any, http: httpx.Client) -> None:
    """The receiver and others read the same body, in any order, also one that is rejected."""
    reader = Reader()

    def serve_both(*of_receiver: Any) -> Any:
        return serve(*of_receiver, **options(reader))

    with receiving(serve_both) as receiver:
        assert http.post(receiver.callback_url, content=EVENT).status_code == 200
        chunked = http.post(receiver.callback_url, content=iter([b"{", b"}"]))
        assert chunked.status_code == 400
    assert [each.event for each in receiver.all_received()] == ["onLeave"]
    assert reader.bodies[0] == EVENT
    assert reader.bodies[1:] in ([], [b"{}"])


CONSUMED = {
    "ASGI, a middleware": (served_asgi, lambda it: through(it.streams_before)),
    "FastAPI, a dependency": (served_fastapi, lambda it: {"before": [it.depends_on_stream]}),
    "aiohttp, a middleware": (
        served_aiohttp,
        lambda it: {"middlewares": [it.aiohttp_streams_before]},
    ),
}


@pytest.mark.parametrize(("serve", "options"), CONSUMED.values(), ids=CONSUMED)
def test_a_consumed_body(
    serve: Any, options: Any, http: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    """If others consume the body and do not keep it, a 500 and the log say so."""

    def serve_both(*of_receiver: Any) -> Any:
        return serve(*of_receiver, **options(Reader()))

    with receiving(serve_both) as receiver:
        answer = http.post(receiver.callback_url, content=EVENT)
    assert (answer.status_code, "consumed" in answer.text) == (500, True)
    assert [each.name for each in caplog.records] == ["webrtc_async.webhooks"]
