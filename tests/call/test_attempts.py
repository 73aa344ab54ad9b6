"""One call: its deadline, outcome and result."""

import math
from typing import Any

import anyio
import pytest
from support.backends import jumping_backends
from support.http_library import httpx
from support.scripted import (
    SESSION,
    Recorder,
    ScriptedTransport,
    answer,
    client_of,
    hang,
    hang_up,
    http,
    policy,
    refusal,
    reset,
    serving,
)

from webrtc_async import route_table
from webrtc_async._auth.oauth2 import OAuth2ClientCredentials
from webrtc_async._auth.schemes import Auth, BasicAuth, BearerAuth, Send
from webrtc_async._call.retry_policy import RetryPolicy
from webrtc_async._call.retry_quota import RetryQuota
from webrtc_async.errors import (
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    DeadlineExceededError,
    NotFoundError,
    RateLimitedError,
    ServerError,
    TransportError,
    UnauthorizedError,
    UnexpectedResponseError,
    UnknownOutcomeError,
    WebRtcError,
)
from webrtc_async.errors.outcome import Outcome, Stage
from webrtc_async.models import Participant, Subscriptions

pytestmark = pytest.mark.anyio

LOST = httpx.ReadError("gone")
UNSENT = httpx.ConnectError("refused")
TOKEN = answer(200, {"access_token": "abc", "expires_in": 3600})
PATIENT = RetryPolicy(attempt_timeout=None)
BOTH: Any = {"session_id": "s-1", "participant_id": "p-1"}


def is_about(seconds: float) -> object:
    """Return a value that equals these seconds, with a tolerance for computing time."""
    return pytest.approx(seconds, abs=0.5)


# The deadline


@jumping_backends()
@pytest.mark.parametrize("deadline", [0.001, 1, 30, 100_000])
async def test_a_call_ends_at_its_deadline(deadline: float) -> None:
    """A call over a silent transport takes exactly its deadline."""
    async with client_of(hang, deadline=deadline, retry=PATIENT) as client:
        began = anyio.current_time()
        with pytest.raises(DeadlineExceededError) as caught:
            await client.create_session()
        assert anyio.current_time() - began == is_about(deadline)
    error = caught.value
    assert isinstance(error, TimeoutError)
    assert (error.operation, error.attempts) == ("createSession", 1)
    assert str(error).startswith(f"createSession: the deadline of {deadline:g} s passed while ")


@jumping_backends()
async def test_the_usual_attempt_timeout_leaves_time_for_three() -> None:
    """With the defaults a hanging service is tried three times within the deadline."""
    async with client_of(hang, retry=RetryPolicy(random=lambda: 0.0)) as client:
        began = anyio.current_time()
        with pytest.raises(TransportError) as caught:
            await client.get_session("s-1")
        assert anyio.current_time() - began == is_about(30)
    assert caught.value.attempts == 3
    assert caught.value.outcome is Outcome.UNKNOWN


@jumping_backends()
async def test_the_deadline_covers_the_queue() -> None:
    """A call that never gets a slot ends at its deadline, with nothing sent."""
    transport = ScriptedTransport(hang)
    async with (
        client_of(transport=transport, max_connections=1, retry=PATIENT) as client,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(client.with_options(deadline=math.inf).get_session, "s-1")
        await anyio.wait_all_tasks_blocked()
        began = anyio.current_time()
        with pytest.raises(DeadlineExceededError, match="waiting for a free") as caught:
            await client.with_options(deadline=7).create_session()
        assert anyio.current_time() - began == is_about(7)
        tasks.cancel_scope.cancel()
    assert (caught.value.stage, caught.value.outcome) == (Stage.QUEUED, Outcome.NOT_SENT)
    assert len(transport.requests) == 1


@jumping_backends()
async def test_the_deadline_covers_the_token() -> None:
    """A call that never gets a token ends at its deadline, with nothing sent."""
    auth = OAuth2ClientCredentials("id", "secret")
    async with client_of(hang, auth=auth, deadline=7, retry=PATIENT) as client:
        with pytest.raises(DeadlineExceededError, match="access token") as caught:
            await client.create_session()
    assert (caught.value.stage, caught.value.outcome) == (Stage.AUTHENTICATING, Outcome.NOT_SENT)


@jumping_backends()
async def test_the_deadline_covers_a_pause() -> None:
    """A pause that takes longer than planned still ends at the deadline."""
    chosen = RetryPolicy(sleep=lambda _: anyio.sleep_forever())
    async with client_of(LOST, deadline=7, retry=chosen) as client:
        began = anyio.current_time()
        with pytest.raises(DeadlineExceededError, match="pausing before another") as caught:
            await client.get_session("s-1")
        assert anyio.current_time() - began == is_about(7)
    error = caught.value
    assert (error.stage, error.outcome, error.attempts) == (Stage.PAUSING, Outcome.UNKNOWN, 1)
    assert isinstance(error.__cause__, UnknownOutcomeError)
    assert "This was attempt" not in str(error)


@jumping_backends()
async def test_the_deadline_covers_the_body() -> None:
    """An endless body is cut at the deadline, with a known status."""

    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self) -> Any:
            yield b"{"
            await anyio.sleep_forever()

    mock = httpx.MockTransport(lambda _: httpx.Response(200, stream=Endless()))
    async with client_of(transport=mock, deadline=7, retry=PATIENT) as client:
        with pytest.raises(DeadlineExceededError, match="The response status was 200") as caught:
            await client.create_session()
    error = caught.value
    assert (error.stage, error.outcome, error.status) == (Stage.READING, Outcome.ANSWERED, 200)


@jumping_backends()
async def test_the_deadline_covers_all_attempts_together() -> None:
    """All attempts and pauses share one deadline, and the last failure is the error's cause."""

    async def slowly(_: object) -> httpx.Response:
        await anyio.sleep(3)
        return refusal(503)

    chosen = RetryPolicy(attempts=99, first_wait=1, longest_wait=1, random=lambda: 1.0)
    async with client_of(slowly, deadline=10, retry=chosen) as client:
        began = anyio.current_time()
        with pytest.raises(DeadlineExceededError) as caught:
            await client.get_session("s-1")
        assert anyio.current_time() - began == is_about(10)
    assert caught.value.attempts == 3
    assert isinstance(caught.value.__cause__, ServerError)
    assert "This was attempt 3." in str(caught.value)


@jumping_backends()
async def test_no_deadline_waits_for_ever() -> None:
    """deadline=math.inf sets no limit."""

    async def very_slowly(_: object) -> httpx.Response:
        await anyio.sleep(80_000)
        return answer(200, SESSION)

    async with client_of(very_slowly, deadline=math.inf, retry=PATIENT) as client:
        response = await client.request(route_table.GET_SESSION, session_id="s-1")
    assert response.elapsed == is_about(80_000)


@jumping_backends()
async def test_a_retry_after_that_does_not_fit_fails_at_once() -> None:
    """A Retry-After beyond the deadline raises the error of the status at once."""
    async with client_of(refusal(429, Retry_After="60"), deadline=30) as client:
        began = anyio.current_time()
        with pytest.raises(RateLimitedError) as caught:
            await client.get_session("s-1")
        assert anyio.current_time() - began == is_about(0)
    assert (caught.value.retry_after, caught.value.attempts) == (60, 1)
    assert "does not fit" in caught.value.__notes__[0]


@jumping_backends()
async def test_a_retry_after_that_fits_is_waited_for() -> None:
    """A Retry-After within the deadline is obeyed, even above longest_wait."""
    transport = ScriptedTransport(refusal(429, Retry_After="20"), answer(200, SESSION))
    async with client_of(transport=transport, retry=RetryPolicy(random=lambda: 0.0)) as client:
        response = await client.request(route_table.GET_SESSION, session_id="s-1")
    assert response.elapsed == is_about(20)


# Outcomes over attempts


@pytest.mark.parametrize(
    ("steps", "outcome"),
    [
        ([UNSENT], Outcome.NOT_SENT),
        ([UNSENT, LOST], Outcome.UNKNOWN),
        ([LOST, UNSENT], Outcome.UNKNOWN),
        ([LOST, refusal(503)], Outcome.UNKNOWN),
        ([refusal(503), LOST], Outcome.UNKNOWN),
        ([refusal(503)], Outcome.ANSWERED),
        ([refusal(503), UNSENT], Outcome.ANSWERED),
        ([LOST, refusal(404)], Outcome.UNKNOWN),
        ([LOST, answer(200, {"no": "session"})], Outcome.UNKNOWN),
    ],
)
async def test_the_worst_outcome_of_all_attempts_counts(
    steps: list[object], outcome: Outcome
) -> None:
    """The error has the least certain outcome of all attempts, not of the last one."""
    async with client_of(*steps) as client:
        with pytest.raises(WebRtcError) as caught:
            await client.get_session("s-1")
    assert caught.value.outcome is outcome
    if isinstance(caught.value, ServerError | NotFoundError):
        assert ("response was lost" in str(caught.value)) is (outcome is Outcome.UNKNOWN)


@jumping_backends()
async def test_a_deadline_remembers_an_earlier_lost_response() -> None:
    """A call whose deadline passes in a later pause may still have taken effect."""
    async with client_of(
        LOST, hang, deadline=5, max_connections=1, retry=PATIENT, auth=("u", "p")
    ) as client:
        with pytest.raises(DeadlineExceededError) as caught:
            await client.get_session("s-1")
    assert (caught.value.outcome, caught.value.attempts) == (Outcome.UNKNOWN, 2)


DELETES = {
    "delete_session": {"session_id": "s-1"},
    "delete_participant": {"participant_id": "p-1"},
    "remove_participant_from_session": BOTH,
}


@pytest.mark.parametrize("name", DELETES)
@pytest.mark.parametrize("first", [LOST, refusal(503), refusal(500)], ids=["lost", "503", "500"])
async def test_a_404_of_a_repeated_delete_is_a_success(name: str, first: object) -> None:
    """A 404 after an attempt that may have deleted the resource is a success."""
    async with client_of(first, refusal(404)) as client:
        assert await getattr(client, name)(**DELETES[name]) is None


async def test_a_repeated_delete_says_that_it_was_a_404() -> None:
    """The response of such a success keeps its status and its number of attempts."""
    async with client_of(LOST, refusal(404)) as client:
        response = await client.request(route_table.DELETE_SESSION, session_id="s-1")
    assert (response.data, response.status, response.attempts) == (None, 404, 2)


@pytest.mark.parametrize("name", DELETES)
@pytest.mark.parametrize("first", [[], [UNSENT], [UNSENT, UNSENT]], ids=len)
async def test_a_404_of_a_first_delete_is_an_error(name: str, first: list[object]) -> None:
    """A 404 is an error if no earlier attempt can have deleted the resource."""
    async with client_of(*first, refusal(404)) as client:
        with pytest.raises(NotFoundError):
            await getattr(client, name)(**DELETES[name])


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("get_session", {"session_id": "s-1"}),
        ("add_participant_to_session", BOTH),
        ("update_participant_subscriptions", BOTH),
    ],
)
async def test_no_other_404_is_a_success(name: str, values: Any) -> None:
    """A 404 is a success for a delete only."""
    async with client_of(LOST, refusal(404)) as client:
        with pytest.raises(NotFoundError):
            await getattr(client, name)(**values)


@pytest.mark.parametrize("status", [400, 401, 403, 409])
async def test_no_other_refusal_of_a_delete_is_a_success(status: int) -> None:
    """A repeated delete with another error status fails."""
    async with client_of(LOST, refusal(status)) as client:
        with pytest.raises(WebRtcError) as caught:
            await client.delete_session("s-1")
    assert caught.value.outcome is Outcome.UNKNOWN


async def added(*steps: object) -> Any:
    """Add a participant whose first response is lost, and return the client's requests."""
    transport = ScriptedTransport(*steps)
    async with client_of(transport=transport) as client:
        response = await client.request(route_table.ADD_PARTICIPANT_TO_SESSION, **BOTH)
    return response, [each.method for each in transport.requests]


@pytest.mark.parametrize("first", [LOST, refusal(503)], ids=["lost", "503"])
async def test_a_409_after_a_repeated_add_is_confirmed_by_the_list(first: object) -> None:
    """A conflict after a lost response is a success if the participant is in the session."""
    members = answer(200, [{"id": "p-0"}, {"id": "p-1"}])
    response, methods = await added(first, refusal(409), members)
    assert (response.data, response.status, response.attempts) == (None, 409, 2)
    assert methods == ["PUT", "PUT", "GET"]


@pytest.mark.parametrize(
    ("listing", "outcome"),
    [
        (answer(200, [{"id": "p-0"}]), Outcome.ANSWERED),
        (answer(204), Outcome.ANSWERED),
        (refusal(404), Outcome.UNKNOWN),
        (UNSENT, Outcome.UNKNOWN),
    ],
    ids=["another", "nobody", "no session", "unreachable"],
)
async def test_a_409_that_the_list_does_not_confirm_is_raised(
    listing: object, outcome: Outcome
) -> None:
    """The conflict is raised if the participant is not in the session, or if the list fails."""
    with pytest.raises(ConflictError) as caught:
        await added(LOST, refusal(409), listing)
    assert (caught.value.operation, caught.value.attempts) == ("addParticipantToSession", 2)
    assert caught.value.outcome is outcome


@pytest.mark.parametrize("first", [[], [UNSENT]], ids=len)
async def test_a_409_of_a_first_add_is_raised_at_once(first: list[object]) -> None:
    """A conflict is raised without a list if no earlier attempt can have joined."""
    transport = ScriptedTransport(*first, refusal(409))
    async with client_of(transport=transport) as client:
        with pytest.raises(ConflictError):
            await client.add_participant_to_session(**BOTH)
    assert {each.method for each in transport.requests} == {"PUT"}


# Stale connections


async def test_a_read_over_a_stale_connection_is_repeated_at_once() -> None:
    """A stale connection costs a read no pause and no quota."""
    recorder, quota = Recorder(), RetryQuota()
    ok = http(200, b'{"id":"s-1"}', Content_Type="application/json")
    async with serving(ok, reset, ok, keeps_alive=True) as server:
        settings = {"retry": policy(recorder), "retry_quota": quota, "base_url": server.url()}
        async with client_of(transport=None, **settings) as client:
            await client.get_session("s-1")
            response = await client.request(route_table.GET_SESSION, session_id="s-1")
    assert (response.attempts, recorder.pauses, quota.tokens) == (2, [], quota.capacity)


async def test_a_lost_new_connection_is_an_ordinary_failure() -> None:
    """A new connection that is lost is a failure of the service."""
    recorder = Recorder()
    ok = http(200, b'{"id":"s-1"}', Content_Type="application/json")
    async with serving(reset, ok, keeps_alive=True) as server:
        settings = {"retry": policy(recorder), "base_url": server.url()}
        async with client_of(transport=None, **settings) as client:
            response = await client.request(route_table.GET_SESSION, session_id="s-1")
    assert (response.attempts, len(recorder.pauses)) == (2, 1)


async def test_a_create_over_a_stale_connection_is_unknown() -> None:
    """A create is not repeated, even after a stale connection."""
    ok = http(200, b'{"id":"s-1"}', Content_Type="application/json")
    async with serving(ok, reset, ok, keeps_alive=True) as server:
        async with client_of(transport=None, base_url=server.url()) as client:
            await client.get_session("s-1")
            with pytest.raises(UnknownOutcomeError):
                await client.create_session()
        assert len(server.requests) == 2


async def test_a_policy_of_one_attempt_repeats_nothing() -> None:
    """attempts=1 repeats nothing, and a second stale connection is an ordinary failure."""
    ok = http(200, b'{"id":"s-1"}', Content_Type="application/json")
    async with serving(ok, reset, keeps_alive=True) as server:
        settings = {"retry": RetryPolicy(attempts=1), "base_url": server.url()}
        async with client_of(transport=None, **settings) as client:
            await client.get_session("s-1")
            with pytest.raises(UnknownOutcomeError) as caught:
                await client.get_session("s-1")
    assert caught.value.attempts == 1


# Creates


@pytest.mark.parametrize("name", ["create_session", "create_participant"])
@pytest.mark.parametrize(
    ("creates", "first", "count"),
    [
        ("answered", LOST, 1),
        ("answered", refusal(500), 1),
        ("answered", refusal(408), 1),
        ("answered", UNSENT, 3),
        ("answered", refusal(429), 3),
        ("answered", refusal(502), 3),
        ("answered", refusal(503), 3),
        ("answered", refusal(504), 3),
        ("never", UNSENT, 1),
        ("never", refusal(503), 1),
        ("always", LOST, 3),
        ("always", refusal(500), 3),
        ("always", refusal(400), 1),
    ],
)
async def test_how_often_a_create_is_sent(
    name: str, creates: Any, first: object, count: int
) -> None:
    """The policy decides how often a create is sent; by default a lost response ends it."""
    async with client_of(first, retry=policy(creates=creates)) as client:
        with pytest.raises(WebRtcError) as caught:
            await getattr(client, name)()
        assert caught.value.attempts == count
        assert client.requests_sent == (0 if first is UNSENT else count)


async def test_a_create_on_a_real_socket_is_sent_once() -> None:
    """A server that closes its connections sees a create once, and a read three times."""
    async with serving(hang_up) as server:
        settings = {"transport": None, "base_url": server.url()}
        async with client_of(**settings) as client:
            with pytest.raises(UnknownOutcomeError):
                await client.create_participant(Participant(tag="visit"))
            assert len(server.requests) == 1
            with pytest.raises(UnknownOutcomeError):
                await client.get_session("s-1")
            assert len(server.requests) == 4


async def test_a_repeated_request_is_the_same() -> None:
    """Each attempt sends the same bytes."""
    async with serving(http(503), http(503), http(204)) as server:
        async with client_of(transport=None, base_url=server.url()) as client:
            await client.add_participant_to_session(
                **BOTH, subscriptions=Subscriptions.everyone("s-1")
            )
        assert len(server.requests) == 3
        assert len(set(server.requests)) == 1
        assert server.requests[0].endswith(b'{"sessionId":"s-1"}')


# Credentials within a call


async def test_a_token_is_fetched_inside_the_call() -> None:
    """The token request uses the same connections and User-Agent, and is no attempt."""
    transport = ScriptedTransport(TOKEN, answer(200, SESSION))
    auth = OAuth2ClientCredentials("id", "secret", token_url="https://t.example/token")
    async with client_of(transport=transport, auth=auth, headers={"X-Own": "1"}) as client:
        response = await client.request(route_table.CREATE_SESSION)
    token, call = transport.requests
    assert (str(token.url), token.content) == (
        "https://t.example/token",
        b"grant_type=client_credentials",
    )
    assert token.headers["user-agent"] == call.headers["user-agent"]
    assert "x-own" not in token.headers
    assert call.headers["authorization"] == "Bearer abc"
    assert response.attempts == 1


@pytest.mark.parametrize("first", [refusal(503), refusal(500), LOST, UNSENT])
async def test_a_failed_token_may_be_repeated_for_a_create(first: object) -> None:
    """Without a token nothing was sent, so even a create is repeated."""
    auth = OAuth2ClientCredentials("id", "secret")
    async with client_of(first, TOKEN, answer(200, SESSION), auth=auth) as client:
        response = await client.request(route_table.CREATE_SESSION)
    assert response.attempts == 2


async def test_a_refused_token_is_the_call_s_failure() -> None:
    """Rejected credentials end the call, with its operation and with nothing sent."""
    auth = OAuth2ClientCredentials("id", "secret")
    async with client_of(answer(401, {"error": "invalid_client"}), auth=auth) as client:
        with pytest.raises(UnauthorizedError, match=r"^createSession: .*invalid_client") as caught:
            await client.create_session()
    assert (caught.value.outcome, caught.value.attempts) == (Outcome.NOT_SENT, 1)


@pytest.mark.parametrize("content", [b"", b"<html>", b'{"token_type": "bearer"}'])
async def test_a_token_endpoint_of_garbage_is_our_error(content: bytes) -> None:
    """Garbage from a token endpoint ends the call with an error of this package."""
    auth = OAuth2ClientCredentials("id", "secret")
    async with client_of(httpx.Response(200, content=content), auth=auth) as client:
        with pytest.raises(ConfigurationError, match=r"^createSession: ") as caught:
            await client.create_session()
    assert caught.value.outcome is Outcome.NOT_SENT


async def test_a_call_gets_a_new_token_once_when_its_own_is_refused() -> None:
    """A revoked token is replaced once within the call, also for a create."""
    new = answer(200, {"access_token": "new", "expires_in": 3600})
    transport = ScriptedTransport(TOKEN, refusal(401), new, answer(200, SESSION))
    auth = OAuth2ClientCredentials("id", "secret")
    async with client_of(transport=transport, auth=auth) as client:
        response = await client.request(route_table.CREATE_SESSION)
        assert (await client.get_session("s-1")).id == "s-1"
    sent = [each.headers["authorization"] for each in transport.requests]
    assert sent[1::2] == ["Bearer abc", "Bearer new"]
    assert sent[4] == "Bearer new"
    assert response.attempts == 2


async def test_a_second_401_is_raised() -> None:
    """A call whose new token is rejected too raises the 401."""
    new = answer(200, {"access_token": "new", "expires_in": 3600})
    transport = ScriptedTransport(TOKEN, refusal(401), new, refusal(401), answer(200, SESSION))
    auth = OAuth2ClientCredentials("id", "secret")
    async with client_of(transport=transport, auth=auth) as client:
        with pytest.raises(UnauthorizedError) as caught:
            await client.create_session()
    assert (caught.value.attempts, len(transport.requests)) == (2, 4)


async def test_the_same_token_again_is_not_sent_again() -> None:
    """If the token endpoint returns the rejected token again, the call is not repeated."""
    transport = ScriptedTransport(TOKEN, refusal(401), TOKEN, answer(200, SESSION))
    auth = OAuth2ClientCredentials("id", "secret")
    async with client_of(transport=transport, auth=auth) as client:
        with pytest.raises(UnauthorizedError) as caught:
            await client.create_session()
    assert (caught.value.attempts, len(transport.requests)) == (1, 3)


async def test_a_rotated_secret_replaces_a_rejected_one() -> None:
    """A password that changes while the program runs is used within the call."""
    passwords = ["old", "new", "newer"]

    async def password() -> str:
        return passwords.pop(0)

    transport = ScriptedTransport(refusal(401), answer(200, SESSION))
    async with client_of(transport=transport, auth=BasicAuth("user", password)) as client:
        response = await client.request(route_table.CREATE_SESSION)
    assert (response.attempts, passwords) == (2, ["newer"])
    sent = {each.headers["authorization"] for each in transport.requests}
    assert sent == {"Basic dXNlcjpvbGQ=", "Basic dXNlcjpuZXc="}


@pytest.mark.parametrize("auth", [BasicAuth("user", lambda: "old"), BearerAuth(lambda: "old")])
async def test_an_unchanged_secret_is_not_sent_again(auth: Auth) -> None:
    """A provider with an unchanged secret is called once more, and the call is not repeated."""
    transport = ScriptedTransport(refusal(401), answer(200, SESSION))
    async with client_of(transport=transport, auth=auth) as client:
        with pytest.raises(UnauthorizedError) as caught:
            await client.get_session("s-1")
    assert (caught.value.attempts, len(transport.requests)) == (1, 1)


async def test_a_provider_that_fails_sends_nothing() -> None:
    """A provider's failure is a ConfigurationError with the secret's name, without the message."""

    def password() -> str:
        raise RuntimeError("canary")

    transport = ScriptedTransport(answer(200, SESSION))
    async with client_of(transport=transport, auth=BasicAuth("user", password)) as client:
        with pytest.raises(ConfigurationError, match="the password failed with Runtime") as caught:
            await client.create_session()
    assert "canary" not in str(caught.value)
    assert (caught.value.outcome, transport.requests) == (Outcome.NOT_SENT, [])


async def test_refused_basic_credentials_are_not_sent_again() -> None:
    """A wrong password is sent once, because the service locks users out after repeated ones."""
    transport = ScriptedTransport(refusal(401), answer(200, SESSION))
    async with client_of(transport=transport) as client:
        with pytest.raises(UnauthorizedError) as caught:
            await client.get_session("s-1")
    assert (caught.value.attempts, len(transport.requests)) == (1, 1)


@pytest.mark.parametrize("header", ["", " ", "a\r\nX-Evil: 1", "Bearer é", None, b"Basic x"])
async def test_a_header_of_a_foreign_auth_is_checked(header: Any) -> None:
    """An invalid header of a user's own auth ends the call after one attempt, with nothing sent."""

    class Own(Auth):
        async def authorization(self, _: Send) -> str:
            return header

    transport = ScriptedTransport()
    async with client_of(transport=transport, auth=Own()) as client:
        with pytest.raises(ConfigurationError, match=r"^getSession: the auth returned") as caught:
            await client.get_session("s-1")
    assert (caught.value.outcome, caught.value.attempts) == (Outcome.NOT_SENT, 1)
    assert not transport.requests


async def test_a_foreign_auth_is_not_asked_again_after_a_401() -> None:
    """An auth without forget() is called once."""
    asked = 0

    class Own(Auth):
        async def authorization(self, _: Send) -> str:
            nonlocal asked
            asked += 1
            return f"Bearer token-{asked}"

    transport = ScriptedTransport(refusal(401), answer(200, SESSION))
    async with client_of(transport=transport, auth=Own()) as client:
        with pytest.raises(UnauthorizedError):
            await client.get_session("s-1")
    assert (asked, len(transport.requests)) == (1, 1)


# Responses


async def test_a_response_has_its_metadata() -> None:
    """A response has the data, attempts, status, request id and public headers."""
    headers = {"X-Amzn-RequestId": "r-1", "Set-Cookie": "secret", "X-Other": "1"}
    recorder = Recorder()
    async with client_of(
        refusal(503), LOST, answer(200, SESSION, headers), retry=policy(recorder)
    ) as client:
        response = await client.request(route_table.GET_SESSION, session_id="s-1")
    assert (response.data.id, response.data.tag) == ("s-1", "visit")
    assert (response.status, response.attempts, response.request_id) == (200, 3, "r-1")
    assert response.headers["x-other"] == "1"
    assert "set-cookie" not in response.headers
    assert 0 <= response.elapsed < 5
    assert len(recorder.pauses) == 2


@jumping_backends()
async def test_elapsed_counts_the_pauses() -> None:
    """elapsed is the time from the call to its result, pauses included."""

    async def slowly(_: object) -> httpx.Response:
        await anyio.sleep(2)
        return refusal(503, Retry_After="5")

    async with client_of(slowly, answer(200, SESSION), retry=RetryPolicy()) as client:
        response = await client.request(route_table.GET_SESSION, session_id="s-1")
    assert response.elapsed == is_about(7)


FAILURES: dict[str, tuple[object, dict[str, object]]] = {
    "unsent": (UNSENT, {}),
    "lost": (LOST, {}),
    "400": (refusal(400), {}),
    "404": (refusal(404), {}),
    "429": (refusal(429), {}),
    "503": (refusal(503), {}),
    "302": (refusal(302), {}),
    "misfit": (answer(200, {"tag": 5}), {}),
    "too long": (answer(200, {"id": "x" * 999}), {"max_response_bytes": 100}),
    "empty": (httpx.Response(200), {}),
    "token": (refusal(401), {"with_token": True}),
    "token lost": (LOST, {"with_token": True}),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_every_failure_starts_with_its_operation(name: str) -> None:
    """The text of every error of a call starts with the operation."""
    step, chosen = FAILURES[name]
    settings = dict(chosen)
    if settings.pop("with_token", False):
        settings["auth"] = OAuth2ClientCredentials("id", "secret")
    async with client_of(step, **settings) as client:
        for call, operation in (
            (client.get_session("s-1"), "getSession"),
            (client.create_participant(), "createParticipant"),
        ):
            with pytest.raises(WebRtcError) as caught:
                await call
            assert str(caught.value).startswith(f"{operation}: ")
            assert caught.value.operation == operation
            assert caught.value.attempts >= 1


async def test_refusals_before_sending_start_with_their_operation() -> None:
    """The error for an invalid argument starts with the operation, and there is no attempt."""
    async with client_of() as client:
        wrong: Any = Participant()
        for call in (client.get_session(""), client.create_session(wrong)):
            with pytest.raises(WebRtcError, match=r"^(get|create)Session: ") as caught:
                await call
            assert (caught.value.outcome, caught.value.attempts) == (Outcome.NOT_SENT, 0)
        assert client.requests_sent == 0


# Cancellation


@jumping_backends()
@pytest.mark.parametrize("stage", ["attempt", "queue", "pause", "token"])
async def test_a_cancelled_call_is_cancelled(stage: str) -> None:
    """A cancellation from outside never becomes one of our errors."""
    steps: list[object] = [LOST] if stage == "pause" else [hang]
    auth: object = OAuth2ClientCredentials("id", "secret") if stage == "token" else ("u", "p")
    chosen = RetryPolicy(attempt_timeout=None, first_wait=50, longest_wait=50, random=lambda: 1.0)
    async with client_of(*steps, auth=auth, retry=chosen, deadline=60, max_connections=1) as client:
        async with anyio.create_task_group() as tasks:
            if stage == "queue":
                tasks.start_soon(client.get_session, "s-1")
                await anyio.wait_all_tasks_blocked()
            with anyio.CancelScope(deadline=anyio.current_time() + 5) as scope:
                try:
                    await client.get_session("s-1")
                except anyio.get_cancelled_exc_class():
                    is_cancelled = True
                    raise
            tasks.cancel_scope.cancel()
        assert is_cancelled
        assert scope.cancelled_caught
        sent = client.requests_sent
        await anyio.sleep(100)
        assert client.requests_sent == sent


@jumping_backends()
async def test_a_callers_own_timeout_is_raised() -> None:
    """A caller's own shorter timeout raises TimeoutError, not one of our errors."""
    async with client_of(hang, deadline=30, retry=PATIENT) as client:
        with pytest.raises(TimeoutError) as caught, anyio.fail_after(5):
            await client.get_session("s-1")
    assert not isinstance(caught.value, WebRtcError)


async def test_concurrent_calls_do_not_mix() -> None:
    """Each of fifty concurrent calls gets its own response and its own number of attempts."""
    failed: set[str] = set()

    def serve(request: httpx.Request) -> httpx.Response:
        wanted = request.url.path.rpartition("/")[2]
        if int(wanted) % 2 and wanted not in failed:
            failed.add(wanted)
            return refusal(503)
        return answer(200, {"id": wanted})

    found: dict[int, tuple[str, int]] = {}
    async with client_of(serve) as client:

        async def one(number: int) -> None:
            response = await client.request(route_table.GET_SESSION, session_id=str(number))
            found[number] = (response.data.id, response.attempts)

        async with anyio.create_task_group() as tasks:
            for number in range(50):
                tasks.start_soon(one, number)
    assert found == {number: (str(number), 1 + number % 2) for number in range(50)}


async def test_an_unexpected_response_is_not_repeated() -> None:
    """A success with an invalid body is raised at once with its problems."""
    async with client_of(answer(200, {"tag": 5})) as client:
        with pytest.raises(UnexpectedResponseError) as caught:
            await client.get_session("s-1")
        assert client.requests_sent == 1
    assert set(caught.value.problems) == {"id: missing", "tag: expected text, found a number"}


async def test_a_failed_connection_says_that_it_may_be_repeated() -> None:
    """The error of an unsent call says that nothing was sent."""
    async with client_of(UNSENT) as client:
        with pytest.raises(ConnectionFailedError, match=r"This was attempt 3\. Nothing was sent"):
            await client.create_session()
