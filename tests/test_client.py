"""The client: its settings, its lifetime, its views, and `request`."""

import asyncio
import copy
import gc
import logging
import math
import pickle
import traceback
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.http_library import NAME, httpx
from support.scripted import (
    ONCE,
    ScriptedTransport,
    answer,
    client_of,
    hang,
    policy,
    refusal,
    texts_of,
)
from support.speaking import Clock
from support.strategies import USUALLY

from webrtc_async import route_table
from webrtc_async._auth.oauth2 import RENEW_BEFORE, OAuth2ClientCredentials
from webrtc_async._auth.schemes import BasicAuth
from webrtc_async._call.attempts import ApiResponse
from webrtc_async._call.retry_policy import RetryPolicy
from webrtc_async._protocol.route import ACCOUNT, Route
from webrtc_async._version import __version__
from webrtc_async.client import AsyncWebRtcClient
from webrtc_async.emulator import Emulator, EmulatorTransport
from webrtc_async.errors import (
    ClientClosedError,
    ConfigurationError,
    InvalidArgumentError,
    NotFoundError,
    TransportError,
    WebRtcError,
)
from webrtc_async.errors.outcome import Outcome
from webrtc_async.models import Participant, Session, Subscriptions
from webrtc_async.route_table import GET_SESSION, ROUTES

CANARY = "canary-7f3a-secret"


# Settings


@pytest.mark.parametrize(
    ("account_id", "settings", "named"),
    [
        ("", {}, "account_id"),
        ("..", {}, "account_id"),
        (9900000, {}, "account_id"),
        ("a\n", {}, "account_id"),
        ("a", {"auth": None}, "auth is missing"),
        ("a", {"auth": "user:password"}, "auth must be"),
        ("a", {"auth": ("a:b", "c")}, "colon"),
        ("a", {"base_url": "api.example"}, "base_url"),
        ("a", {"base_url": 5}, "base_url"),
        ("a", {"deadline": 0}, "deadline"),
        ("a", {"deadline": "3"}, "deadline"),
        ("a", {"deadline": math.nan}, "deadline"),
        ("a", {"deadline": 1e300}, "deadline"),
        ("a", {"retry": 3}, "retry"),
        ("a", {"max_connections": 0}, "max_connections"),
        ("a", {"max_response_bytes": 0}, "max_response_bytes"),
        ("a", {"headers": {"X-A": "a\r\nX-B: b"}}, "X-A"),
        ("a", {"headers": {"Authorization": "x"}}, "Authorization"),
        ("a", {"headers": {"X-A": 5}}, "X-A"),
        ("a", {"headers": ["X-A"]}, "headers"),
        ("a", {"transport": "tcp"}, "transport"),
        ("a", {"proxy": "here"}, "proxy"),
    ],
)
def test_an_invalid_setting_is_refused(
    account_id: Any, settings: dict[str, Any], named: str
) -> None:
    """An invalid setting is refused by name when the client is made, before any I/O."""
    with pytest.raises(ConfigurationError, match=named) as caught:
        AsyncWebRtcClient(account_id, **{"auth": ("user", "password"), **settings})
    assert caught.value.outcome is Outcome.NOT_SENT


def test_a_client_needs_no_event_loop() -> None:
    """A client can be made, shown and viewed without a running event loop."""
    client = client_of(transport=ScriptedTransport())
    assert client.account_id == "9900000"
    assert client.with_options(account_id="1").account_id == "1"
    assert client.requests_sent == 0


def test_the_repr_names_account_service_and_state() -> None:
    """The repr has the account, the service and the state, and no secret."""
    client = client_of(auth=("user", CANARY), headers={"X-Key": CANARY})
    assert repr(client) == (
        "<AsyncWebRtcClient account 9900000 at https://api.webrtc.bandwidth.com/v1 "
        "over the http_client or transport that was given, open>"
    )
    assert CANARY not in repr(vars(client))


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_client_is_not_copied(take: Any) -> None:
    """A client cannot be pickled or copied, and the error says what to do instead."""
    with pytest.raises(TypeError, match="from_env"):
        take(client_of())


# Lifetime


@pytest.mark.anyio
async def test_calls_before_entering_work() -> None:
    """A client opens its pool with its first call, entered or not."""
    transport = ScriptedTransport()
    client = client_of(transport=transport)
    assert (await client.get_session("s-1")).id == "s-1"
    await client.aclose()
    assert transport.times_closed == 1


@pytest.mark.anyio
async def test_a_client_closes_with_its_last_exit() -> None:
    """A client that is entered twice stays open until its second exit."""
    transport = ScriptedTransport()
    client = client_of(transport=transport)
    async with client:
        async with client as again:
            assert again is client
        await client.get_session("s-1")
        assert transport.times_closed == 0
    assert transport.times_closed == 1
    assert repr(client).endswith("closed>")


@pytest.mark.anyio
async def test_a_closed_client_is_refused() -> None:
    """A closed client cannot be used, entered or viewed; it can be closed again."""
    client = client_of()
    view = client.with_options(deadline=5)
    async with client:
        pass
    await client.aclose()
    for refused in (client, view):
        with pytest.raises(ClientClosedError, match="getSession: this client is closed") as caught:
            await refused.get_session("s-1")
        assert caught.value.operation == "getSession"
        with pytest.raises(ClientClosedError, match="make a new one"):
            async with refused:
                pytest.fail("it was entered")


@pytest.mark.anyio
async def test_a_client_is_closed_after_a_failure() -> None:
    """An exception in the block closes the pool and is raised."""
    transport = ScriptedTransport()
    with pytest.raises(KeyError):
        async with client_of(transport=transport):
            raise KeyError
    assert transport.times_closed == 1


@pytest.mark.anyio
async def test_a_transport_that_cannot_close_is_our_error() -> None:
    """A failure while closing raises one of our errors, and the client is closed."""

    class Stuck(ScriptedTransport):
        async def aclose(self) -> None:
            raise OSError("stuck")

    client = client_of(transport=Stuck())
    with pytest.raises(TransportError, match=r"could not be closed in order \(OSError\)"):
        await client.aclose()
    await client.aclose()
    assert repr(client).endswith("closed>")


# Views


@pytest.mark.anyio
async def test_a_view_differs_in_its_options_only() -> None:
    """A view has its own account and headers, and shares connections and counts."""
    transport = ScriptedTransport()
    async with client_of(transport=transport, headers={"X-Team": "a", "X-Site": "x"}) as client:
        view = client.with_options(account_id="77", headers={"x-team": "b"})
        await view.get_session("s-1")
        await client.get_session("s-1")
        assert client.requests_sent == view.requests_sent == 2
        async with view:
            pass
        await view.aclose()
        await client.get_session("s-1")
    of_view, of_client = transport.requests[:2]
    assert "/accounts/77/" in str(of_view.url)
    assert "/accounts/9900000/" in str(of_client.url)
    assert (of_view.headers["X-Team"], of_view.headers["X-Site"]) == ("b", "x")
    assert of_client.headers["X-Team"] == "a"


@pytest.mark.anyio
async def test_a_view_has_its_own_deadline_and_policy() -> None:
    """Each view has its own deadline and policy."""
    async with client_of(refusal(503)) as client:
        once = client.with_options(retry=ONCE)
        with pytest.raises(WebRtcError) as caught:
            await once.get_session("s-1")
        assert caught.value.attempts == 1
        with pytest.raises(WebRtcError) as caught:
            await once.with_options(retry=policy(attempts=2)).get_session("s-1")
        assert caught.value.attempts == 2


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"account_id": ""}, "account_id"),
        ({"deadline": -1}, "deadline"),
        ({"retry": "often"}, "retry"),
        ({"headers": {"Host": "x"}}, "Host"),
        ({"headers": 0}, "headers"),
    ],
)
def test_an_invalid_option_of_a_view_is_refused(options: Any, named: str) -> None:
    """A view's options are checked like the client's."""
    with pytest.raises(ConfigurationError, match=named):
        client_of().with_options(**options)


# Requests


@pytest.mark.anyio
async def test_the_headers_of_every_request() -> None:
    """Requests carry the credentials, an Accept, and a User-Agent with all versions."""
    transport = ScriptedTransport()
    async with client_of(transport=transport) as client:
        await client.create_session(Session(tag="visit"))
    (request,) = transport.requests
    assert request.headers["Authorization"] == "Basic dXNlcjpwYXNzd29yZA=="
    assert request.headers["Accept"] == "application/json"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["User-Agent"].startswith(f"webrtc-async/{__version__} {NAME}/")
    assert request.content == b'{"tag":"visit"}'


@pytest.mark.anyio
async def test_a_user_agent_may_be_replaced() -> None:
    """headers= replaces the client's own User-Agent, in any case."""
    transport = ScriptedTransport()
    async with client_of(transport=transport, headers={"user-agent": "mine/1"}) as client:
        await client.get_session("s-1")
    assert transport.requests[0].headers.get_list("User-Agent") == ["mine/1"]


@pytest.mark.anyio
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
async def test_every_row_can_be_requested(route: Route[Any, Any]) -> None:
    """request() calls every row on the emulator, and returns the response's metadata."""
    emulator = Emulator()
    async with client_of(transport=EmulatorTransport(emulator)) as client:
        session = await client.create_session()
        created = await client.create_participant()
        known = {"session_id": session.id, "participant_id": created.participant.id}
        if "subscriptions" in route.path.template or route.method == "DELETE":
            everyone = Subscriptions.everyone(session.id)
            await client.add_participant_to_session(**known, subscriptions=everyone)
        response = await client.request(route, **{name: known[name] for name in route.caller_names})
    assert isinstance(response, ApiResponse)
    assert response.status in route.success
    assert (response.data is None) == (route.result is type(None))
    assert (response.attempts, bool(response.request_id)) == (1, True)
    assert response.elapsed >= 0
    assert "x-amzn-requestid" in response.headers


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("arguments", "values", "named"),
    [
        (("getSession",), {}, "route must be a Route"),
        ((None,), {}, "route must be a Route"),
        ((GET_SESSION,), {}, "session_id"),
        ((GET_SESSION,), {"session_id": ""}, "session_id"),
        ((GET_SESSION,), {"session_id": "s", "participant_id": "p"}, "participant_id"),
        ((GET_SESSION,), {"session_id": "s", ACCOUNT: "1"}, "with_options"),
        ((GET_SESSION, Session()), {"session_id": "s"}, "the body must be left out"),
        ((route_table.CREATE_SESSION, Participant()), {}, "the body must be a Session"),
        ((route_table.CREATE_SESSION, {"tag": "a"}), {}, "the body must be a Session"),
        ((route_table.CREATE_SESSION, Session(tag=5)), {}, "tag: expected text"),  # type: ignore[arg-type]
        ((route_table.CREATE_SESSION, Session(extra={1: 2})), {}, "extra must be a mapping"),  # type: ignore[dict-item]
        ((route_table.CREATE_SESSION, Session(extra=[])), {}, "extra must be a mapping"),  # type: ignore[arg-type]
    ],
)
async def test_a_request_that_cannot_be_sent_is_refused(
    arguments: Any, values: Any, named: str
) -> None:
    """An invalid request raises an InvalidArgumentError that names the argument, before any I/O."""
    async with client_of() as client:
        with pytest.raises(InvalidArgumentError, match=named) as caught:
            await client.request(*arguments, **values)
        assert client.requests_sent == 0
    assert (caught.value.outcome, caught.value.attempts) == (Outcome.NOT_SENT, 0)


HOSTILE = st.text(
    st.sampled_from("/.%?#&=:@;\\ \t\n\r\0a0é\u2028\ud800") | st.characters(), max_size=40
) | st.sampled_from(["..", ".", "../..", "%2e%2e", "a/../../b", "x?y#z", "a;b", "//evil.example"])


@USUALLY
@given(session_id=HOSTILE, participant_id=HOSTILE)
def test_no_id_reaches_another_route(session_id: str, participant_id: str) -> None:
    """Any id is refused, or arrives as this id in its own operation's path."""
    seen: list[httpx.URL] = []

    def see(request: httpx.Request) -> httpx.Response:
        seen.append(request.url)
        return httpx.Response(204)

    async def call() -> None:
        async with client_of(transport=httpx.MockTransport(see)) as client:
            await client.remove_participant_from_session(
                session_id=session_id, participant_id=participant_id
            )

    try:
        asyncio.run(call())
    except InvalidArgumentError:
        assert not seen
        return
    (url,) = seen
    raw = url.raw_path.decode().removeprefix("/v1")
    assert url.host == "api.webrtc.bandwidth.com"
    values = route_table.REMOVE_PARTICIPANT_FROM_SESSION.path.match(raw)
    assert values == {
        ACCOUNT: "9900000",
        "session_id": session_id,
        "participant_id": participant_id,
    }


# Secrets


def shown_by(error: BaseException) -> Iterator[str]:
    """Return every text that shows an exception, its causes and its attributes."""
    yield from traceback.TracebackException.from_exception(error).format()
    seen: BaseException | None = error
    while seen is not None:
        yield from texts_of(seen)
        yield repr(vars(seen))
        yield repr(pickle.dumps(seen)) if isinstance(seen, WebRtcError) else ""
        seen = seen.__cause__


ECHO = f"Authorization: Basic dXNlcjpjYW5hcnktN2YzYS1zZWNyZXQ= for user:{CANARY}"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "step",
    [
        refusal(401, www_authenticate=ECHO),
        answer(404, {"error": ECHO, "requestId": ECHO}, {"X-Echo": ECHO}),
        answer(200, {"id": 5, "echo": ECHO}),
        answer(500, {"message": ECHO}),
        httpx.Response(502, text=f"<pre>{ECHO}</pre>"),
        httpx.ReadError("reset"),
        httpx.ConnectError("refused"),
        hang,
    ],
    ids=["401", "404", "misfit", "500", "page", "read", "connect", "deadline"],
)
async def test_no_failure_shows_the_credentials(
    step: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """No error, pickle or log shows credentials, even if the service echoes them."""
    caplog.set_level(logging.DEBUG)
    auth = BasicAuth("user", CANARY)
    async with client_of(step, auth=auth, retry=ONCE, deadline=0.05) as client:
        with pytest.raises(WebRtcError) as caught:
            await client.get_session("s-1")
    for text in (*shown_by(caught.value), caplog.text):
        assert CANARY not in text
        assert "dXNlcjpjYW5hcnk" not in text


@pytest.mark.anyio
async def test_nothing_is_left_behind() -> None:
    """A closed client leaves no task and no open resource."""
    async with client_of(transport=EmulatorTransport(Emulator())) as client:
        async with anyio.create_task_group() as tasks:
            for _ in range(50):
                tasks.start_soon(client.create_session)
        with pytest.raises(NotFoundError):
            await client.get_session("nobody")
    del client
    gc.collect()


def test_a_policy_may_be_shared() -> None:
    """Two clients may share one policy, because it is a value."""
    shared = RetryPolicy(attempts=2)
    assert client_of(retry=shared) is not client_of(retry=shared)
    assert shared == RetryPolicy(attempts=2, sleep=shared.sleep, random=shared.random)


# Client credentials against the emulator's token endpoint


@pytest.mark.anyio
async def test_a_token_is_renewed_before_it_expires_and_when_it_is_revoked() -> None:
    """Calls continue while tokens expire or are revoked, and each token is fetched once."""
    clock = Clock()
    emulator = Emulator(clock=clock)
    auth = OAuth2ClientCredentials("client", "secret", clock=clock)
    transport = EmulatorTransport(emulator)
    async with AsyncWebRtcClient("9900000", auth=auth, transport=transport) as client:

        async def creates_with(requests: int) -> None:
            before = emulator.requests_handled
            await client.create_session()
            assert emulator.requests_handled - before == requests

        await creates_with(2)
        clock.now += 3600 - RENEW_BEFORE - 1
        await creates_with(1)
        clock.now += 2
        await creates_with(2)
        emulator.revoke_access_tokens()
        await creates_with(3)
        await creates_with(1)
    assert len(emulator.session_ids("9900000")) == 5
