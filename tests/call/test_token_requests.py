"""Token requests that fail while many calls wait: repeated once, for all of them."""

import anyio
import anyio.lowlevel
import pytest
from attrs import define, field
from support.backends import jumping_backends
from support.http_library import httpx
from support.scripted import SESSION, Recorder, answer, policy, refusal

from webrtc_async import AsyncWebRtcClient, OAuth2ClientCredentials
from webrtc_async._auth.schemes import Auth, Send
from webrtc_async._call.retry_quota import RetryQuota
from webrtc_async._protocol.wire import WireRequest, WireResponse
from webrtc_async.errors import (
    ConfigurationError,
    ConnectionFailedError,
    DeadlineExceededError,
    ServerError,
    UnauthorizedError,
    WebRtcError,
)

pytestmark = pytest.mark.anyio
CALLS = 300
GRANT = answer(200, {"access_token": "abc", "token_type": "bearer", "expires_in": 3600})
LOST, UNSENT = httpx.ReadError("gone"), httpx.ConnectError("refused")


@define
class Service(httpx.AsyncBaseTransport):
    """A working service with a token endpoint that gives each request the next of its responses.

    Attributes:
        steps: The responses and failures of the token endpoint; the last repeats.
        delay: Seconds until the token endpoint responds.
        rejects: The tokens that the service rejects.
        tokens: The token requests that arrived.
    """

    steps: list[httpx.Response | Exception]
    delay: float = 0
    rejects: frozenset[str] = frozenset()
    tokens: int = field(default=0, init=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host != "t.example":
            is_rejected = request.headers["authorization"] in self.rejects
            return refusal(401) if is_rejected else answer(200, SESSION)
        self.tokens += 1
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        await anyio.sleep(self.delay)
        if isinstance(step, Exception):
            raise step
        return httpx.Response(step.status_code, headers=step.headers, content=step.content)


def client_for(service: Service, **settings: object) -> AsyncWebRtcClient:
    auth = OAuth2ClientCredentials("id", "secret", token_url="https://t.example/token")
    given = {"auth": auth, "retry": policy(), "transport": service, **settings}
    return AsyncWebRtcClient("9900000", **given)


async def call_many(client: AsyncWebRtcClient, calls: int = CALLS) -> list[WebRtcError]:
    """Make calls at the same time, and return their failures."""
    failures: list[WebRtcError] = []

    async def one() -> None:
        try:
            await client.get_session("s-1")
        except WebRtcError as error:
            failures.append(error)

    async with anyio.create_task_group() as tasks:
        for _ in range(calls):
            tasks.start_soon(one)
    return failures


@pytest.mark.parametrize(
    ("failed", "cost"),
    [
        (refusal(503), 5),
        (refusal(429, retry_after="1"), 5),
        (refusal(408), 5),
        (LOST, 14),
        (UNSENT, 14),
    ],
)
async def test_one_failed_token_request_fails_no_call(failed: object, cost: int) -> None:
    """One call repeats and pays for a failed token request, and all waiting calls succeed."""
    service, quota = Service([failed, GRANT]), RetryQuota()
    spent: list[float] = []

    async def sleep(_: float) -> None:
        spent.append(quota.capacity - quota.tokens)
        await anyio.lowlevel.checkpoint()

    async with client_for(service, retry=policy(sleep=sleep), retry_quota=quota) as client:
        assert await call_many(client) == []
    assert (service.tokens, spent) == (2, [cost])


async def test_an_outage_costs_three_token_requests() -> None:
    """All waiting calls share the last failure, with its own text."""
    service, recorder, quota = Service([refusal(503)]), Recorder(), RetryQuota()
    async with client_for(service, retry=policy(recorder), retry_quota=quota) as client:
        failures = await call_many(client)
        assert len({id(each) for each in failures}) == CALLS
        assert {type(each) for each in failures} == {ServerError}
        assert not any(
            "quota" in note for each in failures for note in vars(each).get("__notes__", [])
        )
        assert (service.tokens, quota.tokens) == (3, 490)
        assert recorder.pauses == [0.05, 0.1]
        service.steps = [GRANT]
        assert await call_many(client) == []


async def test_rejected_credentials_are_not_repeated() -> None:
    """Rejected credentials cost one request, however many calls wait for it."""
    service = Service([answer(401, {"error": "invalid_client"})])
    async with client_for(service) as client:
        failures = await call_many(client)
    assert ({type(each) for each in failures}, len(failures)) == ({UnauthorizedError}, CALLS)
    assert service.tokens == 1


async def test_no_repetition_means_one_request() -> None:
    """With one attempt, the calls that wait share the first failure."""
    service = Service([LOST, GRANT])
    async with client_for(service, retry=policy(attempts=1)) as client:
        failures = await call_many(client)
    assert {type(each) for each in failures} == {ConnectionFailedError}
    assert (service.tokens, len(failures)) == (1, CALLS)


async def test_an_empty_quota_fails_them_all_with_one_request() -> None:
    """Without tokens in the quota nothing is repeated, and each failure says so."""
    service = Service([refusal(503), GRANT])
    async with client_for(service, retry_quota=RetryQuota(0)) as client:
        failures = await call_many(client, 20)
    assert all("quota is used up" in each.__notes__[0] for each in failures)
    assert (service.tokens, len(failures)) == (1, 20)


async def test_a_rejected_token_is_replaced_despite_a_failure() -> None:
    """Calls whose token was revoked share the repetition of the next token request, too."""
    new = answer(200, {"access_token": "new", "expires_in": 3600})
    service = Service([GRANT, refusal(503), new], rejects=frozenset({"Bearer abc"}))
    async with client_for(service, max_connections=CALLS) as client:
        assert await call_many(client) == []
    assert service.tokens == 3


@pytest.mark.parametrize("fields", [{}, {"expires_in": None}, {"expires_in": 0}])
async def test_a_token_without_a_lifetime_serves_all_that_wait(fields: dict[str, object]) -> None:
    """A token endpoint need not send expires_in: calls at the same time cost one token request."""
    service = Service([answer(200, {"access_token": "abc", **fields})])
    async with client_for(service) as client:
        assert await call_many(client) == []
    assert service.tokens == 1


@jumping_backends()
@pytest.mark.parametrize("delay", [0, 3])
@pytest.mark.parametrize("leader", ["is cancelled", "has an earlier deadline", "does not repeat"])
async def test_a_leader_hands_over(leader: str, delay: float) -> None:
    """Other calls succeed if the one that fetches for them ends while it fetches or pauses."""
    service = Service([refusal(503, retry_after="2"), GRANT], delay=delay)
    failures: list[WebRtcError] = []
    async with client_for(service, retry=policy(sleep=anyio.sleep), deadline=60) as client:
        impatient = client.with_options(
            deadline=1 if leader == "has an earlier deadline" else 60,
            retry=policy(
                attempts=1 if leader == "does not repeat" else 3,
                attempt_timeout=10,
                sleep=anyio.sleep,
            ),
        )

        async def lead() -> None:
            with anyio.move_on_after(1 if leader == "is cancelled" else 60) as scope:
                with pytest.raises((ServerError, DeadlineExceededError)):
                    await impatient.get_session("s-1")
            assert scope.cancelled_caught == (leader == "is cancelled")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lead)
            await anyio.wait_all_tasks_blocked()
            failures += await call_many(client, 20)
    assert failures == []
    assert service.tokens == 2


@jumping_backends()
async def test_a_client_that_closes_hands_over() -> None:
    """The calls of another client with the same credentials go on if the first client closes."""
    service = Service([GRANT], delay=3)
    auth = OAuth2ClientCredentials("id", "secret", token_url="https://t.example/token")
    first = client_for(service, auth=auth, close_grace=0)
    async with client_for(service, auth=auth) as second, anyio.create_task_group() as tasks:
        tasks.start_soon(call_many, first, 2)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(first.aclose)
        assert await call_many(second, 20) == []


@jumping_backends()
async def test_a_late_call_knows_why_it_has_no_token() -> None:
    """A deadline that passes while a token request is repeated has the request's failure."""

    async def sleep(_: float) -> None:
        await anyio.sleep_forever()

    async with client_for(
        Service([refusal(503)]), retry=policy(sleep=sleep, first_wait=0), deadline=5
    ) as client:
        with pytest.raises(DeadlineExceededError, match="fetching an access token") as caught:
            await client.get_session("s-1")
    assert isinstance(caught.value.__cause__, ServerError)


async def test_a_wrapped_send_still_repeats() -> None:
    """An Auth of your own that wraps `send` has its call repeated by the policy."""

    class Logged(Auth):
        inner = OAuth2ClientCredentials("id", "secret", token_url="https://t.example/token")

        async def authorization(self, send: Send) -> str:
            async def logged(request: WireRequest) -> WireResponse:
                return await send(request)

            return await self.inner.authorization(logged)

    service = Service([refusal(503), GRANT])
    async with client_for(service, auth=Logged()) as client:
        assert (await client.get_session("s-1")).id == "s-1"
    assert service.tokens == 2


async def test_a_wrong_token_url_is_not_repeated() -> None:
    """A page instead of a token ends all calls after one request."""
    service = Service([httpx.Response(200, content=b"<html>")])
    async with client_for(service) as client:
        failures = await call_many(client, 20)
    assert ({type(each) for each in failures}, service.tokens) == ({ConfigurationError}, 1)
