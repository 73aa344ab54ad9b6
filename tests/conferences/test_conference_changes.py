"""Changes of a running conference: late joins, early leaves and subscriptions."""

import anyio
import pytest
from support.conferences import ACCOUNT, Request, client_over, remaining_in, service

from webrtc_async import (
    ConferenceOverError,
    ConflictError,
    InvalidArgumentError,
    ParticipantSpec,
)

pytestmark = pytest.mark.anyio


async def test_joins_and_leaves():
    """Subscribers to everyone receive a late participant; one that leaves is deleted."""
    emulator, transport = service()
    async with client_over(transport) as client:
        async with client.conference(["agent", "caller"]) as conference:
            coach = await conference.join(ParticipantSpec("coach"), subscribe_to=["agent"])
            assert conference["coach"] is coach
            ids = {name: conference[name].participant.id for name in ("agent", "caller", "coach")}
            received = emulator.subscribed_to(ACCOUNT, conference.session.id)
            assert received[ids["coach"]] == {ids["agent"]}
            assert received[ids["agent"]] == {ids["caller"], ids["coach"]}

            await conference.subscribe("agent", ["coach"])
            await conference.subscribe("caller", "nobody")
            received = emulator.subscribed_to(ACCOUNT, conference.session.id)
            assert received[ids["agent"]] == {ids["coach"]}
            assert received[ids["caller"]] == frozenset()

            await conference.leave("coach")
            assert "coach" not in conference
            assert emulator.subscribed_to(ACCOUNT, conference.session.id).keys() == {
                ids["agent"],
                ids["caller"],
            }
            assert "-->" not in conference.mermaid()
            await conference.join("coach")
        assert remaining_in(emulator) == ()


async def test_invalid_changes_are_refused():
    """A taken name, a full session and unknown names are refused before any request."""
    _, transport = service()
    async with client_over(transport) as client:
        async with client.conference([f"p{number}" for number in range(19)]) as conference:
            sent = len(transport.requests)
            with pytest.raises(InvalidArgumentError, match="already named 'p0'"):
                await conference.join("p0")
            with pytest.raises(InvalidArgumentError, match="'stranger'"):
                await conference.join("late", subscribe_to=["stranger"])
            with pytest.raises(InvalidArgumentError, match="'stranger'"):
                await conference.subscribe("p0", ["stranger"])
            with pytest.raises(KeyError):
                await conference.leave("stranger")
            assert len(transport.requests) == sent
            await conference.join("late")
            with pytest.raises(InvalidArgumentError, match="full: it holds at most 20"):
                await conference.join("later")
        for change in (
            conference.join("x"),
            conference.leave("p0"),
            conference.subscribe("p0", "everyone"),
        ):
            with pytest.raises(ConferenceOverError, match="conference: it is over"):
                await change


async def test_a_late_participant_that_cannot_join_is_deleted():
    """A failed join raises its own error and leaves the conference as it was."""
    emulator, transport = service()
    async with client_over(transport) as client, client.conference(["agent"]) as conference:
        before = remaining_in(emulator)
        transport.refuse = lambda request: 409 if request.method == "PUT" else None
        with pytest.raises(ConflictError):
            await conference.join("late")
        transport.refuse = lambda _: None
        assert remaining_in(emulator) == before
        await conference.join("late")


async def test_a_join_under_way_ends_with_the_conference():
    """A participant that is still joining when the conference ends is deleted too."""
    emulator, transport = service()
    arrived = anyio.Event()

    async def hold(request: Request) -> None:
        if request.method == "PUT":
            arrived.set()
            await anyio.sleep_forever()

    async with client_over(transport) as client, anyio.create_task_group() as tasks:
        async with client.conference(["agent"]) as conference:

            async def join() -> None:
                with pytest.raises(ConferenceOverError):
                    await conference.join("late")

            transport.hold = hold
            tasks.start_soon(join)
            await arrived.wait()
            transport.hold = None
        assert remaining_in(emulator) == ()


async def test_one_member_s_changes_follow_one_another():
    """Two changes of one member never overlap; those of different members do."""
    _, transport = service()
    async with client_over(transport) as client, client.conference(["a", "b"]) as conference:
        together = anyio.Event()
        seen: list[str] = []

        async def hold(request: Request) -> None:
            seen.append(request.path)
            if len(seen) == 2:
                together.set()
            await together.wait()

        transport.hold = hold
        transport.max_under_way = 0
        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                for name in ("a", "a", "b"):
                    tasks.start_soon(conference.subscribe, name, "everyone")
        assert transport.max_under_way == 2
        assert len(set(seen[:2])) == 2
        transport.hold = None
