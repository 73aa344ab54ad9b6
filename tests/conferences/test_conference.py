"""One conference: set up in two round trips, and deleted when its block ends."""

import pickle

import anyio
import pytest
from support.conferences import ACCOUNT, Request, client_over, remaining_in, service

from webrtc_async import (
    ConferenceOverError,
    ConferencePlan,
    InvalidArgumentError,
    ParticipantSpec,
    SetupProgress,
)
from webrtc_async.device_token import DeviceTokenClaims

pytestmark = pytest.mark.anyio


async def test_a_conference_lasts_as_long_as_its_block():
    """Inside the block every participant receives every other; after it nothing is left."""
    emulator, transport = service()
    async with client_over(transport) as client:
        async with client.conference(["agent", "caller", "guest"], tag="visit-42") as conference:
            session_id = conference.session.id
            assert conference.session.tag == "visit-42"
            ids = {name: conference[name].participant.id for name in ("agent", "caller", "guest")}
            assert emulator.subscribed_to(ACCOUNT, session_id) == {
                each: frozenset(ids.values()) - {each} for each in ids.values()
            }
            assert len(conference) == 3
            assert "agent" in conference
            assert "nobody" not in conference
            with pytest.raises(KeyError, match="'nobody' is none of the members"):
                conference["nobody"]
        assert remaining_in(emulator) == ()


async def test_it_takes_two_round_trips_and_1_plus_2n_requests():
    """Session and participants are created together, then all join with their subscriptions."""
    _, transport = service()
    waiting: list[str] = []
    all_wait = anyio.Event()

    async def hold(request: Request) -> None:
        nonlocal all_wait
        waiting.append(request.method)
        if len(waiting) in {5, 9}:
            all_wait.set()
            all_wait = anyio.Event()
        elif len(waiting) < 9:
            await all_wait.wait()

    transport.hold = hold
    async with client_over(transport) as client:
        with anyio.fail_after(5):
            plan = ConferencePlan(
                ["a", "b", "c", "d"], subscriptions={"a": ["b", "c"], "b": {"d": ["mic"]}}
            )
            async with client.conference(plan):
                assert waiting == ["POST"] * 5 + ["PUT"] * 4
                assert client.requests_sent == 9


async def test_tokens_are_by_name_and_in_no_repr():
    """Each member has the token of its own participant, and no repr shows it."""
    _, transport = service()
    async with (
        client_over(transport) as client,
        client.conference(["agent", "caller"]) as conference,
    ):
        for name in ("agent", "caller"):
            token = conference[name].token
            assert DeviceTokenClaims.read(token).participant_id == conference[name].participant.id
            for value in (conference, conference.now, conference[name]):
                assert token not in repr(value)
        again = pickle.loads(pickle.dumps(conference.now))
        assert again == conference.now
        assert again["agent"].token == conference["agent"].token


async def test_subscriptions_are_as_planned():
    """Names become ids, stream aliases are sent, and participants not listed receive nobody."""
    emulator, transport = service()
    async with client_over(transport) as client:
        subscriptions = {"agent": "everyone", "caller": {"agent": ["mic"]}}
        async with client.conference(
            ["agent", "caller", "guest"], subscriptions=subscriptions
        ) as held:
            ids = {name: held[name].participant.id for name in ("agent", "caller", "guest")}
            assert emulator.subscribed_to(ACCOUNT, held.session.id) == {
                ids["agent"]: {ids["caller"], ids["guest"]},
                ids["caller"]: {ids["agent"]},
                ids["guest"]: frozenset(),
            }
            found = await client.get_participant_subscriptions(
                session_id=held.session.id, participant_id=ids["caller"]
            )
            assert found.participants[0].stream_aliases == ("mic",)
            assert 'p0 -->|"mic"| p1' in held.mermaid()
            assert 'p0 -> p1 [label="mic"]' in held.dot()


async def test_a_spec_reaches_the_service():
    """A participant has the permissions and the tag of its spec."""
    _, transport = service()
    async with client_over(transport) as client:
        participants = [
            ParticipantSpec("agent", publish_permissions={"AUDIO"}, tag="a-1"),
            "caller",
        ]
        async with client.conference(participants) as conference:
            participant = await client.get_participant(conference["agent"].participant.id)
            assert participant.publish_permissions == {"AUDIO"}
            assert participant.tag == "a-1"


async def test_progress_is_reported_step_by_step():
    """Plain and async callbacks get each step once; a callback that raises changes nothing."""
    _, transport = service()
    seen: list[SetupProgress] = []

    async def later(step: SetupProgress) -> None:
        await anyio.lowlevel.checkpoint()
        seen.append(step)

    def broken(_: SetupProgress) -> None:
        raise RuntimeError("the callback's own")

    async with client_over(transport) as client:
        for callback in (seen.append, later, broken):
            async with client.conference(["a", "b"], on_progress=callback):
                pass
    assert [step.done for step in seen] == [1, 2, 3, 4, 5] * 2
    assert {step.total for step in seen} == {5}
    assert sorted((step.stage, step.name) for step in seen[:5]) == [
        ("joined", "a"),
        ("joined", "b"),
        ("participant created", "a"),
        ("participant created", "b"),
        ("session created", ""),
    ]


async def test_a_plan_is_checked_before_any_request():
    """An invalid plan is refused at once, and nothing is sent."""
    _, transport = service()
    async with client_over(transport) as client:
        with pytest.raises(InvalidArgumentError, match="at most 20"):
            client.conference([str(number) for number in range(21)])
        with pytest.raises(InvalidArgumentError, match="or give no plan"):
            client.conference(ConferencePlan(["a"]), tag="t")
    assert transport.requests == []


async def test_a_context_is_entered_once():
    """A second entry is refused, because it would be another conference."""
    _, transport = service()
    async with client_over(transport) as client:
        context = client.conference(["a"])
        async with context:
            with pytest.raises(ConferenceOverError, match="entered only once"):
                await context.__aenter__()
