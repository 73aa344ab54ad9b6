"""Creates that are cancelled or get a broken response: the client deletes the resource."""

import asyncio
import gzip
import json
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.backends import jumping_backends
from support.http_library import httpx
from support.scripted import (
    SESSION,
    ScriptedTransport,
    answer,
    client_of,
    hang,
    hang_up,
    http,
    policy,
    raw,
    reached,
    refusal,
    serving,
    stay_silent,
)

from webrtc_async._auth.oauth2 import OAuth2ClientCredentials
from webrtc_async._call.create_call import created_id
from webrtc_async._call.retry_policy import RetryPolicy
from webrtc_async.client import AsyncWebRtcClient
from webrtc_async.errors import (
    CreateRolledBackError,
    DeadlineExceededError,
    UnexpectedResponseError,
    UnknownOutcomeError,
    WebRtcError,
)
from webrtc_async.errors.outcome import Outcome
from webrtc_async.models import Participant, Session

pytestmark = pytest.mark.anyio

ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
OTHER = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
PATIENT = RetryPolicy(attempt_timeout=None)
CREATES: dict[str, Callable[[AsyncWebRtcClient], Any]] = {
    "sessions": lambda client: client.create_session(Session(tag="visit")),
    "participants": lambda client: client.create_participant(Participant(tag="visit")),
}
each_create = pytest.mark.parametrize("kind", CREATES)


def made(kind: str) -> dict[str, object]:
    """Return the response to a create."""
    if kind == "sessions":
        return {"id": ID, "tag": "visit"}
    return {"participant": {"id": ID, "tag": "visit"}, "token": "eyJhbGci.e30.c2ln"}


class Service:
    """A service that responds late to creates, and records the created resources."""

    def __init__(self, kind: str, seconds: float = 1.0, status: int = 200) -> None:
        self.kind, self.seconds, self.status = kind, seconds, status
        self.existing: set[str] = set()
        self.deletes: list[str] = []
        self.transport = ScriptedTransport(self.answer)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            self.deletes.append(request.url.path)
            self.existing.discard(request.url.path.rpartition("/")[2])
            return httpx.Response(204)
        if self.status == 200:
            self.existing.add(ID)
        await anyio.sleep(self.seconds)
        return answer(self.status, made(self.kind))


# Cancelled


@jumping_backends()
@each_create
async def test_the_resource_of_a_cancelled_create_is_deleted(kind: str) -> None:
    """The client waits for the response to a cancelled create, and deletes the resource."""
    service = Service(kind)
    async with client_of(transport=service.transport) as client:
        with anyio.move_on_after(0.5) as scope:
            await CREATES[kind](client)
        assert scope.cancelled_caught
        assert service.existing == {ID}
        await anyio.sleep(1)
        assert service.existing == set()
        assert service.deletes == [f"/v1/accounts/9900000/{kind}/{ID}"]
        assert client.background_tasks.under_way == ()


@jumping_backends()
@each_create
async def test_closing_waits_for_a_create_that_is_followed(kind: str) -> None:
    """A client that closes right after the cancellation still deletes the resource."""
    service = Service(kind)
    async with client_of(transport=service.transport) as client:
        with anyio.move_on_after(0.5):
            await CREATES[kind](client)
    assert (service.existing, len(service.deletes)) == (set(), 1)


@jumping_backends()
async def test_a_timed_out_create_is_followed_too() -> None:
    """The call's own deadline counts as a cancellation, because the caller gets no id."""
    service = Service("sessions")
    async with client_of(transport=service.transport, deadline=0.5, retry=PATIENT) as client:
        with pytest.raises(DeadlineExceededError) as caught:
            await client.create_session()
        assert caught.value.outcome is Outcome.UNKNOWN
    assert service.existing == set()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("times", [1, 2, 3])
async def test_native_cancellations_are_followed_too(times: int) -> None:
    """The created resource is deleted even if asyncio cancels the caller several times."""
    service = Service("sessions", seconds=0.02)
    async with client_of(transport=service.transport) as client:
        task = asyncio.ensure_future(client.create_session())
        await reached(lambda: bool(service.existing))
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
    assert service.existing == set()


@jumping_backends()
@pytest.mark.parametrize(
    ("seconds", "settings"),
    [(1, {"create_grace": 0}), (1, {"max_connections": 3}), (9, {}), (1, {"create_grace": 0.4})],
    ids=["off", "no room", "too late", "short"],
)
async def test_following_is_bounded(seconds: float, settings: dict[str, Any]) -> None:
    """A cancelled create just ends if following is off, full, or out of time."""
    service = Service("sessions", seconds)
    async with client_of(transport=service.transport, **settings) as client:
        began = anyio.current_time()
        with anyio.move_on_after(0.5) as scope:
            await client.create_session()
        assert scope.cancelled_caught
        assert anyio.current_time() - began == pytest.approx(0.5, abs=0.2)
        await anyio.sleep(10)
        assert service.deletes == []
        assert service.transport.active == 0


@jumping_backends()
async def test_at_most_a_quarter_of_the_slots_follow() -> None:
    """After many cancelled creates, three quarters of the slots are free again."""
    service = Service("sessions")
    async with client_of(transport=service.transport, max_connections=8) as client:
        with anyio.move_on_after(0.5):
            async with anyio.create_task_group() as tasks:
                for _ in range(8):
                    tasks.start_soon(client.create_session)
        assert service.transport.active == 2
        await anyio.sleep(1)
        assert (service.transport.active, len(service.deletes)) == (0, 2)


@jumping_backends()
async def test_a_refused_create_has_nothing_to_delete() -> None:
    """A create that is rejected after the cancellation needs no delete."""
    service = Service("sessions", status=503)
    async with client_of(transport=service.transport) as client:
        with anyio.move_on_after(0.5):
            await client.create_session()
    assert service.deletes == []


@jumping_backends()
@pytest.mark.parametrize("wait", ["queue", "token"])
async def test_a_create_that_was_not_sent_is_not_followed(wait: str) -> None:
    """A create cancelled before its first byte was not sent, and just ends."""
    transport = ScriptedTransport(hang)
    auth: Any = ("user", "password")
    if wait == "token":
        auth = OAuth2ClientCredentials("id", "secret")
    async with (
        client_of(transport=transport, max_connections=4, retry=PATIENT, auth=auth) as client,
        anyio.create_task_group() as tasks,
    ):
        if wait == "queue":
            for _ in range(4):
                tasks.start_soon(client.get_session, "s-1")
            await anyio.wait_all_tasks_blocked()
        with anyio.move_on_after(5):
            await client.create_session()
        assert client.background_tasks.under_way == ()
        tasks.cancel_scope.cancel()
    assert not [each for each in transport.requests if each.url.path.endswith("/sessions")]


async def test_a_create_cancelled_while_connecting_was_not_sent() -> None:
    """On a real socket, a create without a connection is not followed."""
    async with serving(stay_silent) as proxy:
        # Until the proxy opens the tunnel, the connection is not made.
        settings = {"proxy": f"http://127.0.0.1:{proxy.port}", "base_url": "https://a.example/v1"}
        async with client_of(transport=None, **settings) as client:
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(client.create_session)
                    await reached(lambda: bool(proxy.requests))
                    scope.cancel()
            assert client.background_tasks.under_way == ()


async def test_a_create_on_a_real_socket_is_followed() -> None:
    """On a real socket, a response after the cancellation is read, and its resource deleted."""
    is_gone = anyio.Event()

    async def late(stream: Any, _: bytes) -> None:
        await is_gone.wait()
        body = f'{{"id":"{ID}"}}'.encode()
        await http(200, body, Content_Type="application/json")(stream, b"")

    async with serving(late, http(204), keeps_alive=True) as server:
        async with client_of(transport=None, base_url=server.url()) as client:
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(client.create_session)
                    await reached(lambda: bool(server.requests))
                    scope.cancel()
            is_gone.set()
        assert [each.split()[0] for each in server.requests] == [b"POST", b"DELETE"]
        assert ID.encode() in server.requests[1]


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize("http_library", [None, "httpx"])
async def test_a_followed_response_may_be_incomplete(http_library: Any, ends: bool) -> None:
    """An incomplete response after the cancellation is enough to delete its resource."""
    is_gone = anyio.Event()

    async def late(stream: Any, _: bytes) -> None:
        await is_gone.wait()
        await http(200, f'{{"id":"{ID}","ta'.encode(), length=500)(stream, b"")
        if not ends:
            await anyio.sleep_forever()

    settings = {"transport": None, "http_library": http_library, "create_grace": 9 if ends else 0.5}
    async with serving(late, http(204)) as server:
        async with client_of(base_url=server.url(), **settings) as client:
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(client.create_session)
                    await reached(lambda: bool(server.requests))
                    scope.cancel()
            is_gone.set()
        assert [each.split()[0] for each in server.requests] == [b"POST", b"DELETE"]
        assert ID.encode() in server.requests[1]


# Broken responses


def broken_by(kind: str) -> dict[str, bytes]:
    """Return unusable responses to a create that hold its id."""
    whole = str(made(kind)).replace("'", '"')
    return {
        "cut off": whole[: whole.index(ID) + len(ID) + 3].encode(),
        "garbage behind": f"{whole}]".encode(),
        "wrong type": whole.replace('"tag": "visit"', '"tag": 5').encode(),
    }


@each_create
@pytest.mark.parametrize("how", broken_by("sessions"))
async def test_a_create_with_a_broken_response_is_rolled_back(kind: str, how: str) -> None:
    """The resource that a broken response names is deleted, and the error says so."""
    transport = ScriptedTransport(httpx.Response(200, content=broken_by(kind)[how]), refusal(204))
    async with client_of(transport=transport) as client:
        with pytest.raises(CreateRolledBackError, match="was deleted") as caught:
            await CREATES[kind](client)
    create, delete = transport.requests
    assert (create.method, delete.method) == ("POST", "DELETE")
    assert delete.url.path == f"/v1/accounts/9900000/{kind}/{ID}"
    error = caught.value
    assert (error.resource_id, error.outcome, error.orphan) == (ID, Outcome.ANSWERED, None)
    assert isinstance(error.__cause__, UnexpectedResponseError)
    assert pickle.loads(pickle.dumps(error)).resource_id == ID


async def test_a_create_with_a_truncated_response_is_rolled_back() -> None:
    """A response below its Content-Length is lost, and its resource is deleted."""
    start = f'{{"id":"{ID}","ta'.encode()
    async with serving(http(200, start, length=500), http(204)) as server:
        async with client_of(transport=None, base_url=server.url()) as client:
            with pytest.raises(CreateRolledBackError) as caught:
                await client.create_session()
        assert isinstance(caught.value.__cause__, UnknownOutcomeError)
        assert [each.split()[0] for each in server.requests] == [b"POST", b"DELETE"]


WHOLE = f'{{"id":"{ID}","tag":"{"visit" * 50}"}}'.encode()
ZIPPED = gzip.compress(WHOLE)
CHUNKS = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n"
CHUNK = b"%x\r\n%b\r\n" % (len(WHOLE), WHOLE)


@pytest.mark.parametrize(
    "behaviour",
    [
        http(201, WHOLE, Content_Encoding="br"),
        http(201, ZIPPED[:-8], Content_Encoding="gzip"),
        http(201, ZIPPED[:-8] + bytes(8), Content_Encoding="gzip"),
        http(201, ZIPPED[:-8], length=500, Content_Encoding="utf-8, gzip"),
        http(201, WHOLE + b" " * 5000),
        http(201, gzip.compress(WHOLE + b" " * 5000), Content_Encoding="gzip"),
        raw(CHUNKS + b"\r\n" + CHUNK + b"no\r\n"),
    ],
    ids=[
        *("unknown encoding", "cut off", "checksum", "both cut off"),
        *("too long", "too long, gzip", "wrong chunk"),
    ],
)
@pytest.mark.parametrize("library", [None, "httpx"])
async def test_a_create_with_an_odd_response_is_rolled_back(behaviour: Any, library: Any) -> None:
    """A readable id in a response of any form is enough to delete the created resource."""
    settings = {"transport": None, "http_library": library, "max_response_bytes": 1000}
    async with serving(behaviour, http(204)) as server:
        async with client_of(base_url=server.url(), **settings) as client:
            with pytest.raises(CreateRolledBackError):
                await client.create_session()
        assert [each.split()[0] for each in server.requests] == [b"POST", b"DELETE"]
        assert ID.encode() in server.requests[1]


@pytest.mark.parametrize(
    "behaviour",
    [
        http(201, WHOLE, Content_Encoding="utf-8"),
        http(201, WHOLE, Content_Encoding="none"),
        http(201, ZIPPED, Content_Encoding="identity, gzip"),
        http(201, ZIPPED, Content_Encoding="gzip, gzip"),
        raw(CHUNKS + b"\r\n" + CHUNK + b"0\r\n\r\n"),
    ],
    ids=["charset", "none", "identity, gzip", "gzip, gzip", "chunked"],
)
@pytest.mark.parametrize("library", [None, "httpx"])
async def test_an_odd_response_that_can_be_read_is_a_result(behaviour: Any, library: Any) -> None:
    """A create whose response can be read succeeds, however a gateway describes the body."""
    async with serving(behaviour) as server:
        url = server.url()
        async with client_of(transport=None, base_url=url, http_library=library) as client:
            assert (await client.create_session()).id == ID
        assert len(server.requests) == 1


async def test_a_roll_back_with_a_404_succeeds() -> None:
    """A resource that is already gone counts as deleted."""
    content = broken_by("sessions")["wrong type"]
    async with client_of(httpx.Response(200, content=content), refusal(404)) as client:
        with pytest.raises(CreateRolledBackError):
            await client.create_session()


@pytest.mark.parametrize("step", [refusal(500), httpx.ConnectError("refused"), refusal(403)])
async def test_a_roll_back_that_fails_is_reported(step: object) -> None:
    """If the delete fails, the original error names the resource that may still exist."""
    content = broken_by("sessions")["wrong type"]
    async with client_of(httpx.Response(200, content=content), step) as client:
        with pytest.raises(UnexpectedResponseError, match=f"with the id {ID}") as caught:
            await client.create_session(Session(tag="visit"))
    assert caught.value.orphan is not None
    assert caught.value.orphan.resource_id == ID


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b'{"tag": 5}', f'{{"id":"{ID}","other":{{"id":"{OTHER}"}}}}}}'.encode()],
    ids=["empty", "page", "no id", "two ids"],
)
async def test_a_response_without_exactly_one_id_is_reported(content: bytes) -> None:
    """Without exactly one id nothing is deleted, and the error says how to find the resource."""
    transport = ScriptedTransport(httpx.Response(200, content=content))
    async with client_of(transport=transport) as client:
        with pytest.raises(UnexpectedResponseError) as caught:
            await client.create_session(Session(tag="visit"))
    assert len(transport.requests) == 1
    assert caught.value.orphan is not None
    assert (caught.value.orphan.tag, caught.value.orphan.resource_id) == ("visit", None)


async def test_a_broken_response_to_another_operation_deletes_nothing() -> None:
    """Only a create is undone: the resource in another response existed before."""
    transport = ScriptedTransport(answer(200, {"id": ID, "tag": 5}))
    async with client_of(transport=transport) as client:
        with pytest.raises(UnexpectedResponseError) as caught:
            await client.get_session(ID)
    assert (len(transport.requests), caught.value.orphan) == (1, None)


# The id in a response


TEXTS = st.text(max_size=50) | st.just(f'"id":"{OTHER}"') | st.just(f'\\"id\\": \\"{OTHER}\\"')


@given(tag=TEXTS, end=st.integers(0, 200))
def test_no_other_text_is_taken_for_the_id(tag: str, end: int) -> None:
    """No tag and no truncation makes the client find another id than the resource's."""
    content = json.dumps({"tag": tag, "id": ID}).encode()
    assert created_id(content) == ID
    assert created_id(content[:end]) in {None, ID}


@pytest.mark.parametrize(
    "content", [b"", b'{"id":"s-1"}', b'{"ids":"x"}', f'{{"id":"{ID}'.encode(), ID.encode()]
)
def test_an_incomplete_id_is_ignored(content: bytes) -> None:
    """An id that is cut off, or not in the service's form, is ignored."""
    assert created_id(content) is None


# At the limit of background work


@jumping_backends()
async def test_at_the_limit_of_background_work_creates_end_with_their_callers() -> None:
    """At its limit, a client follows no create, and rolls back in the caller's task.

    That holds for a create in flight when the limit is reached, and for later ones.
    """
    service, may_end = Service("sessions", seconds=9), anyio.Event()
    async with client_of(transport=service.transport, retry=PATIENT) as client:

        async def cut_off(seconds: float) -> None:
            with anyio.move_on_after(seconds) as scope:
                await client.create_session()
            assert scope.cancelled_caught

        def fill() -> None:
            while client.background_tasks.start(may_end.wait, name="work") is not None:
                pass

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(cut_off, 8)
            await anyio.sleep(1)
            fill()
        fill()
        await cut_off(8)
        assert (service.transport.active, service.deletes) == (0, [])
        assert (await client.create_session()).id == ID
        service.transport.steps.insert(
            0, httpx.Response(200, content=broken_by("sessions")["wrong type"])
        )
        with pytest.raises(CreateRolledBackError):
            await client.create_session()
        assert len(service.deletes) == 1
        may_end.set()
    assert (service.transport.active, len(service.deletes)) == (0, 1)


# Hints for finding the resource


@each_create
async def test_an_unknown_outcome_says_how_to_find_the_orphan(kind: str) -> None:
    """The error of a lost response has the account, the tag and the time, also in its text."""
    async with (
        serving(hang_up) as server,
        client_of(transport=None, base_url=server.url()) as client,
    ):
        with pytest.raises(UnknownOutcomeError) as caught:
            await CREATES[kind](client)
    error = caught.value
    assert error.orphan is not None
    assert (error.orphan.account_id, error.orphan.tag) == ("9900000", "visit")
    assert (error.attempts, error.operation) == (1, f"create{kind.title()[:-1]}")
    assert "in account 9900000, tagged 'visit', from 2" in str(error)
    assert pickle.loads(pickle.dumps(error)).orphan == error.orphan


@pytest.mark.parametrize(
    "step",
    [httpx.ConnectError("refused"), refusal(400), refusal(409), refusal(429)],
    ids=["unsent", "400", "409", "429"],
)
async def test_a_failed_create_has_no_orphan(step: object) -> None:
    """The error of a create that made nothing names no orphan."""
    async with client_of(step, retry=policy(attempts=1)) as client:
        with pytest.raises(WebRtcError) as caught:
            await client.create_session()
    assert caught.value.orphan is None


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_a_gateway_may_have_let_a_create_through(status: int) -> None:
    """A 5xx after a create says how to find the resource that may exist."""
    async with client_of(refusal(status)) as client:
        with pytest.raises(WebRtcError, match="The resource may exist in account") as caught:
            await client.create_session()
    assert caught.value.orphan is not None


@jumping_backends()
async def test_an_orphan_dates_from_the_beginning_of_its_call() -> None:
    """The orphan's time is the start of its call."""
    async with client_of(hang, deadline=3600, retry=PATIENT, create_grace=0) as client:
        with pytest.raises(DeadlineExceededError) as caught:
            await client.create_session()
    orphan = caught.value.orphan
    assert orphan is not None
    assert 3500 < (datetime.now(UTC) - orphan.sent_at).total_seconds() < 3700


async def test_a_successful_create_leaves_no_task() -> None:
    """A create with a response returns its result, and no task remains."""
    async with client_of(answer(200, SESSION)) as client:
        assert (await client.create_session()).id == "s-1"
        await anyio.lowlevel.checkpoint()
        assert client.background_tasks.under_way == ()
