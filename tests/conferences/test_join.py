"""`client.join`: a participant joins a session that exists already, or leaves nothing."""

import random

import anyio
import pytest
from support.conferences import (
    ACCOUNT,
    client_over,
    random_pauses,
    remaining_in,
    service,
)
from support.scripted import policy

from webrtc_async import (
    ClientClosedError,
    ConflictError,
    InvalidArgumentError,
    NotFoundError,
    ParticipantSpec,
    UnknownOutcomeError,
)

pytestmark = pytest.mark.anyio


async def test_participants_join_a_session():
    """They receive everyone, nobody, or the participants and streams that they name by id."""
    emulator, transport = service()
    async with client_over(transport) as client:
        session = await client.create_session()
        agent = await client.join(session.id, ParticipantSpec("agent", tag="a"))
        assert (agent.name, agent.participant.tag) == ("agent", "a")
        assert agent.token
        caller = await client.join(session.id, "caller", subscribe_to="nobody")
        some = {agent.participant.id: ["mic"], caller.participant.id: "all"}
        coach = await client.join(session.id, "coach", subscribe_to=some)
        one = await client.join(session.id, "one", subscribe_to=[agent.participant.id])
        receives = emulator.subscribed_to(ACCOUNT, session.id)
        ids = {each.participant.id for each in (agent, caller, coach, one)}
        assert receives[agent.participant.id] == ids - {agent.participant.id}
        assert receives[caller.participant.id] == frozenset()
        assert receives[coach.participant.id] == {agent.participant.id, caller.participant.id}
        assert receives[one.participant.id] == {agent.participant.id}


@pytest.mark.parametrize(
    ("method", "status", "error"), [("POST", 409, ConflictError), ("PUT", 404, NotFoundError)]
)
async def test_a_failed_step_leaves_nothing(method, status, error):
    """The failure of either step is raised, and the participant is deleted."""
    emulator, transport = service()
    async with client_over(transport) as client:
        session = await client.create_session()
        transport.refuse = lambda request: status if request.method == method else None
        with pytest.raises(error):
            await client.join(session.id, "a")
    assert remaining_in(emulator) == (session.id,)


async def test_a_participant_that_cannot_be_deleted_is_named():
    """The failure has a note with the participant's id if the roll-back fails too."""
    emulator, transport = service()
    async with client_over(transport) as client:
        session = await client.create_session()
        transport.refuse = lambda request: 409 if request.method in ("PUT", "DELETE") else None
        with pytest.raises(ConflictError) as got:
            await client.join(session.id, "a")
    [left] = emulator.participant_ids(ACCOUNT)
    assert f"participant a {left} may still exist." in got.value.__notes__


async def test_a_lost_create_is_reported():
    """If the response of the create is lost, the error says that the participant may exist."""
    _, transport = service()
    async with client_over(transport) as client:
        session = await client.create_session()
        transport.lose = lambda request: request.method == "POST"
        with pytest.raises(UnknownOutcomeError):
            await client.join(session.id, "a")


async def test_an_unexpected_error_is_raised_unchanged():
    """An exception of a user's own code is raised as it is, after the roll-back."""
    emulator, transport = service()

    async def broken(_: float) -> None:
        raise RuntimeError("theirs")

    async with client_over(transport, retry=policy(sleep=broken)) as client:
        session = await client.create_session()
        transport.refuse = lambda request: 503 if request.method == "PUT" else None
        with pytest.raises(RuntimeError, match="theirs"):
            await client.join(session.id, "a")
    assert remaining_in(emulator) == (session.id,)


@pytest.mark.parametrize(
    ("session_id", "participant", "subscribe_to"),
    [
        ("", "a", "everyone"),
        (5, "a", "everyone"),
        ("..", "a", "everyone"),
        ("s", "", "everyone"),
        ("s", 5, "everyone"),
        ("s", "a", "agent"),
        ("s", "a", [""]),
        ("s", "a", [".."]),
        ("s", "a", {"p": []}),
        ("s", "a", 5),
    ],
)
async def test_invalid_arguments_are_refused(session_id, participant, subscribe_to):
    """A wrong argument is refused before the first request."""
    _, transport = service()
    async with client_over(transport) as client:
        with pytest.raises(InvalidArgumentError):
            await client.join(session_id, participant, subscribe_to=subscribe_to)
    assert transport.requests == []


async def test_a_closed_client_lets_nobody_join():
    """The error of a closed client is its own."""
    client = client_over(service()[1])
    await client.aclose()
    with pytest.raises(ClientClosedError):
        await client.join("s", "a")


async def test_a_cancelled_join_leaves_nothing():
    """A join that is cancelled at any await leaves no participant, or was complete."""
    source = random.Random(1)
    emulator, transport = service()
    transport.pauses = random_pauses(source)
    joined = []
    async with client_over(transport) as client:
        session = await client.create_session()
        for _ in range(100):
            async with anyio.create_task_group() as tasks:

                async def join() -> None:
                    joined.append(await client.join(session.id, "a", grace=source.choice([0, 1])))

                tasks.start_soon(join)
                for _ in range(source.randrange(60)):
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()
            while len(joined) > 5:
                await client.delete_participant(joined.pop().participant.id)
    assert set(emulator.participant_ids(ACCOUNT)) == {each.participant.id for each in joined}
