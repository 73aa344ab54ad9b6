"""Exchanges over real sockets, and the error for each failure of the HTTP library."""

import gzip
import inspect
import ssl
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import anyio.abc
import pytest
from anyio.streams.tls import TLSStream
from faults.behaviours import answered
from support.backends import jumping_backends
from support.calling import BODY, OK, calling
from support.http_library import httpx
from support.scripted import (
    ONCE,
    ScriptedTransport,
    answer,
    client_of,
    hang,
    hang_up,
    http,
    listening,
    policy,
    raw,
    read_request,
    serving,
    stay_silent,
)
from support.tls import client_side, server_side

from webrtc_async import AsyncWebRtcClient
from webrtc_async._call.observer import ObservedAttempt, ObservedCall, Observer
from webrtc_async.errors import (
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    DeadlineExceededError,
    NotFoundError,
    RedirectError,
    ResponseTooLargeError,
    ServerError,
    TlsError,
    TransportError,
    UnexpectedResponseError,
    UnknownOutcomeError,
    WebRtcError,
)
from webrtc_async.errors.outcome import Outcome, Stage
from webrtc_async.route_table import GET_SESSION

pytestmark = pytest.mark.anyio


async def free_port() -> int:
    """Return a port without a listener."""
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        return listener.extra(anyio.abc.SocketAttribute.local_port)


# Outcomes


async def test_a_refused_connection_sent_nothing() -> None:
    """For a port without a listener, the error says that nothing was sent, and to which address."""
    port = await free_port()
    async with calling(f"http://127.0.0.1:{port}") as client:
        with pytest.raises(ConnectionFailedError, match=f"127.0.0.1:{port}") as caught:
            await client.get_session("s-1")
    assert caught.value.outcome is Outcome.NOT_SENT
    assert not isinstance(caught.value, TlsError)


async def test_an_unknown_host_sent_nothing() -> None:
    """A host name without an address is a failed connection."""
    async with calling("http://nowhere.invalid") as client:
        with pytest.raises(ConnectionFailedError, match=r"nowhere\.invalid") as caught:
            await client.get_session("s-1")
    assert caught.value.outcome is Outcome.NOT_SENT


@pytest.mark.parametrize("url", ["http://256.1.1.1/v1", f"http://127.0.0.1/{'x' * 70_000}"])
async def test_a_url_that_httpx_refuses_is_our_error(url: str) -> None:
    """A URL that only the HTTP library refuses raises our error, with nothing sent."""
    async with calling(url) as client:
        with pytest.raises(ConfigurationError, match="Check base_url") as caught:
            await client.get_session("s-1")
    assert (caught.value.outcome, caught.value.attempts) == (Outcome.NOT_SENT, 1)
    assert client.requests_sent == 0


async def test_a_close_before_the_response_is_unknown() -> None:
    """If the server closes without a byte, it may have carried the request out."""
    async with serving(hang_up) as server, calling(server.url()) as client:
        with pytest.raises(UnknownOutcomeError) as caught:
            await client.create_session()
        assert len(server.requests) == 1
    assert (caught.value.outcome, caught.value.status) == (Outcome.UNKNOWN, None)
    assert "waiting for the response" in str(caught.value)


@pytest.mark.parametrize(
    "behaviour",
    [
        http(200, BODY[:5], length=len(BODY)),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a length\r\n"),
    ],
)
async def test_a_close_after_the_head_keeps_the_status(behaviour: Any) -> None:
    """A truncated body is a lost response with a known status."""
    async with serving(behaviour) as server, calling(server.url()) as client:
        with pytest.raises(UnknownOutcomeError, match="reading the response") as caught:
            await client.create_session()
    assert (caught.value.outcome, caught.value.status) == (Outcome.ANSWERED, 200)


@pytest.mark.parametrize(
    "garbage",
    [
        b"garbage\r\n\r\n",
        b"\x00\xff" * 100,
        b"HTTP/1.1 two hundred OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
        b"220 smtp.example ESMTP\r\n",
    ],
    ids=range(7),
)
async def test_garbage_is_a_lost_response(garbage: bytes) -> None:
    """Bytes that are not HTTP leave the outcome unknown."""
    async with serving(raw(garbage)) as server, calling(server.url()) as client:
        with pytest.raises(UnknownOutcomeError) as caught:
            await client.create_session()
    assert (caught.value.outcome, caught.value.status) == (Outcome.UNKNOWN, None)


async def test_a_kept_connection_that_was_closed_is_replaced() -> None:
    """A connection that the server closed between two calls causes no failure."""
    async with serving(OK) as server, calling(server.url()) as client:
        for _ in range(3):
            assert (await client.get_session("s-1")).id == "s-1"
            await anyio.wait_all_tasks_blocked()
        assert server.connections == 3


async def test_connections_are_kept() -> None:
    """Sequential calls share one connection."""
    async with serving(OK, keeps_alive=True) as server, calling(server.url()) as client:
        for _ in range(3):
            await client.get_session("s-1")
        assert (server.connections, len(server.requests), client.requests_sent) == (1, 3, 3)


async def test_an_attempt_that_takes_too_long_is_repeated() -> None:
    """attempt_timeout ends an attempt that waits for its response, if another can follow."""
    async with serving(stay_silent, OK) as server:
        chosen = policy(attempts=2, attempt_timeout=0.5)
        async with calling(server.url(), retry=chosen) as client:
            found = await client.request(GET_SESSION, session_id="s-1")
        assert (found.data.id, found.attempts, len(server.requests)) == ("s-1", 2, 2)


@jumping_backends()
@pytest.mark.parametrize("attempts", [1, 3])
async def test_a_final_attempt_has_no_attempt_timeout(attempts: int) -> None:
    """attempt_timeout ends no create and no last attempt, because neither is repeated."""

    async def slowly(_: object) -> httpx.Response:
        await anyio.sleep(20)
        return answer(200, {"id": "s-1"})

    chosen = policy(attempts=attempts, attempt_timeout=1)
    async with client_of(slowly, retry=chosen, deadline=25) as client:
        assert (await client.create_session()).id == "s-1"
        found = await client.request(GET_SESSION, session_id="s-1") if attempts == 1 else None
    assert found is None or found.elapsed >= 20


@jumping_backends()
async def test_a_timed_out_attempt_names_its_setting() -> None:
    """The error of a timed-out attempt names attempt_timeout."""
    chosen = policy(attempts=2, attempt_timeout=1)
    async with client_of(hang, retry=chosen, deadline=5) as client:
        with pytest.raises(DeadlineExceededError) as caught:
            await client.get_session("s-1")
    assert "it took over attempt_timeout, 1 s" in str(caught.value.__cause__)


async def test_a_slow_body_times_out_with_a_known_status() -> None:
    """attempt_timeout covers the body; its error has the status."""

    async def dribble(stream: anyio.abc.ByteStream, _: bytes) -> None:
        await stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
        await anyio.sleep_forever()

    attempts: list[ObservedAttempt] = []

    class Recorder(Observer):
        def attempt_ended(self, call: ObservedCall, attempt: ObservedAttempt) -> None:
            attempts.append(attempt)

    async with serving(dribble, OK) as server:
        chosen = policy(attempts=2, attempt_timeout=0.5, creates="always")
        async with calling(server.url(), retry=chosen, observers=[Recorder()]) as client:
            await client.create_session()
    lost, _ = (attempt.error for attempt in attempts)
    assert isinstance(lost, UnknownOutcomeError)
    assert "attempt_timeout, 0.5 s" in str(lost)
    assert (lost.outcome, lost.status) == (Outcome.ANSWERED, 200)


@jumping_backends()
async def test_an_attempt_may_take_any_time_without_a_timeout() -> None:
    """attempt_timeout=None leaves only the deadline to end an attempt."""

    async def slowly(_: object) -> httpx.Response:
        await anyio.sleep(3000)
        return answer(200, {"id": "s-1"})

    chosen = policy(attempts=1, attempt_timeout=None)
    async with client_of(slowly, retry=chosen, deadline=4000) as client:
        assert (await client.get_session("s-1")).id == "s-1"


@jumping_backends()
async def test_waiting_for_a_slot_is_not_part_of_an_attempt() -> None:
    """attempt_timeout starts with a slot in the pool, so waiting in the queue is no failure."""

    async def slowly(_: object) -> httpx.Response:
        await anyio.sleep(9)
        return answer(200, {"id": "s-1"})

    async with client_of(slowly, max_connections=1, retry=policy(attempts=1)) as client:
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(client.get_session, "s-1")
        assert client.requests_sent == 3


# Responses


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("is_given", [False, True])
async def test_a_redirect_is_never_followed(status: int, is_given: bool) -> None:
    """A redirect is an error without a second request, even if the given client follows them."""
    async with serving(OK) as elsewhere:
        async with serving(http(status, Location=elsewhere.url())) as server:
            async with httpx.AsyncClient(follow_redirects=True) as given:
                settings = {"http_client": given} if is_given else {}
                async with calling(server.url(), **settings) as client:
                    with pytest.raises(RedirectError) as caught:
                        await client.get_session("s-1")
            assert len(server.requests) == 1
        assert elsewhere.connections == 0
    assert caught.value.status == status


LIMIT = 1000
LONG = b'{"id": "' + b"x" * LIMIT + b'"}'


@pytest.mark.parametrize(
    "behaviour",
    [
        http(200, LONG),
        http(200, gzip.compress(LONG), Content_Encoding="gzip"),
        raw(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000),
    ],
    ids=["plain", "gzip", "endless"],
)
async def test_a_body_over_the_limit_is_refused(behaviour: Any) -> None:
    """A decoded response over max_response_bytes is not read to its end and not repeated."""
    async with serving(behaviour) as server:
        async with calling(server.url(), max_response_bytes=LIMIT, retry=policy()) as client:
            with pytest.raises(ResponseTooLargeError, match="max_response_bytes, 1000") as caught:
                await client.get_session("s-1")
        assert len(server.requests) == 1
    assert caught.value.outcome is Outcome.ANSWERED
    assert str(caught.value).startswith("getSession: ")


@pytest.mark.parametrize(
    ("behaviour", "shown"),
    [
        (http(404, LONG), LONG[:500].decode()),
        (http(404, b'{"error": "gone"', length=99), '{"error": "gone"'),
        (http(404, b"not gzip", Content_Encoding="gzip"), "not gzip"),
        (http(404, gzip.compress(b"gone")[:-1], Content_Encoding="gzip"), "gone"),
        (raw(b"HTTP/1.1 404 X\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), ""),
    ],
    ids=["too long", "cut off", "wrong encoding", "broken encoding", "wrong chunk"],
)
async def test_an_error_response_may_have_a_broken_body(behaviour: Any, shown: str) -> None:
    """An error response with any broken body still raises the error of its status."""
    async with (
        serving(behaviour) as server,
        calling(server.url(), max_response_bytes=LIMIT, retry=ONCE) as client,
    ):
        with pytest.raises(NotFoundError) as caught:
            await client.create_session()
    assert (caught.value.outcome, caught.value.body) == (Outcome.ANSWERED, shown)


async def test_an_error_response_may_have_an_endless_body() -> None:
    """attempt_timeout ends the wait for an error body, and the call raises the status's error."""

    async def dribble(stream: anyio.abc.ByteStream, _: bytes) -> None:
        await stream.send(b"HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\n{")
        await anyio.sleep_forever()

    async with serving(dribble, OK) as server:
        chosen = policy(attempts=2, attempt_timeout=0.5)
        async with calling(server.url(), retry=chosen) as client:
            found = await client.request(GET_SESSION, session_id="s-1")
    assert found.attempts == 2


class Endless(httpx.AsyncByteStream):
    """A stream without a pause and without an end."""

    def __init__(self, chunk: bytes) -> None:
        self.chunk = chunk

    def __aiter__(self) -> "Endless":
        return self

    async def __anext__(self) -> bytes:
        return self.chunk


@pytest.mark.parametrize(
    ("chunk", "kind"), [(b"x" * 100, ResponseTooLargeError), (b"", DeadlineExceededError)]
)
async def test_a_stream_that_never_waits_ends(chunk: bytes, kind: type[WebRtcError]) -> None:
    """The limit and the deadline also end a stream that never yields to other tasks."""
    mock = httpx.MockTransport(lambda _: httpx.Response(200, stream=Endless(chunk)))
    settings = {"max_response_bytes": LIMIT, "deadline": 0.2, "retry": ONCE}
    async with client_of(transport=mock, **settings) as client:
        with pytest.raises(kind):
            await client.get_session("s-1")


class Once(httpx.AsyncByteStream):
    """A stream that is its own iterator, not a generator."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = list(chunks)

    def __aiter__(self) -> "Once":
        return self

    async def __anext__(self) -> bytes:
        if not self.chunks:
            raise StopAsyncIteration
        return self.chunks.pop(0)


async def test_a_hook_may_replace_the_stream() -> None:
    """The body is read from the stream that a user's hook sets, even without aclose()."""

    async def replace(response: httpx.Response) -> None:
        response.stream = Once(BODY[:3], BODY[3:])

    mock = httpx.MockTransport(lambda _: httpx.Response(200, stream=Once()))
    given = httpx.AsyncClient(transport=mock, event_hooks={"response": [replace]})
    async with given, client_of(http_client=given) as client:
        assert (await client.get_session("s-1")).id == "s-1"


async def test_a_body_at_the_limit_is_read() -> None:
    """A body of exactly the limit is read, from a socket or from a mock."""
    body = LONG[: LIMIT - 2] + b'"}'
    async with (
        serving(http(200, body)) as server,
        calling(server.url(), max_response_bytes=LIMIT) as client,
    ):
        assert len((await client.get_session("s-1")).id) == LIMIT - 10
    mock = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    async with client_of(transport=mock, max_response_bytes=LIMIT) as client:
        assert len((await client.get_session("s-1")).id) == LIMIT - 10


async def test_the_limit_holds_for_a_body_that_was_read_before() -> None:
    """The limit also applies to a body that a mock or a hook has already read."""
    mock = httpx.MockTransport(lambda _: httpx.Response(200, content=LONG))
    async with client_of(transport=mock, max_response_bytes=LIMIT) as client:
        with pytest.raises(ResponseTooLargeError):
            await client.get_session("s-1")


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_an_unrequested_encoding_is_decoded(encoding: str) -> None:
    """A response that a gateway compresses without being asked is decoded."""
    content = gzip.compress(BODY) if encoding == "gzip" else zlib.compress(BODY)
    async with serving(http(200, content, Content_Encoding=encoding)) as server:
        async with calling(server.url()) as client:
            assert (await client.get_session("s-1")).id == "s-1"
        assert b"accept-encoding: identity" in server.requests[0].lower()


@pytest.mark.parametrize(
    ("encoding", "said"), [("br", "'br' was not asked for"), ("gzip", "gzip encoding is broken")]
)
async def test_an_undecodable_body_is_an_error(encoding: str, said: str) -> None:
    """An unknown or broken encoding raises an error with its status."""
    async with serving(http(200, b"nothing of it", Content_Encoding=encoding)) as server:
        async with calling(server.url(), retry=policy()) as client:
            with pytest.raises(UnexpectedResponseError, match=said) as caught:
                await client.get_session("s-1")
        assert len(server.requests) == 1
    assert not isinstance(caught.value, ResponseTooLargeError)
    assert caught.value.status == 200
    assert said in caught.value.problems[0]


# TLS


async def test_a_private_authority_is_trusted() -> None:
    """ssl_context decides which certificates are trusted."""
    async with (
        serving(OK, tls=server_side("127.0.0.1")) as server,
        calling(server.url("https"), ssl_context=client_side()) as client,
    ):
        assert (await client.get_session("s-1")).id == "s-1"


@pytest.mark.parametrize("is_known", [False, True], ids=["unknown authority", "another name"])
async def test_a_refused_certificate_is_not_retried(is_known: bool) -> None:
    """An unknown authority or a wrong name raises TlsError after one handshake, for any method."""
    tls = server_side("elsewhere.example" if is_known else "127.0.0.1")

    def count(_: object) -> float:
        raise AssertionError("nothing is repeated")

    settings = {"ssl_context": client_side()} if is_known else {}
    async with serving(OK, tls=tls) as server:
        chosen = policy(sleep=count, creates="always")
        async with calling(server.url("https"), retry=chosen, **settings) as client:
            for call in (client.create_session(), client.get_session("s-1")):
                with pytest.raises(TlsError, match=r"certificate of 127\.0\.0\.1") as caught:
                    await call
                assert caught.value.outcome is Outcome.NOT_SENT
                assert caught.value.attempts == 1
                assert client.requests_sent == 0
        assert server.requests == []


async def test_a_plain_server_behind_https_is_not_retried() -> None:
    """A plain server behind an https URL raises a TlsError that says so, after one connection."""

    async def refuse(stream: anyio.abc.ByteStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with listening(refuse) as port, calling(f"https://127.0.0.1:{port}") as client:
        with pytest.raises(TlsError, match="does not speak TLS") as caught:
            await client.get_session("s-1")
    assert caught.value.attempts == 1
    assert caught.value.outcome is Outcome.NOT_SENT


# Proxies


async def test_a_proxy_is_used() -> None:
    """With proxy=, the proxy gets the request with its absolute URL."""
    async with serving(OK) as proxy:
        settings = {"proxy": f"http://127.0.0.1:{proxy.port}"}
        async with calling("http://service.example/v1", **settings) as client:
            assert (await client.get_session("s-1")).id == "s-1"
        assert proxy.requests[0].startswith(b"GET http://service.example/v1/accounts/9900000/")


async def test_a_proxy_that_refuses_the_tunnel_sent_nothing() -> None:
    """If the proxy refuses the tunnel, the service has not seen the request."""
    async with serving(http(502)) as proxy:
        settings = {"proxy": f"http://127.0.0.1:{proxy.port}"}
        async with calling("https://service.example/v1", **settings) as client:
            with pytest.raises(ConnectionFailedError) as caught:
                await client.create_session()
        assert proxy.requests[0].startswith(b"CONNECT service.example:443 ")
        assert b"authorization" not in proxy.requests[0].lower()
    assert caught.value.outcome is Outcome.NOT_SENT


async def test_a_proxy_that_is_silent_sent_nothing() -> None:
    """If the proxy does not respond in time, the request is not sent."""
    async with serving(stay_silent) as proxy:
        settings = {
            "proxy": f"http://127.0.0.1:{proxy.port}",
            "retry": policy(attempts=1, attempt_timeout=None),
            "deadline": 2,
        }
        async with calling("https://service.example/v1", **settings) as client:
            with pytest.raises(DeadlineExceededError) as caught:
                await client.create_session()
    assert caught.value.outcome is Outcome.NOT_SENT


@pytest.mark.parametrize("is_answered", [True, False])
async def test_a_request_through_a_tunnel_is_followed(is_answered: bool) -> None:
    """Through a tunnel, a lost response is unknown and a received one succeeds."""
    tls = server_side("service.example")

    async def tunnel(stream: anyio.abc.ByteStream, _: bytes) -> None:
        await stream.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        inner = await TLSStream.wrap(
            stream, server_side=True, ssl_context=tls, standard_compatible=False
        )
        await read_request(inner)
        if is_answered:
            await OK(inner, b"")

    async with serving(tunnel) as proxy:
        settings = {
            "proxy": f"http://127.0.0.1:{proxy.port}",
            "ssl_context": client_side(),
        }
        async with calling("https://service.example/v1", **settings) as client:
            if is_answered:
                assert (await client.create_session()).id == "s-1"
            else:
                with pytest.raises(UnknownOutcomeError) as caught:
                    await client.create_session()
                assert caught.value.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_a_loopback_service_needs_no_proxy(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment's proxy is never used for a base URL on this machine."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with serving(http(502)) as proxy, serving(OK) as server:
        monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
        for host in ("127.0.0.1", "localhost"):
            async with calling(server.url(host=host)) as client:
                assert (await client.get_session("s-1")).id == "s-1"
        assert proxy.connections == 0


async def test_the_environment_s_proxy_is_used_for_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For a base URL elsewhere the environment's proxy is used."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with serving(OK) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        async with calling("http://service.example/v1") as client:
            assert (await client.get_session("s-1")).id == "s-1"
        assert len(proxy.requests) == 1


async def test_an_invalid_environment_proxy_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A proxy variable that cannot be used is named, unless nothing goes through that proxy."""
    monkeypatch.setenv("HTTP_PROXY", "gopher://user:canary@127.0.0.1")
    with pytest.raises(ConfigurationError, match="HTTP_PROXY has a scheme") as caught:
        client_of(transport=None, base_url="http://service.example/v1")
    assert "canary" not in str(caught.value)
    client_of(transport=None, base_url="https://service.example/v1")


# The limiter in front of the pool


async def test_no_more_than_max_connections_at_once() -> None:
    """At most max_connections requests are in flight, for any number of calls."""

    async def briefly(stream: anyio.abc.ByteStream, request: bytes) -> None:
        for _ in range(20):
            await anyio.lowlevel.checkpoint()
        await OK(stream, request)

    async with serving(briefly, keeps_alive=True) as server:
        async with (
            calling(server.url(), max_connections=3) as client,
            anyio.create_task_group() as tasks,
        ):
            for _ in range(30):
                tasks.start_soon(client.get_session, "s-1")
        assert len(server.requests) == 30
        assert server.connections <= 3
        assert 2 <= server.most_active <= 3


async def test_a_thousand_cancelled_calls_lose_no_connection() -> None:
    """After 1,000 cancelled calls, queued or in flight, the pool still serves."""
    async with serving(*[stay_silent] * 10, OK, keeps_alive=True) as server:
        chosen = policy(attempts=1, attempt_timeout=5)
        async with calling(server.url(), max_connections=10, retry=chosen) as client:
            async with anyio.create_task_group() as tasks:
                for _ in range(1000):
                    tasks.start_soon(client.get_session, "s-1")
                while len(server.requests) < 10:
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()
            assert client.requests_sent == 10
            async with anyio.create_task_group() as tasks:
                for _ in range(30):
                    tasks.start_soon(client.get_session, "s-1")
            assert client.requests_sent == 40


@jumping_backends()
async def test_a_thousand_timed_out_calls_lose_no_slot() -> None:
    """After 1,000 calls whose deadline passed in the queue or the pool, calls still succeed."""
    transport = ScriptedTransport(hang)
    settings = {
        "max_connections": 10,
        "retry": policy(attempts=1, attempt_timeout=None),
        "deadline": 5,
    }
    async with client_of(transport=transport, **settings) as client:
        stages: list[Stage] = []

        async def run_out() -> None:
            with pytest.raises(DeadlineExceededError) as caught:
                await client.get_session("s-1")
            stages.append(caught.value.stage)

        async with anyio.create_task_group() as tasks:
            for _ in range(1000):
                tasks.start_soon(run_out)
        assert len(stages) == 1000
        assert Stage.QUEUED in stages
        assert (transport.active, transport.most_active) == (0, 10)
        transport.steps = [answer(200, {"id": "s-1"})]
        assert (await client.get_session("s-1")).id == "s-1"


# Given clients and transports


async def test_a_given_client_keeps_its_settings() -> None:
    """Hooks, headers and auth of a given http_client are used, and aclose() leaves it open."""
    seen: list[str] = []

    async def on_request(request: httpx.Request) -> None:
        seen.append(request.method)

    async def on_response(response: httpx.Response) -> None:
        await response.aread()
        seen.append(str(response.status_code))

    hooks: Any = {"request": [on_request], "response": [on_response]}
    async with serving(OK) as server:
        async with httpx.AsyncClient(
            auth=("theirs", "theirs"), headers={"X-Theirs": "1"}, event_hooks=hooks
        ) as given:
            async with calling(server.url(), http_client=given, auth=None) as client:
                assert (await client.get_session("s-1")).id == "s-1"
            assert not given.is_closed
        [request] = server.requests
    assert seen == ["GET", "200"]
    assert b"authorization: basic dghlaxjzonrozwlycw==" in request.lower()
    assert b"x-theirs: 1" in request.lower()


async def test_our_auth_replaces_the_given_client_s() -> None:
    """With auth= the given http_client's own auth is not used."""
    transport = ScriptedTransport()
    async with (
        httpx.AsyncClient(auth=("theirs", "theirs"), transport=transport) as given,
        client_of(http_client=given, auth=("Aladdin", "open sesame")) as client,
    ):
        await client.get_session("s-1")
    assert transport.requests[0].headers["authorization"] == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert transport.times_closed == 1


@pytest.mark.parametrize("library", [None, "httpx", "httpx2"])
async def test_no_cookies_are_kept(library: Any) -> None:
    """A server's cookies are not sent with later calls and cause no failure."""
    sets = http(200, b'{"id": "s-1"}', Set_Cookie="kept=yes; Path=/")
    odd = answered(b'{"id": "s-1"}', b"Set-Cookie: a=\xff")
    async with (
        serving(sets, odd, OK, keeps_alive=True) as server,
        calling(server.url(), http_library=library) as client,
    ):
        for _ in range(4):
            await client.get_session("s-1")
    assert len(server.requests) == 4
    assert not any(b"cookie" in each.lower() for each in server.requests)


async def test_a_given_client_s_timeout_counts() -> None:
    """A given http_client's own timeout applies, and raises one of our errors."""
    async with (
        serving(stay_silent) as server,
        httpx.AsyncClient(timeout=httpx.Timeout(None, read=0.05)) as given,
        calling(server.url(), http_client=given) as client,
    ):
        with pytest.raises(UnknownOutcomeError, match="ReadTimeout") as caught:
            await client.get_session("s-1")
    assert caught.value.outcome is Outcome.UNKNOWN


async def test_an_own_client_has_no_timeout_of_its_own() -> None:
    """The deadline is the pool's only timeout, besides attempt_timeout on connecting."""
    transport = ScriptedTransport()
    async with client_of(transport=transport) as client:
        await client.get_session("s-1")
    timeout = transport.requests[0].extensions["timeout"]
    assert timeout == {"connect": 10.0, "read": None, "write": None, "pool": None}


async def test_a_given_client_that_its_owner_closed_is_named() -> None:
    """A closed http_client raises a ClientClosedError that names it."""
    given = httpx.AsyncClient(transport=ScriptedTransport())
    async with client_of(http_client=given) as client:
        await given.aclose()
        with pytest.raises(ClientClosedError, match="http_client"):
            await client.get_session("s-1")


@pytest.mark.parametrize("is_used", [False, True])
async def test_a_given_transport_is_closed(is_used: bool) -> None:
    """The client closes a given transport once, used or not."""
    transport = ScriptedTransport()
    async with client_of(transport=transport) as client:
        if is_used:
            await client.get_session("s-1")
        assert transport.times_closed == 0
    await client.aclose()
    assert transport.times_closed == 1


async def test_closing_is_not_cut_short_by_a_cancellation() -> None:
    """A client whose block is cancelled still closes its pool."""

    class Slow(ScriptedTransport):
        async def aclose(self) -> None:
            await anyio.lowlevel.checkpoint()
            await super().aclose()

    transport = Slow(hang)
    with anyio.CancelScope() as scope:
        async with client_of(transport=transport) as client, anyio.create_task_group() as tasks:
            tasks.start_soon(client.get_session, "s-1")
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
    assert transport.times_closed == 1


async def test_closing_ends_the_calls_that_are_under_way() -> None:
    """Closing the client makes calls in flight and in the queue fail with our errors."""
    async with serving(stay_silent) as server:
        failures: list[WebRtcError] = []
        async with calling(server.url(), max_connections=1, close_grace=0.05) as client:

            async def fail() -> None:
                with pytest.raises(ClientClosedError, match="client was closed while") as caught:
                    await client.get_session("s-1")
                failures.append(caught.value)

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(fail)
                tasks.start_soon(fail)
                while not server.requests:
                    await anyio.lowlevel.checkpoint()
                await client.aclose()
    assert {each.outcome for each in failures} == {Outcome.UNKNOWN, Outcome.NOT_SENT}


CONTEXT = ssl.create_default_context()
TRANSPORT = ScriptedTransport()
CLIENT = httpx.AsyncClient(transport=TRANSPORT)
PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"http_client": CLIENT, "transport": TRANSPORT}, "give it alone"),
        ({"http_client": CLIENT, "proxy": PROXY}, "give it alone"),
        ({"http_client": CLIENT, "ssl_context": CONTEXT}, "give it alone"),
        ({"transport": TRANSPORT, "proxy": PROXY}, "A transport brings its own"),
        ({"transport": TRANSPORT, "ssl_context": CONTEXT}, "A transport brings its own"),
        (
            {"http_client": httpx.Client},
            "http_client must be an instance of httpx.AsyncClient or httpx2.AsyncClient, not type",
        ),
        ({"http_client": TRANSPORT}, "http_client must be an instance of httpx.AsyncClient"),
        (
            {"transport": CLIENT},
            "httpx.AsyncBaseTransport or httpx2.AsyncBaseTransport, not AsyncClient",
        ),
        ({"ssl_context": "ca.pem"}, "ssl_context must be an instance of ssl.SSLContext, not str"),
        ({"max_connections": 0}, "max_connections must be a whole number"),
        ({"max_connections": 1.5}, "max_connections must be a whole number"),
        ({"max_connections": None}, "max_connections must be a whole number"),
        ({"max_response_bytes": 0}, "max_response_bytes must be a whole number"),
        ({"max_response_bytes": "1"}, "max_response_bytes must be a whole number"),
        ({"max_connection_age": 0}, "max_connection_age must be a number of seconds above 0"),
        ({"proxy": ""}, "proxy must look like"),
        ({"proxy": 5}, "proxy must be"),
        ({"proxy": "proxy.example:3128"}, "proxy must look like"),
        ({"proxy": "socks4://proxy.example"}, "know http, https, socks5 and socks5h"),
        ({"proxy": "http://:3128"}, "proxy must look like"),
        ({"proxy": "http://user:canary@proxy.example\r\n"}, "proxy must be plain"),
    ],
)
async def test_settings_that_cannot_work_are_refused(changed: Any, said: str) -> None:
    """The error names a setting of a wrong type, or two that exclude each other."""
    with pytest.raises(ConfigurationError, match=said) as caught:
        AsyncWebRtcClient("9", auth=("user", "password"), **changed)
    assert "canary" not in str(caught.value)


# Exceptions


def made(kind: type[Exception]) -> Exception:
    """Return an exception of one of httpx's classes, with its required arguments."""
    request = httpx.Request("GET", "http://x")
    match kind.__name__:
        case "HTTPStatusError":
            return httpx.HTTPStatusError("boom", request=request, response=httpx.Response(500))
        case "StreamConsumed" | "StreamClosed" | "ResponseNotRead" | "RequestNotRead":
            return kind()
        case _:
            return kind("boom")


HTTPX_ERRORS = [
    kind
    for _, kind in inspect.getmembers(httpx, inspect.isclass)
    if issubclass(kind, Exception) and not issubclass(kind, Warning)
]
NEVER_SENT = {
    "ConnectError",
    "ConnectTimeout",
    "InvalidURL",
    "PoolTimeout",
    "ProxyError",
    "UnsupportedProtocol",
}
BEFORE_SENDING = [kind for kind in HTTPX_ERRORS if kind.__name__ in NEVER_SENT]
ANY_TIME: list[Callable[[], Exception]] = [
    *(
        lambda kind=kind: made(kind)
        for kind in HTTPX_ERRORS
        if kind not in {*BEFORE_SENDING, httpx.HTTPStatusError}
    ),
    lambda: OSError("boom"),
    lambda: RuntimeError("boom"),
    lambda: ValueError("boom"),
    lambda: TimeoutError(),
    lambda: AssertionError(),
    lambda: UnicodeDecodeError("ascii", b"x", 0, 1, "boom"),
    lambda: ssl.SSLError("boom"),
    lambda: anyio.BrokenResourceError(),
    lambda: ExceptionGroup("boom", [ValueError("boom")]),
]


async def test_a_status_error_is_that_status() -> None:
    """httpx.HTTPStatusError from a transport becomes the error of its status."""
    async with client_of(made(httpx.HTTPStatusError), retry=ONCE) as client:
        with pytest.raises(ServerError):
            await client.create_session()


def test_the_names_are_those_of_httpx() -> None:
    """Every class that is matched by name exists in httpx, and no class of httpx is missing."""
    assert {kind.__name__ for kind in BEFORE_SENDING} == NEVER_SENT
    assert len(HTTPX_ERRORS) >= 25


@pytest.mark.parametrize("kind", BEFORE_SENDING)
async def test_an_exception_before_sending_is_a_failed_connection(kind: type[Exception]) -> None:
    """A connect exception from a transport without stages means that nothing was sent."""
    error = made(kind)
    async with client_of(error, retry=ONCE) as client:
        with pytest.raises(ConnectionFailedError, match=f"{kind.__name__}: boom") as caught:
            await client.create_session()
    assert caught.value.outcome is Outcome.NOT_SENT
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("make", ANY_TIME, ids=lambda make: type(make()).__name__)
async def test_any_other_exception_is_a_lost_response(make: Callable[[], Exception]) -> None:
    """Any other exception from a transport without stages leaves the outcome unknown."""
    error = make()
    async with client_of(error, retry=ONCE) as client:
        with pytest.raises(UnknownOutcomeError, match=type(error).__name__) as caught:
            await client.create_session()
    assert caught.value.outcome is Outcome.UNKNOWN
    assert caught.value.__cause__ is error
    assert "api.webrtc.bandwidth.com" in str(caught.value)


async def test_an_exception_of_a_stream_has_a_status() -> None:
    """Any exception while the body is read becomes an error with the status."""

    class Broken(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"{"
            raise ValueError("boom")

    mock = httpx.MockTransport(lambda _: httpx.Response(200, stream=Broken()))
    async with client_of(transport=mock, retry=ONCE) as client:
        with pytest.raises(UnknownOutcomeError) as caught:
            await client.create_session()
    assert (caught.value.outcome, caught.value.status) == (Outcome.ANSWERED, 200)


async def test_a_refused_certificate_is_found_below_its_wrappers() -> None:
    """A certificate error is found as a cause or a context, at any depth."""

    def wrapped() -> Exception:
        refused = ssl.SSLCertVerificationError(1, "certificate verify failed")
        refused.verify_message = "self-signed certificate"
        middle, outer = OSError("middle"), httpx.ConnectError("outer")
        middle.__context__, outer.__cause__ = refused, middle
        return outer

    async with client_of(wrapped(), retry=policy()) as client:
        with pytest.raises(TlsError, match="self-signed certificate") as caught:
            await client.create_session()
        assert (caught.value.attempts, client.requests_sent) == (1, 0)


async def test_a_base_exception_passes_through() -> None:
    """A KeyboardInterrupt passes through a call unchanged."""
    async with client_of(KeyboardInterrupt()) as client:
        interrupted = False
        try:
            await client.get_session("s-1")
        except KeyboardInterrupt:
            interrupted = True
    assert interrupted


async def test_a_hook_that_raises_is_our_error() -> None:
    """An exception of a user's hook becomes a lost response with its cause and status."""

    async def refuse(_: httpx.Response) -> None:
        raise LookupError("hook")

    async with (
        serving(OK) as server,
        httpx.AsyncClient(event_hooks={"response": [refuse]}) as given,
        calling(server.url(), http_client=given) as client,
    ):
        with pytest.raises(TransportError, match="LookupError") as caught:
            await client.create_session()
    assert isinstance(caught.value.__cause__, LookupError)
    assert (caught.value.outcome, caught.value.status) == (Outcome.ANSWERED, 200)


async def test_a_hook_that_raises_from_itself_is_our_error() -> None:
    """An exception that is its own cause, which Python allows, is handled like any other."""

    async def refuse(_: httpx.Response) -> None:
        error = LookupError("hook")
        raise error from error

    async with (
        serving(OK) as server,
        httpx.AsyncClient(event_hooks={"response": [refuse]}) as given,
        calling(server.url(), http_client=given) as client,
    ):
        with pytest.raises(TransportError, match="LookupError"):
            await client.create_session()


async def test_a_hook_that_raises_for_the_status_is_that_status() -> None:
    """With raise_for_status as a hook, an error response still raises our error of its status."""

    async def refuse(response: httpx.Response) -> None:
        response.raise_for_status()

    async with (
        serving(http(404)) as server,
        httpx.AsyncClient(event_hooks={"response": [refuse]}) as given,
        calling(server.url(), http_client=given) as client,
    ):
        with pytest.raises(NotFoundError) as caught:
            await client.get_session("s-1")
    assert (caught.value.outcome, caught.value.attempts) == (Outcome.ANSWERED, 1)


async def test_a_hook_may_call_the_client() -> None:
    """A call made by a hook gets a slot of its own."""
    inner: list[str] = []

    async def look(request: httpx.Request) -> None:
        if request.method == "POST":
            inner.append((await client.get_session("s-1")).id)

    async with (
        serving(OK) as server,
        httpx.AsyncClient(event_hooks={"request": [look]}) as given,
        calling(server.url(), http_client=given) as client,
    ):
        await client.create_session()
    assert inner == ["s-1"]


# Headers


async def test_authorization_goes_with_every_attempt() -> None:
    """Each attempt sends the Authorization header, and no other part of the credentials."""
    transport = ScriptedTransport(httpx.Response(503), answer(200, {"id": "s-1"}))
    async with client_of(transport=transport, auth=("Aladdin", "open sesame")) as client:
        await client.get_session("s-1")
    assert [each.headers["authorization"] for each in transport.requests] == [
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    ] * 2


async def test_no_authorization_without_auth() -> None:
    """Without auth= only the given client's own Authorization is sent."""

    class TheirAuth(httpx.Auth):
        def auth_flow(self, request: httpx.Request) -> Any:
            request.headers["X-Theirs"] = "signed"
            yield request

    transport = ScriptedTransport()
    async with (
        httpx.AsyncClient(auth=TheirAuth(), transport=transport) as given,
        client_of(http_client=given, auth=None) as client,
    ):
        await client.get_session("s-1")
    [request] = transport.requests
    assert "authorization" not in request.headers
    assert request.headers["x-theirs"] == "signed"
