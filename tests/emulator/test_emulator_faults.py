"""The client meets each fault, in process and over TCP, and the state shows the effect."""

from collections.abc import Iterator

import anyio
import pytest
from attrs import define
from support.backends import jumping_backends
from support.http_library import httpx
from support.scripted import ONCE, policy
from support.speaking import ACCOUNT, Caller, Clock

from webrtc_async import (
    AsyncWebRtcClient,
    ConnectionFailedError,
    DeadlineExceededError,
    NotFoundError,
    Outcome,
    RateLimitedError,
    ServerError,
    TransportError,
    UnexpectedResponseError,
    UnknownOutcomeError,
)
from webrtc_async.emulator import Emulator, EmulatorServer, EmulatorTransport, emulator_app
from webrtc_async.emulator.faults.header import FAULT_HEADER
from webrtc_async.route_table import CREATE_SESSION, DELETE_SESSION, GET_SESSION


@define
class Service:
    """An emulator, and the settings of its clients."""

    emulator: Emulator
    clock: Clock
    server: EmulatorServer | None = None

    def client(self, **settings) -> AsyncWebRtcClient:
        """Return a client that makes one attempt by default."""
        way = (
            {"transport": EmulatorTransport(self.emulator)}
            if self.server is None
            else {"base_url": self.server.base_url}
        )
        return AsyncWebRtcClient(
            ACCOUNT, **{"auth": ("user", "password"), "retry": ONCE, **way, **settings}
        )

    @property
    def sessions(self) -> int:
        return len(self.emulator.session_ids(ACCOUNT))


@pytest.fixture(scope="module")
def tcp() -> Iterator[Service]:
    """One server for all tests, because starting one takes time."""
    clock = Clock()
    with EmulatorServer(Emulator(seed=1, clock=clock, fault_header=True)) as server:
        yield Service(server.emulator, clock, server)


@pytest.fixture(params=["in process", "TCP"])
def service(request: pytest.FixtureRequest) -> Service:
    if request.param == "in process":
        clock = Clock()
        return Service(Emulator(seed=1, clock=clock, fault_header=True), clock)
    tcp = request.getfixturevalue("tcp")
    tcp.emulator.reset()
    return tcp


@pytest.fixture
def in_process() -> Service:
    clock = Clock()
    return Service(Emulator(seed=1, clock=clock), clock)


def last(service: Service):
    return [*service.emulator.exchanges][-1]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"status": 500}, ServerError),
        ({"status": 500, "body": "html"}, ServerError),
        ({"status": 503, "body": "empty"}, ServerError),
        ({"status": 404, "body": "code"}, NotFoundError),
        ({"storm": 5, "seed": 1}, ServerError),
        ({"limit": 0}, RateLimitedError),
    ],
    ids=str,
)
async def test_a_status_is_returned_and_nothing_is_created(service, fields, error):
    """The client raises the status's error, and the emulator has created nothing."""
    fault = service.emulator.faults.add(CREATE_SESSION, **fields)
    async with service.client() as client:
        with pytest.raises(error) as raised:
            await client.create_session()
    assert raised.value.outcome is Outcome.ANSWERED
    assert raised.value.request_id
    assert service.sessions == 0
    assert fault.fired == 1
    assert last(service).status == raised.value.status
    assert last(service).fault == str(fault.rule)


@pytest.mark.anyio
@pytest.mark.parametrize("ending", ["reset", "close"])
async def test_a_request_dropped_before_acting_leaves_no_record(service, ending):
    """A dropped create has an unknown outcome, and nothing was created."""
    service.emulator.faults.add(CREATE_SESSION, drop=ending)
    async with service.client() as client:
        with pytest.raises(UnknownOutcomeError) as raised:
            await client.create_session()
    assert raised.value.outcome is Outcome.UNKNOWN
    assert service.sessions == 0
    assert (last(service).operation, last(service).status) == ("createSession", None)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "fields",
    [
        {"lose_answer": "reset"},
        {"lose_answer": "close"},
        {"garbage": 200},
        {"truncate": 5},
        {"truncate": 10_000},
    ],
    ids=str,
)
async def test_a_response_lost_after_acting_leaves_the_record(service, fields):
    """A lost response hides the created session; the error says that it may exist."""
    service.emulator.faults.add(CREATE_SESSION, nth=1, **fields)
    async with service.client() as client:
        with pytest.raises(UnknownOutcomeError):
            await client.create_session()
        assert service.sessions == 1
        # The client works in any state of that connection.
        await client.create_session()
    assert service.sessions == 2


@pytest.mark.anyio
async def test_a_create_with_a_lost_response_is_not_repeated(service):
    """With retries on, one session is created with one request."""
    service.emulator.faults.add(CREATE_SESSION, lose_answer=True)
    async with service.client(retry=policy()) as client:
        with pytest.raises(UnknownOutcomeError):
            await client.create_session()
    assert service.emulator.requests(CREATE_SESSION) == 1
    with pytest.raises(AssertionError, match="1 not deleted:\nsession "):
        service.emulator.assert_no_orphans()


@pytest.mark.anyio
async def test_a_delete_with_a_lost_response_is_repeated(service):
    """The second attempt gets a 404, which counts as success."""
    async with service.client(retry=policy()) as client:
        session = await client.create_session()
        service.emulator.faults.add(DELETE_SESSION, lose_answer=True, nth=1)
        await client.delete_session(session.id)
    assert service.emulator.requests(DELETE_SESSION) == 2
    service.emulator.assert_no_orphans()


@pytest.mark.anyio
@pytest.mark.parametrize(
    "fields",
    [{"delay": 0.05}, {"slow_headers": 0.05}, {"slow_body": 0.05}],
    ids=str,
)
async def test_a_slow_response_is_complete(service, fields):
    """After the delay the caller gets the result, and the log has the time."""
    service.emulator.faults.add(CREATE_SESSION, **fields)
    async with service.client() as client:
        session = await client.create_session()
        assert await client.get_session(session.id) == session
    first, second = service.emulator.exchanges
    assert first.seconds >= 0.05 > second.seconds


@pytest.mark.anyio
@pytest.mark.parametrize(
    "fields",
    [{"delay": 30}, {"slow_headers": 30}, {"slow_body": 30}, {"wrong_length": 5}],
    ids=str,
)
async def test_a_deadline_ends_a_call_after_the_act(service, fields):
    """The deadline ends the call; the session exists, because the service acted."""
    service.emulator.faults.add(CREATE_SESSION, nth=1, **fields)
    # A client that follows the create would delete the session.
    async with service.client(create_grace=0) as client:
        with pytest.raises(DeadlineExceededError):
            await client.with_options(deadline=0.3).create_session()
        await client.create_session()
    assert service.sessions == 2


@pytest.mark.anyio
async def test_a_short_length_truncates_the_response(service):
    """A truncated JSON body is an error that says so."""
    service.emulator.faults.add(CREATE_SESSION, wrong_length=-3)
    async with service.client() as client:
        with pytest.raises(UnexpectedResponseError):
            await client.create_session()
    assert service.sessions == 1


@pytest.mark.anyio
async def test_a_response_without_a_body_can_be_corrupted_too(service):
    """A truncated 204 is lost; a wrong length or trailing bytes do no further harm."""
    async with service.client() as client:
        ids = [(await client.create_session()).id for _ in range(2)]
        service.emulator.faults.add(DELETE_SESSION, truncate=3, nth=1)
        with pytest.raises(UnknownOutcomeError):
            await client.delete_session(ids[0])
        service.emulator.faults.add(DELETE_SESSION, wrong_length=4, nth=1)
        await client.delete_session(ids[1])
    service.emulator.assert_no_orphans()


SECOND = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n"


@pytest.mark.anyio
@pytest.mark.parametrize("trailing", ["nonsense\r\n\r\n", SECOND + '{"id":"bad"}'[:11]])
async def test_bytes_after_a_response_do_not_corrupt_it(service, trailing):
    """The response is complete; the next exchange can fail, and its error says so."""
    service.emulator.faults.add(GET_SESSION, trailing=trailing, nth=1)
    async with service.client() as client:
        session = await client.create_session()
        assert await client.get_session(session.id) == session
        try:
            assert await client.get_session(session.id) == session
        except (TransportError, UnexpectedResponseError):
            assert await client.get_session(session.id) == session


@pytest.mark.anyio
async def test_trailing_bytes_in_process_act_as_in_httpx_s_pool(in_process):
    """Bytes after a response are read as the response to the next request, as by httpx."""
    in_process.emulator.faults.add(
        trailing="HTTP/1.1 418 Teapot\r\nContent-Length: 2\r\n\r\nhi", nth=1
    )
    async with httpx.AsyncClient(transport=EmulatorTransport(in_process.emulator)) as client:
        answers = [await client.get("http://emulator/v1/x") for _ in range(3)]
    assert [(each.status_code, each.content) for each in answers[:2]] == [
        (403, b'{"message":"Missing Authentication Token"}'),
        (418, b"hi"),
    ]
    assert in_process.emulator.exchanges.count == 3


@pytest.mark.anyio
async def test_a_refused_connection_was_never_made(in_process):
    """In process it is a refused connection, which is safe to retry, also for creates."""
    in_process.emulator.faults.add(refuse=True, times=2)
    async with in_process.client(retry=policy()) as client:
        await client.create_session()
    in_process.emulator.faults.add(refuse=True)
    async with in_process.client() as client:
        with pytest.raises(ConnectionFailedError) as raised:
            await client.create_session()
    assert raised.value.outcome is Outcome.NOT_SENT
    assert in_process.sessions == 1


@pytest.mark.anyio
async def test_an_open_connection_is_reset_instead_of_refused(tcp):
    """Over TCP the request is read before the reset; the service does not act on it."""
    tcp.emulator.reset()
    tcp.emulator.faults.add(refuse=True)
    async with tcp.client() as client:
        with pytest.raises(UnknownOutcomeError):
            await client.create_session()
    assert tcp.sessions == 0


@pytest.mark.anyio
async def test_a_bucket_is_waited_out(service):
    """The client obeys a 429's Retry-After, and succeeds after the window."""
    service.emulator.faults.add(CREATE_SESSION, limit=1, window=5)
    pauses = []

    async def sleep(seconds):
        pauses.append(seconds)
        service.clock.now += seconds

    async with service.client(retry=policy(sleep=sleep)) as client:
        for _ in range(2):
            await client.create_session()
    assert len(pauses) == 1
    assert pauses[0] >= 5
    assert service.sessions == 2


@pytest.mark.anyio
async def test_retries_outlast_a_storm(service):
    """Retries continue through a storm and create one session."""
    service.emulator.faults.add(storm=3, seed=2)

    async def sleep(_):
        service.clock.now += 2

    async with service.client(retry=policy(attempts=5, sleep=sleep)) as client:
        await client.create_session()
    assert service.sessions == 1
    assert service.emulator.requests(CREATE_SESSION) == 3


@pytest.mark.anyio
async def test_a_request_may_carry_its_own_fault(service):
    """With the option on, a request's header carries its fault; other requests are normal."""
    async with service.client() as client:
        struck = client.with_options(headers={FAULT_HEADER: '{"status":503,"body":"html"}'})
        with pytest.raises(ServerError):
            await struck.create_session()
        lost = client.with_options(headers={FAULT_HEADER: '{"lose_answer":true}'})
        with pytest.raises(UnknownOutcomeError):
            await lost.create_session()
        await client.create_session()
    assert service.sessions == 2
    assert [each.fault for each in service.emulator.exchanges] == [
        "status 503",
        "lose_answer reset",
        None,
    ]


def test_a_fault_header_is_ignored_by_default():
    """Without the option the header is ignored, as at the service."""
    emulator = Emulator()
    caller = Caller(emulator, headers={FAULT_HEADER: '{"status":503}'})
    assert caller.send("POST", "/sessions").status == 200


def test_an_invalid_fault_header_is_refused_by_its_field():
    """An invalid header is a 400 that names the field, and the service does not act."""
    emulator = Emulator(fault_header=True)
    caller = Caller(emulator, headers={FAULT_HEADER: '{"status":5}'}, can_fail=True)
    response = caller.send("POST", "/sessions")
    assert response.status == 400
    assert b"X-Emulator-Fault: status must be a whole number" in response.content
    assert emulator.session_ids(ACCOUNT) == ()


def test_handle_applies_no_fault():
    """`handle` never applies faults; `reply_to` does."""
    emulator = Emulator()
    emulator.faults.add(drop=True)
    assert Caller(emulator).send("POST", "/sessions").status == 200


def test_a_reset_disarms_everything():
    """After a reset there is no state and no fault."""
    emulator = Emulator()
    emulator.faults.add(drop=True)
    Caller(emulator).send("POST", "/sessions")
    emulator.reset()
    assert len(emulator.faults) == len(emulator.exchanges) == emulator.requests_handled == 0


@jumping_backends()
@pytest.mark.parametrize(
    ("fields", "read"),
    [
        ({"delay": 10}, 5),
        ({"slow_headers": 10}, 0.5),
        ({"slow_body": 10}, 0.5),
        ({"wrong_length": 1}, 1),
    ],
    ids=str,
)
@pytest.mark.anyio
async def test_a_long_delay_in_process_is_a_read_timeout(fields, read):
    """A pause longer than httpx's read timeout is a ReadTimeout; a shorter one is not."""
    emulator = Emulator()
    transport = EmulatorTransport(emulator)
    emulator.faults.add(times=2, **fields)
    request = {
        "url": f"http://emulator/v1/accounts/{ACCOUNT}/sessions",
        "auth": ("user", "password"),
    }
    async with httpx.AsyncClient(transport=transport) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post(**request, timeout=read)
        began = anyio.current_time()
        if "wrong_length" in fields:
            with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
                await client.post(**request, timeout=60)
        else:
            assert (await client.post(**request, timeout=60)).status_code == 200
            assert anyio.current_time() - began == pytest.approx(10, abs=1)


@pytest.mark.anyio
async def test_another_server_supports_only_asgi_faults():
    """Under another server, statuses and delays work; other faults are a 501 that says so."""
    emulator = Emulator()
    transport = httpx.ASGITransport(emulator_app(emulator))
    emulator.faults.add(nth=1, slow_body=0.01)
    emulator.faults.add(nth=2, status=503)
    emulator.faults.add(nth=3, drop=True)
    emulator.faults.add(delay=0.01)
    async with httpx.AsyncClient(transport=transport) as client:
        answers = [await client.get("http://emulator/v1/x") for _ in range(3)]
    assert [each.status_code for each in answers] == [403, 503, 501]
    assert [each.fault for each in emulator.exchanges] == [
        "slow_body 0.01 and delay 0.01",
        "status 503 and delay 0.01",
        "drop reset and delay 0.01",
    ]
    assert "own server" in answers[2].text
