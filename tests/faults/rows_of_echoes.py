"""Responses that echo the credentials in every escaped form, or a token where none is read."""

import base64
import html
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import anyio
import anyio.abc
from support.scripted import Behaviour, raw

from webrtc_async import (
    ApiError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    CreateRolledBackError,
    ForbiddenError,
    NotFoundError,
    Outcome,
    RateLimitedError,
    RedirectError,
    ResponseTooLargeError,
    ServerError,
    UnauthorizedError,
    UnexpectedResponseError,
)

from .behaviours import HEAD, answered
from .credentials import DEVICE_TOKEN, GRANTED, OPAQUE_TOKEN
from .row import Expected, Row, create_participant, get_participant, lost, refused
from .rows_of_secrets import at_token_endpoint
from .scene import Scene, wire

ESCAPES: dict[str, Callable[[str], str]] = {
    "JSON": lambda text: json.dumps(text)[1:-1],
    "HTML": html.escape,
    "percent": lambda text: quote(text, safe=""),
    "base64 without padding": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "JSON in HTML": lambda text: html.escape(json.dumps(text).replace("/", r"\/")),
}
ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
TOKENS = f'"token": "{DEVICE_TOKEN}", "deviceToken": "{OPAQUE_TOKEN}"'
UNUSABLE = f'{{"participant": {{"id": "{ID}", "tag": 5}}, {TOKENS}}}'.encode()


def echoes_of(request: bytes) -> Iterator[str]:
    """Yield the credentials of a request in every escaped form, as sent and decoded."""
    found = re.search(rb"\r\nauthorization: (\S+ (\S+))\r\n", request, re.IGNORECASE)
    assert found is not None
    header, credentials = found[1].decode(), found[2].decode()
    texts = {header, credentials, credentials.rstrip("=")}
    if header.startswith("Basic"):
        pair = base64.b64decode(credentials).decode()
        texts |= {pair, pair.partition(":")[2]}
    for text in sorted(texts):
        yield text
        yield from (escape(text) for escape in ESCAPES.values())


def echoing_escaped(status: bytes, *headers: bytes, key: str = "error") -> Behaviour:
    """Respond with the credentials in every escaped form, in the body and in headers."""

    async def send(stream: anyio.abc.ByteStream, request: bytes) -> None:
        echoes = list(echoes_of(request))
        shown = [each.encode() for each in echoes if each.isascii()]
        lines = [b"X-Echo-%d: " % place + each for place, each in enumerate(shown)]
        text = " ".join(echoes)
        fields = {key: text, "error_description": text, "requestId": echoes[0]}
        lines += [b"X-Amzn-RequestId: " + shown[0], b"Content-Type: " + shown[0], *headers]
        await answered(json.dumps(fields).encode(), *lines, status=status)(stream, request)

    return send


def error_row(
    status: int, error: type[ApiError], repeatable: int = 1, create: int = 1, *headers: bytes
) -> Row:
    """Return a row of an error response that echoes."""
    return Row(
        f"60-{status}",
        f"{status} that echoes in every form",
        wire(echoing_escaped(b"%d No" % status, *headers)),
        refused(error, repeatable, status),
        refused(error, create, status),
    )


def token_row(status: int, error: type[Exception], requests: int = 1) -> Row:
    """Return a row of a token endpoint that echoes."""
    expected = Expected(error, requests, Outcome.NOT_SENT)
    return Row(
        f"60-token-{status}",
        f"a token endpoint's {status} that echoes in every form",
        at_token_endpoint(echoing_escaped(b"%d No" % status)),
        expected,
        expected,
        heals=False,
        credentials=(GRANTED,),
    )


@asynccontextmanager
async def with_a_small_limit() -> AsyncIterator[Scene]:
    """Set up a server whose echo is longer than the client accepts."""
    async with wire(echoing_escaped(b"200 OK"))() as scene:
        scene.settings["max_response_bytes"] = 100
        yield scene


def quoted_row(number: str, fault: str, *parts: bytes, status: int | None = None) -> Row:
    """Return a row of bytes with tokens, where a parser would quote them."""
    return Row(
        f"60-{number}",
        f"tokens in {fault}",
        wire(raw(*parts)),
        lost(3, status),
        lost(1, status),
        perform=get_participant,
        perform_create=create_participant,
    )


def undone(unusable: Behaviour) -> Behaviour:
    """Respond in an unusable way, except to a delete."""

    async def send(stream: anyio.abc.ByteStream, request: bytes) -> None:
        is_delete = request.startswith(b"DELETE")
        await (raw(b"HTTP/1.1 204 Gone\r\n\r\n") if is_delete else unusable)(stream, request)

    return send


def undone_row(number: str, fault: str, unusable: Behaviour, repeatable: Expected) -> Row:
    """Return a row of a create that is undone, because its response is unusable."""
    return Row(
        f"60-{number}",
        f"a create that is undone after {fault}",
        wire(undone(unusable)),
        repeatable,
        Expected(CreateRolledBackError, 2),
        perform=get_participant,
        perform_create=create_participant,
        heals=False,
    )


SECRET_LINE = f"X {TOKENS}".encode()
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
ROWS_OF_ECHOES = [
    error_row(302, RedirectError),
    error_row(400, BadRequestError),
    error_row(401, UnauthorizedError),
    error_row(403, ForbiddenError),
    error_row(404, NotFoundError),
    error_row(409, ConflictError),
    error_row(418, ApiError),
    error_row(429, RateLimitedError, 3, 3, b"Retry-After: 0"),
    error_row(503, ServerError, 3, 3),
    Row(
        "60-200",
        "200 that echoes in every form",
        wire(echoing_escaped(b"200 OK", key="id\u0000")),
        Expected(UnexpectedResponseError),
        Expected(UnexpectedResponseError),
    ),
    Row(
        "60-large",
        "200 that echoes over the limit",
        with_a_small_limit,
        Expected(ResponseTooLargeError),
        Expected(ResponseTooLargeError),
        heals=False,
    ),
    token_row(200, ConfigurationError),
    token_row(400, ConfigurationError),
    token_row(401, UnauthorizedError),
    token_row(503, ServerError, 3),
    quoted_row("status line", "the status line", SECRET_LINE + b"\r\n\r\n"),
    quoted_row("status", "the status", b"HTTP/1.1 2x0 " + SECRET_LINE + b"\r\n\r\n"),
    quoted_row("header", "a header line", HEAD + SECRET_LINE + b"\r\n\r\n"),
    quoted_row("chunk", "a chunk header", CHUNKED + SECRET_LINE + b"\r\n\r\n", status=200),
    quoted_row("footer", "a chunk footer", CHUNKED + b"1\r\nx" + SECRET_LINE, status=200),
    undone_row(
        "undone", "a body that does not fit", answered(UNUSABLE), Expected(UnexpectedResponseError)
    ),
    undone_row(
        "undone-lost",
        "a body that is cut off",
        raw(HEAD + b"Content-Length: 999\r\n\r\n" + UNUSABLE),
        lost(3, 200),
    ),
]
