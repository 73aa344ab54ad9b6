"""A client's errors are the same in process as over TCP, and name the emulator."""

import logging
import re
from collections.abc import Iterator

import pytest
from attrs import frozen
from support.backends import jumping_backends
from support.http_library import httpx
from support.scripted import ONCE
from support.speaking import ACCOUNT, Clock

from webrtc_async import (
    AsyncWebRtcClient,
    ConnectionFailedError,
    OAuth2ClientCredentials,
    Outcome,
    ServerError,
    Session,
    UnknownOutcomeError,
    WebRtcError,
)
from webrtc_async.emulator import Emulator, EmulatorServer, EmulatorTransport
from webrtc_async.emulator.faults.rule import FAULTS, FaultRule
from webrtc_async.route_table import CREATE_SESSION

BASIC = ("user", "password")


@pytest.fixture(scope="module")
def server() -> Iterator[EmulatorServer]:
    """One server for all tests, because starting one takes time."""
    with EmulatorServer(Emulator(seed=1, clock=Clock())) as server:
        yield server


@frozen
class Told:
    """What a client says of a failed create, and whether the session exists."""

    error: str | None
    outcome: Outcome | None
    stage: str | None
    created: int


async def told(emulator: Emulator, fields: dict[str, object], **way: object) -> Told:
    """Create a session with a fault, without another attempt."""
    emulator.faults.add(CREATE_SESSION, **fields)
    settings = {"auth": BASIC, "retry": ONCE, "create_grace": 0, "deadline": 0.3, **way}
    error = None
    async with AsyncWebRtcClient(ACCOUNT, **settings) as client:
        try:
            await client.create_session()
        except WebRtcError as caught:
            error = caught
    created = len(emulator.session_ids(ACCOUNT))
    if error is None:
        return Told(None, None, None, created)
    stage = re.search(r"(?:lost while|while the call was) ([a-z ]+)[:.]", str(error))
    return Told(type(error).__name__, error.outcome, stage and stage[1], created)


WAITING = "waiting for the response"
READING = "reading the response"
LATE = "DeadlineExceededError"

CASES = [
    ({"status": 503}, Told("ServerError", Outcome.ANSWERED, None, 0)),
    ({"status": 409, "message": "Busy"}, Told("ConflictError", Outcome.ANSWERED, None, 0)),
    ({"storm": 9, "seed": 1}, Told("ServerError", Outcome.ANSWERED, None, 0)),
    ({"limit": 0}, Told("RateLimitedError", Outcome.ANSWERED, None, 0)),
    ({"slow_headers": 60}, Told(LATE, Outcome.UNKNOWN, WAITING, 1)),
    ({"slow_body": 60}, Told(LATE, Outcome.ANSWERED, READING, 1)),
    ({"drop": "reset"}, Told("UnknownOutcomeError", Outcome.UNKNOWN, WAITING, 0)),
    ({"drop": "close"}, Told("UnknownOutcomeError", Outcome.UNKNOWN, WAITING, 0)),
    ({"lose_answer": "reset"}, Told("UnknownOutcomeError", Outcome.UNKNOWN, WAITING, 1)),
    ({"lose_answer": "close"}, Told("UnknownOutcomeError", Outcome.UNKNOWN, WAITING, 1)),
    ({"truncate": 5}, Told("UnknownOutcomeError", Outcome.ANSWERED, READING, 1)),
    ({"truncate": 9999}, Told("UnknownOutcomeError", Outcome.UNKNOWN, WAITING, 1)),
    ({"wrong_length": 5}, Told(LATE, Outcome.ANSWERED, READING, 1)),
    ({"wrong_length": -3}, Told("UnexpectedResponseError", Outcome.ANSWERED, None, 1)),
    ({"garbage": 200}, Told("UnknownOutcomeError", Outcome.UNKNOWN, WAITING, 1)),
    ({"trailing": "x"}, Told(None, None, None, 1)),
    ({"delay": 60}, Told(LATE, Outcome.UNKNOWN, WAITING, 1)),
    ({"delay": 0.01}, Told(None, None, None, 1)),
    ({"status": 503, "delay": 0.01}, Told("ServerError", Outcome.ANSWERED, None, 0)),
    ({"status": 503, "delay": 60}, Told(LATE, Outcome.UNKNOWN, WAITING, 0)),
    ({"drop": "close", "delay": 60}, Told(LATE, Outcome.UNKNOWN, WAITING, 0)),
    (
        {"lose_answer": "reset", "delay": 0.01},
        Told("UnknownOutcomeError", Outcome.UNKNOWN, WAITING, 1),
    ),
    ({"slow_body": 0.01, "delay": 0.01}, Told(None, None, None, 1)),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("fields", "expected"), CASES, ids=str)
async def test_a_fault_is_told_alike_in_process_and_over_tcp(server, fields, expected):
    """Class, outcome and stage of the error are the same, and so is the emulator's state."""
    server.emulator.reset()
    assert await told(server.emulator, fields, base_url=server.base_url) == expected
    emulator = Emulator(seed=1)
    assert await told(emulator, fields, transport=EmulatorTransport(emulator)) == expected


@pytest.mark.anyio
@pytest.mark.parametrize("delay", [None, 0.01])
async def test_only_a_refused_connection_differs(server, delay):
    """A server that has accepted the connection can only reset it."""
    server.emulator.reset()
    fields = {"refuse": True, "delay": delay}
    assert await told(server.emulator, fields, base_url=server.base_url) == Told(
        "UnknownOutcomeError", Outcome.UNKNOWN, WAITING, 0
    )
    emulator = Emulator()
    assert await told(emulator, fields, transport=EmulatorTransport(emulator)) == Told(
        "ConnectionFailedError", Outcome.NOT_SENT, None, 0
    )


def test_every_fault_is_compared():
    """No fault is missing above."""
    rules = [FaultRule(**fields) for fields, _ in CASES]
    assert {rule.fault for rule in rules} | {"refuse"} == {*FAULTS}


@pytest.mark.anyio
async def test_faults_compose_from_two_rules(server):
    """One rule delays every request, another one fails creates with a tag."""
    for emulator, way in [
        (server.emulator, {"base_url": server.base_url}),
        (in_process := Emulator(), {"transport": EmulatorTransport(in_process)}),
    ]:
        emulator.reset()
        emulator.faults.add(delay=0.02)
        emulator.faults.add(tag="vip", status=503, message="No room")
        async with AsyncWebRtcClient(ACCOUNT, auth=BASIC, retry=ONCE, **way) as client:
            plain = await client.create_session()
            with pytest.raises(ServerError, match="No room"):
                await client.create_session(Session(tag="vip"))
            await client.get_session(plain.id)
        assert [(each.status, each.fault) for each in emulator.exchanges] == [
            (200, "delay 0.02"),
            (503, "delay 0.02 and status 503"),
            (200, "delay 0.02"),
        ]
        assert all(each.seconds >= 0.02 for each in emulator.exchanges)


@pytest.mark.anyio
async def test_a_rule_finds_the_participant_by_its_tag(server):
    """The tag of an existing participant is looked up by its id."""
    emulator = Emulator()
    service = EmulatorTransport(emulator)
    async with AsyncWebRtcClient(ACCOUNT, auth=BASIC, retry=ONCE, transport=service) as client:
        session = await client.create_session(Session(tag="ward"))
        other = await client.create_session()
        emulator.faults.add(tag="ward", drop="close")
        await client.get_session(other.id)
        with pytest.raises(UnknownOutcomeError):
            await client.get_session(session.id)
        emulator.faults.clear()
        emulator.faults.add(header={"x-tenant": "7"}, session=session.id, status=500)
        await client.get_session(session.id)
        tenant = client.with_options(headers={"X-Tenant": "7"})
        await tenant.get_session(other.id)
        with pytest.raises(ServerError):
            await tenant.get_session(session.id)


@jumping_backends()
@pytest.mark.anyio
async def test_a_refusal_can_take_its_time(server):
    """A delayed refusal in process ends with httpx's timeout for connecting."""
    emulator = Emulator()
    emulator.faults.add(refuse=True, delay=10)
    async with httpx.AsyncClient(transport=EmulatorTransport(emulator)) as client:
        with pytest.raises(httpx.ConnectTimeout):
            await client.get("http://emulator/v1/x", timeout=5)
        with pytest.raises(httpx.ConnectError):
            await client.get("http://emulator/v1/x", timeout=15)


# Names


@pytest.mark.anyio
@pytest.mark.parametrize("auth", [BASIC, OAuth2ClientCredentials("client", "secret")], ids=repr)
@pytest.mark.parametrize(
    "fields", [{"drop": "close"}, {"refuse": True}, {"status": 503}, {}], ids=str
)
async def test_errors_and_logs_name_the_emulator(fields, auth, caplog):
    """Nothing names Bandwidth's hosts, for which the requests were never meant."""
    emulator = Emulator()
    if fields:
        emulator.faults.add(**fields)
    caplog.set_level(logging.DEBUG)
    service = EmulatorTransport(emulator)
    text = ""
    async with AsyncWebRtcClient(ACCOUNT, auth=auth, retry=ONCE, transport=service) as client:
        try:
            await client.create_session()
        except WebRtcError as error:
            text = str(error)
        text += repr(client)
    said = text + caplog.text
    assert "bandwidth" not in said
    assert "emulator" in said
    if fields.keys() & {"drop", "refuse"}:
        assert re.search("(connection to|response of) emulator", text)


@pytest.mark.anyio
async def test_a_given_url_is_kept():
    """The transport's names are defaults: arguments and variables of the environment win."""
    emulator = Emulator()
    service = EmulatorTransport(emulator)
    user = {"BW_ACCOUNT_ID": ACCOUNT, "BW_USERNAME": "user", "BW_PASSWORD": "password"}
    for client, host in [
        (AsyncWebRtcClient.from_env(user, transport=service), "emulator"),
        (
            AsyncWebRtcClient.from_env(
                {**user, "BW_WEBRTC_BASE_URL": "https://staging.example/v1"}, transport=service
            ),
            "staging.example",
        ),
        (
            AsyncWebRtcClient(
                ACCOUNT, auth=BASIC, base_url="https://other.example/v1", transport=service
            ),
            "other.example",
        ),
    ]:
        assert f"//{host}/v1 " in repr(client)
        emulator.faults.add(refuse=True, nth=1)
        with pytest.raises(ConnectionFailedError, match=f"no connection to {host}:"):
            await client.with_options(retry=ONCE).create_session()
