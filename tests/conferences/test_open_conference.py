"""Conferences outside of a block: opened, changed and ended by separate calls."""

import anyio
import pytest
from support.conferences import ACCOUNT, Request, client_over, remaining_in, service

from webrtc_async import (
    ConferenceOverError,
    ConferencePlan,
    ConfigurationError,
    InvalidArgumentError,
    Member,
    SetupError,
    TeardownError,
)

pytestmark = pytest.mark.anyio


async def test_a_conference_is_opened_changed_and_ended():
    """A conference exists from `open_conference` to `end`, which knows of every change."""
    emulator, transport = service()
    async with client_over(transport) as client:
        conference = await client.open_conference(ConferencePlan(["agent", "caller"], tag="v"))
        assert len(remaining_in(emulator)) == 3
        late = await conference.join("late")
        await conference.leave("caller")
        assert [member.name for member in conference] == ["agent", "late"]
        assert conference.members == (conference["agent"], late)
        assert list(conference.now) == list(conference.members)
        assert all(isinstance(member, Member) and member.token for member in conference)
        shown = f"<LiveConference in session {conference.session.id} of agent, late"
        assert repr(conference) == f"{shown}>"
        assert conference.dot().count("->") == conference.mermaid().count("-->") == 2
        assert not conference.is_over
        await conference.end()
        assert conference.is_over
        assert repr(conference) == f"{shown}, over>"
        assert remaining_in(emulator) == ()
        sent = client.requests_sent
        await conference.end()
        assert client.requests_sent == sent
        with pytest.raises(ConferenceOverError):
            await conference.join("later")


async def test_a_failed_opening_leaves_nothing():
    """If a participant cannot join, everything is deleted and the failure is raised."""
    emulator, transport = service()
    transport.refuse = lambda request: 409 if request.method == "PUT" else None
    async with client_over(transport) as client:
        with pytest.raises(SetupError):
            await client.open_conference(["a", "b"])
    assert remaining_in(emulator) == ()


async def test_a_block_may_end_its_conference_itself():
    """Leaving the block of a conference that is over sends nothing."""
    emulator, transport = service()
    async with client_over(transport) as client:
        async with client.conference(["a"]) as conference:
            await conference.end()
            assert remaining_in(emulator) == ()
            sent = client.requests_sent
        assert client.requests_sent == sent


async def test_a_second_end_waits_for_the_first():
    """Concurrent calls of `end` delete everything once, and both return when it is gone."""
    emulator, transport = service()
    async with client_over(transport) as client:
        conference = await client.open_conference(["a", "b"])
        sent = client.requests_sent

        async def end() -> None:
            await conference.end()
            assert remaining_in(emulator) == ()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(end)
            tasks.start_soon(end)
        assert client.requests_sent == sent + 3


async def test_an_end_that_failed_can_be_repeated():
    """A second `end` deletes what the first could not."""
    emulator, transport = service()
    async with client_over(transport) as client:
        conference = await client.open_conference(["a", "b"])
        transport.refuse = lambda request: 403 if request.path.startswith("/sessions/") else None
        with pytest.raises(TeardownError) as got:
            await conference.end()
        assert [each.id for each in got.value.not_deleted] == [conference.session.id]
        transport.refuse = lambda _: None
        await conference.end()
    assert remaining_in(emulator) == ()


async def test_the_end_deletes_what_a_failed_join_left():
    """A late participant whose roll-back failed is deleted with the conference."""
    emulator, transport = service()
    async with client_over(transport) as client:
        conference = await client.open_conference(["a"])
        transport.refuse = lambda request: 403 if request.method in ("PUT", "DELETE") else None
        with pytest.raises(Exception, match="403") as got:
            await conference.join("late")
        assert "may still exist" in str(got.value.__notes__)
        assert "late" not in conference
        transport.refuse = lambda _: None
        await conference.join("other")  # which does not make it forgotten
        await conference.end()
    assert remaining_in(emulator) == ()


async def test_a_cancelled_caller_does_not_stop_a_leave():
    """A member leaves although the caller of `leave` was cancelled."""
    emulator, transport = service()
    reached, may_go_on = anyio.Event(), anyio.Event()

    async def hold(request: Request) -> None:
        if request.method == "DELETE":
            reached.set()
            await may_go_on.wait()

    async with client_over(transport) as client:
        conference = await client.open_conference(["a", "b"], grace=0)
        transport.hold = hold
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(conference.leave, "b")
            await reached.wait()
            tasks.cancel_scope.cancel()
        assert "b" in conference
        may_go_on.set()
        await anyio.wait_all_tasks_blocked()
        assert "b" not in conference
        await conference.join("b")  # the name is free
        assert len(emulator.participant_ids(ACCOUNT)) == 2
        await conference.end()
    assert remaining_in(emulator) == ()


async def test_a_join_that_is_cancelled_while_it_is_undone_frees_its_name():
    """A name can be used again at once, and the undoing of the first does not end the second."""
    emulator, transport = service()
    may_go_on = anyio.Event()

    async def hold(request: Request) -> None:
        if request.method == "DELETE":
            await may_go_on.wait()

    async with client_over(transport) as client:
        conference = await client.open_conference(["a"], grace=0)
        transport.hold = hold
        for steps in range(40):
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as tasks:

                    async def join(name: str) -> None:
                        await conference.join(name)

                    tasks.start_soon(join, f"late-{steps}")
                    for _ in range(steps):
                        await anyio.lowlevel.checkpoint()
                    scope.cancel()
            if f"late-{steps}" not in conference:
                again = await conference.join(f"late-{steps}")
            else:
                again = conference[f"late-{steps}"]
            may_go_on.set()
            await anyio.wait_all_tasks_blocked()
            assert conference[f"late-{steps}"] is again
            await conference.leave(f"late-{steps}")
            may_go_on = anyio.Event()
        may_go_on.set()
        await conference.end()
    assert remaining_in(emulator) == ()


async def test_words_for_on_error_are_checked():
    """Another word is refused when the call is made."""
    async with client_over(service()[1]) as client:
        for call in (
            lambda: client.conference(["a"], on_error="cancel"),
            lambda: client.set_up([], on_error="raise"),
        ):
            with pytest.raises(InvalidArgumentError, match='must be "stop" or "collect", not '):
                call()


async def test_times_are_checked():
    """A time that is no number of seconds is refused when the call is made, also a grace."""
    _, transport = service()
    async with client_over(transport) as client:
        for wrong in ("5", -1, None, True):
            for call in (
                lambda wrong: client.conference(["a"], grace=wrong),
                lambda wrong: client.set_up([], grace=wrong),
                lambda wrong: client.tear_down([], grace=wrong),
                lambda wrong: client.resume_conference("{}", grace=wrong),
            ):
                with pytest.raises(ConfigurationError, match="grace must be a number of seconds"):
                    call(wrong)
            with pytest.raises(ConfigurationError, match="grace must be a number of seconds"):
                await client.join("s", "a", grace=wrong)
        for wrong in ("5", 0, True):
            with pytest.raises(ConfigurationError, match="deadline must be a number of seconds"):
                client.conference(["a"], deadline=wrong)
            with pytest.raises(ConfigurationError, match="deadline must be a number of seconds"):
                client.set_up([], deadline=wrong)
    assert transport.requests == []
