"""The client's `httpx.AsyncClient`: it always exists, and changes to it take effect."""

import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import httpx
import pytest
from support.calling import OK
from support.calling import calling as calling_over
from support.scripted import SESSION, ScriptedTransport, answer, client_of, serving
from support.tls import client_side, server_side

from webrtc_async import AsyncWebRtcClient
from webrtc_async._transport.http1.transport import PooledTransport
from webrtc_async._transport.http_session import HttpSession
from webrtc_async.errors import ClientClosedError, NotFoundError

pytestmark = pytest.mark.anyio

# The clients that these tests pass are httpx's, whichever library the others run on.
calling = partial(calling_over, http_library=None)

Change = Callable[[httpx.AsyncClient], None]


@asynccontextmanager
async def pooled(**settings: Any) -> AsyncIterator[tuple[AsyncWebRtcClient, Any]]:
    """Yield a client with its own pool, and its server."""
    async with (
        serving(OK, keeps_alive=True) as server,
        calling(server.url(), **{"http_library": None, **settings}) as client,
    ):
        yield client, server


def test_a_client_has_an_httpx_client_from_the_start() -> None:
    """The client shows one `httpx.AsyncClient` for its whole life, and its views show the same."""
    client = AsyncWebRtcClient("9900000", auth=("user", "password"))
    assert type(client.http_client) is httpx.AsyncClient
    assert client.http_client is client.with_options(deadline=5).http_client
    assert not client.http_client.is_closed


def test_a_client_without_tls_makes_no_tls_context() -> None:
    """Making a client costs no TLS context and does not load httpcore."""
    program = (
        "import sys, httpx, webrtc_async\n"
        "httpx.create_ssl_context = None\n"
        "webrtc_async.AsyncWebRtcClient('9', auth=('u', 'p'))\n"
        "print('httpcore' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (ran.stdout.strip(), ran.stderr) == ("False", "")


async def test_a_client_that_was_made_here_is_closed_and_a_given_one_is_not() -> None:
    """`aclose()` closes the `httpx.AsyncClient` unless the user gave it."""
    async with pooled() as (client, _):
        pass
    assert client.http_client.is_closed
    given = httpx.AsyncClient(transport=ScriptedTransport(answer(200, SESSION)))
    async with client_of(http_client=given) as client:
        assert client.http_client is given
    assert not given.is_closed
    await given.aclose()


async def test_an_http_client_that_the_user_closes_is_named() -> None:
    """After `http_client.aclose()` a call is refused."""
    async with pooled() as (client, _):
        await client.http_client.aclose()
        with pytest.raises(ClientClosedError, match="http_client"):
            await client.get_session("s-1")


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_hooks_may_be_added_at_any_time(scheme: str) -> None:
    """Hooks added between calls see each later request and response."""
    seen: list[object] = []

    async def note(each: httpx.Request | httpx.Response) -> None:
        seen.append(each.method if isinstance(each, httpx.Request) else each.status_code)

    tls = server_side("127.0.0.1") if scheme == "https" else None
    settings = {"ssl_context": client_side()} if tls else {}
    async with (
        serving(OK, tls=tls, keeps_alive=True) as server,
        calling(server.url(scheme), http_library=None, **settings) as client,
    ):
        await client.get_session("s-1")
        client.http_client.event_hooks["request"].append(note)
        await client.create_session()
        client.http_client.event_hooks["response"].append(note)
        await client.get_session("s-1")
        client.http_client.event_hooks = {}
        await client.get_session("s-1")
    assert seen == ["POST", "GET", 200]
    assert len(server.requests) == 4


async def test_both_ways_share_a_pool_and_send_the_same() -> None:
    """With and without a hook, a request uses the same connection and sends the same headers."""

    async def do_nothing(_: httpx.Request) -> None:
        pass

    async with pooled() as (client, server):
        await client.get_session("s-1")
        client.http_client.event_hooks["request"].append(do_nothing)
        await client.get_session("s-1")
        if server.connections == 2:  # on trio httpx serves
            return
        assert server.connections == 1
        first, second = (sorted(each.lower().split(b"\r\n")) for each in server.requests)
        assert first == second


class Signed(httpx.Auth):
    """Credentials that add a header."""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, Any, None]:
        request.headers["X-Changed"] = "yes"
        yield request


class Wrapping(httpx.AsyncBaseTransport):
    """A transport that adds a header and delegates to another."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["X-Changed"] = "yes"
        return await self.inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self.inner.aclose()


def marking(call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return a method that adds a header to the request and delegates to the original."""

    async def mark(request: httpx.Request, **settings: Any) -> Any:
        request.headers["X-Changed"] = "yes"
        return await call(request, **settings)

    return mark


def change_headers(client: httpx.AsyncClient) -> None:
    client.headers["X-Changed"] = "yes"


def set_a_cookie(client: httpx.AsyncClient) -> None:
    client.cookies.set("x-changed", "yes")


def wrap_transport(client: httpx.AsyncClient) -> None:
    vars(client)["_transport"] = Wrapping(vars(client)["_transport"])


def mount_transport(client: httpx.AsyncClient) -> None:
    mounts = httpx.AsyncClient(mounts={"all://": Wrapping(vars(client)["_transport"])})
    vars(client)["_mounts"].update(vars(mounts)["_mounts"])


def wrap_method_of_transport(client: httpx.AsyncClient) -> None:
    transport = vars(client)["_transport"]
    transport.handle_async_request = marking(transport.handle_async_request)


def wrap_send(client: httpx.AsyncClient) -> None:
    client.send = marking(client.send)  # type: ignore[method-assign,assignment]


def extend_requests(client: httpx.AsyncClient) -> None:
    async def extend(request: httpx.Request) -> None:
        request.extensions["sni_hostname"] = "somebody.example"
        request.headers["X-Changed"] = "yes"

    client.event_hooks["request"].append(extend)


@pytest.mark.parametrize(
    "change",
    [
        change_headers,
        set_a_cookie,
        wrap_transport,
        mount_transport,
        wrap_method_of_transport,
        wrap_send,
        extend_requests,
    ],
)
async def test_a_change_counts_from_the_next_request(change: Change) -> None:
    """The next request uses every change that the user makes to the client between calls."""
    async with pooled() as (client, server):
        await client.get_session("s-1")
        change(client.http_client)
        await client.get_session("s-1")
    first, second = (request.lower() for request in server.requests)
    assert b"x-changed" not in first
    assert b"x-changed" in second


async def test_credentials_of_the_http_client_are_used() -> None:
    """An `auth` that is set on the client serves requests that have no Authorization."""
    async with serving(OK) as server:
        given = httpx.AsyncClient(auth=Signed())
        async with given, calling(server.url(), http_client=given, auth=None) as client:
            await client.get_session("s-1")
    assert b"x-changed" in server.requests[0].lower()


async def test_a_timeout_of_the_http_client_counts() -> None:
    """A timeout set on the httpx client replaces the package's own."""
    seen: list[Any] = []

    async def note(request: httpx.Request) -> None:
        seen.append(request.extensions["timeout"]["read"])

    async with pooled() as (client, _):
        client.http_client.event_hooks["request"].append(note)
        await client.get_session("s-1")
        client.http_client.timeout = 7
        await client.get_session("s-1")
    assert seen == [None, 7]


async def test_a_hook_that_raises_is_the_error_of_its_status() -> None:
    """A response hook may raise for the status."""

    async def refuse(response: httpx.Response) -> None:
        response.status_code = 404
        response.raise_for_status()

    async with pooled() as (client, _):
        client.http_client.event_hooks["response"].append(refuse)
        with pytest.raises(NotFoundError):
            await client.get_session("s-1")


async def test_requests_of_the_user_share_the_pool() -> None:
    """The user's own requests over the httpx client share its pool."""
    async with pooled() as (client, server):
        await client.get_session("s-1")
        response = await client.http_client.get(server.url(), timeout=None)
        assert (response.status_code, len(server.requests)) == (200, 2)


async def test_a_method_that_was_replaced_before_the_import_is_called() -> None:
    """A `send` that was patched before this package is imported sees every request."""
    program = """
import asyncio, sys, httpx
original = httpx.AsyncClient.send

async def send(self, request, **settings):
    print("seen", request.method)
    return await original(self, request, **settings)

httpx.AsyncClient.send = send
import webrtc_async

async def main():
    url = sys.argv[1]
    async with webrtc_async.AsyncWebRtcClient("9", auth=("u", "p"), base_url=url) as client:
        await client.get_session("s-1")

asyncio.run(main())
"""
    async with serving(OK) as server:
        ran = await anyio.run_process([sys.executable, "-c", program, server.url()])
    assert ran.stdout.strip() == b"seen GET"


def test_the_choice_of_transport_is_one_short_function() -> None:
    """The function that chooses between the two transports has at most 40 lines."""
    code = HttpSession.send.__code__
    lines = [line for _, _, line in code.co_lines() if line is not None]
    assert max(lines) - code.co_firstlineno < 40
    assert issubclass(PooledTransport, httpx.AsyncHTTPTransport)
