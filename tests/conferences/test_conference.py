"""One conference: up in two round trips, changed while it lasts, and gone without a trace."""

import pickle

import anyio
import pytest
from support.conferences import ACCOUNT, Request, client_over, without_ids, remaining_in, service
from support.scripted import policy

from webrtc_async import (
    BadRequestError,
    ConferenceOverError,
    ConferencePlan,
    ConflictError,
    CreateRolledBackError,
    ForbiddenError,
    InvalidArgumentError,
    ParticipantSpec,
    ServerError,
    SetupError,
    SetupProgress,
    TeardownError,
    UnknownOutcomeError,
    WebRtcError,
)
from webrtc_async.device_token import DeviceTokenClaims

pytestmark = pytest.mark.anyio

CREATE_SESSION = "POST /sessions"
CREATE_PARTICIPANT = "POST /participants"
JOIN = "PUT /sessions/*/participants/*"
DELETE_PARTICIPANT = "DELETE /participants/*"
DELETE_SESSION = "DELETE /sessions/*"


async def test_a_conference_lasts_as_long_as_its_block():
    """Everyone is in and hears everyone inside; afterwards nothing is left."""
    emulator, transport = service()
    async with client_over(transport) as client:
        async with client.conference(["agent", "caller", "guest"], tag="visit-42") as conference:
            session_id = conference.session.id
            assert conference.session.tag == "visit-42"
            ids = {name: conference[name].participant.id for name in ("agent", "caller", "guest")}
            assert emulator.hears(ACCOUNT, session_id) == {
                each: frozenset(ids.values()) - {each} for each in ids.values()
            }
            assert len(conference) == 3
            assert "agent" in conference
            assert "nobody" not in conference
            with pytest.raises(KeyError, match="'nobody' is none of the members"):
                conference["nobody"]
        assert remaining_in(emulator) == ()


async def test_it_takes_two_round_trips_and_1_plus_2n_requests():
    """Session and participants are created at once, then all join with their subscriptions."""
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


async def test_who_hears_whom_is_as_planned():
    """Names become ids, streams are passed on, and who is left out hears nobody."""
    emulator, transport = service()
    async with client_over(transport) as client:
        subscribe = {"agent": "everyone", "caller": {"agent": ["mic"]}}
        async with client.conference(["agent", "caller", "guest"], subscriptions=subscribe) as held:
            ids = {name: held[name].participant.id for name in ("agent", "caller", "guest")}
            assert emulator.hears(ACCOUNT, held.session.id) == {
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


async def test_what_a_seat_asks_for_is_asked_of_the_service():
    """Permissions and tags reach the participant."""
    _, transport = service()
    async with client_over(transport) as client:
        seats = [ParticipantSpec("agent", publish_permissions={"AUDIO"}, tag="a-1"), "caller"]
        async with client.conference(seats) as conference:
            participant = await client.get_participant(conference["agent"].participant.id)
            assert participant.publish_permissions == {"AUDIO"}
            assert participant.tag == "a-1"


async def test_progress_is_told_step_by_step():
    """Each step is told once, to plain and async callbacks, and a broken one changes nothing."""
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
    """What cannot be is refused at once, and nothing is sent."""
    _, transport = service()
    async with client_over(transport) as client:
        with pytest.raises(InvalidArgumentError, match="at most 20"):
            client.conference([str(number) for number in range(21)])
        with pytest.raises(InvalidArgumentError, match="give it alone"):
            client.conference(ConferencePlan(["a"]), tag="t")
    assert transport.requests == []


async def test_a_context_is_entered_once():
    """A second entry is refused, because its conference would be another one."""
    _, transport = service()
    async with client_over(transport) as client:
        context = client.conference(["a"])
        async with context:
            with pytest.raises(ConferenceOverError, match="entered once"):
                await context.__aenter__()


# Latecomers, leavers, and changes


async def test_latecomers_and_leavers():
    """Who comes late is heard by those who hear everyone; who leaves is gone."""
    emulator, transport = service()
    async with client_over(transport) as client:
        async with client.conference(["agent", "caller"]) as conference:
            coach = await conference.join(ParticipantSpec("coach"), subscribe_to=["agent"])
            assert conference["coach"] is coach
            ids = {name: conference[name].participant.id for name in ("agent", "caller", "coach")}
            heard = emulator.hears(ACCOUNT, conference.session.id)
            assert heard[ids["coach"]] == {ids["agent"]}
            assert heard[ids["agent"]] == {ids["caller"], ids["coach"]}

            await conference.subscribe("agent", ["coach"])
            await conference.subscribe("caller", "nobody")
            heard = emulator.hears(ACCOUNT, conference.session.id)
            assert heard[ids["agent"]] == {ids["coach"]}
            assert heard[ids["caller"]] == frozenset()

            await conference.leave("coach")
            assert "coach" not in conference
            assert emulator.hears(ACCOUNT, conference.session.id).keys() == {
                ids["agent"],
                ids["caller"],
            }
            assert "-->" not in conference.mermaid()
            await conference.join("coach")
        assert remaining_in(emulator) == ()


async def test_what_a_conference_refuses():
    """A taken name, a full session, strangers: refused before any request."""
    _, transport = service()
    async with client_over(transport) as client:
        async with client.conference([f"p{number}" for number in range(19)]) as conference:
            sent = len(transport.requests)
            with pytest.raises(InvalidArgumentError, match="Somebody is named 'p0'"):
                await conference.join("p0")
            with pytest.raises(InvalidArgumentError, match="'stranger'"):
                await conference.join("late", subscribe_to=["stranger"])
            with pytest.raises(InvalidArgumentError, match="'stranger'"):
                await conference.subscribe("p0", ["stranger"])
            with pytest.raises(KeyError):
                await conference.leave("stranger")
            assert len(transport.requests) == sent
            await conference.join("late")
            with pytest.raises(InvalidArgumentError, match="full: it holds 20"):
                await conference.join("later")
        for change in (
            conference.join("x"),
            conference.leave("p0"),
            conference.subscribe("p0", "everyone"),
        ):
            with pytest.raises(ConferenceOverError, match="conference: it is over"):
                await change


async def test_a_latecomer_who_cannot_join_is_deleted():
    """A failed join raises the plain error and leaves the conference as it was."""
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
    """A latecomer still on its way in when the conference ends does not stay behind."""
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
    """Two changes of one listener never overlap; those of different listeners do."""
    _, transport = service()
    async with client_over(transport) as client, client.conference(["a", "b"]) as conference:
        together = anyio.Event()
        seen: list[str] = []

        async def hold(request: Request) -> None:
            seen.append(path)
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


# Failures


@pytest.mark.parametrize("on_error", ["cancel", "finish"])
async def test_a_refused_join_undoes_everything(on_error):
    """When one of the joins is refused, all that was created is deleted, and the error says it."""
    emulator, transport = service()
    joins = 0

    def refuse(request: Request) -> int | None:
        nonlocal joins
        joins += request.method == "PUT"
        return 409 if request.method == "PUT" and joins == 2 else None

    transport.refuse = refuse
    async with client_over(transport) as client:
        with pytest.raises(SetupError) as caught:
            async with client.conference(["a", "b", "c"], on_error=on_error):
                pytest.fail("it was entered")
        assert remaining_in(emulator) == ()
    error = caught.value
    assert [type(each) for each in error.exceptions] == [ConflictError]
    assert sorted(each.kind for each in error.created) == ["participant"] * 3 + ["session"]
    assert (error.not_deleted, error.maybe_created, error.rollback) == ((), (), ())
    assert str(error).startswith("conference: it could not be set up. addParticipantToSession: ")
    assert str(error).endswith("Nothing that is known of is left.")
    deletes = [each for each in without_ids(transport.requests) if each.startswith("DELETE")]
    assert deletes == [DELETE_PARTICIPANT] * 3 + [DELETE_SESSION]
    if on_error == "finish":
        assert joins == 3


async def test_a_failure_cancels_what_has_not_begun():
    """After a failure nothing further is created."""
    emulator, transport = service()
    transport.refuse = lambda request: 400 if request == ("POST", "/sessions") else None
    async with client_over(transport, max_connections=1) as client:
        with pytest.raises(SetupError):
            async with client.conference(["a", "b", "c"]):
                pytest.fail("it was entered")
        assert transport.requests.count("POST /participants") <= 3
        assert not [each for each in transport.requests if each.startswith("PUT")]
        assert remaining_in(emulator) == ()


async def test_except_star_takes_one_kind():
    """`except*` takes failures by kind, and what is left of the group keeps its attributes."""
    _, transport = service()
    transport.refuse = lambda request: {
        "/sessions": 400,
        "/participants": 503,
    }.get(request.path)
    async with client_over(transport) as client:
        seen = []
        try:
            async with client.conference(["a"], on_error="finish"):
                pytest.fail("it was entered")
        except* BadRequestError as group:
            seen.append(group)
        except* ServerError as group:
            seen.append(group)
    assert [type(group) for group in seen] == [SetupError, SetupError]
    assert [len(group.exceptions) for group in seen] == [1, 1]
    assert all(group.operation == "conference" for group in seen)


async def test_a_create_whose_answer_is_lost_is_listed():
    """What may exist and nobody has the id of is said, and what is known is deleted."""
    emulator, transport = service()
    transport.lose = lambda request: request == ("POST", "/sessions")
    async with client_over(transport) as client:
        with pytest.raises(SetupError) as caught:
            async with client.conference(["a", "b"], on_error="finish"):
                pytest.fail("it was entered")
    assert "may have made what nobody has the id of: 1." in str(caught.value)
    assert [type(each) for each in caught.value.maybe_created] == [UnknownOutcomeError]
    assert [each.kind for each in caught.value.created] == ["participant"] * 2
    assert emulator.participant_ids(ACCOUNT) == ()
    assert len(emulator.session_ids(ACCOUNT)) == 1
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert again.created == caught.value.created
    assert [str(each) for each in again.maybe_created] == [str(each) for each in caught.value.maybe_created]


async def test_a_create_that_was_rolled_back_is_not_unknown():
    """What a broken answer named is deleted already, and nobody is sent to look for it."""
    emulator, transport = service()
    transport.garble = lambda request: request == ("POST", "/sessions")
    async with client_over(transport) as client:
        with pytest.raises(SetupError) as caught:
            async with client.conference(["a", "b"], on_error="finish"):
                pytest.fail("it was entered")
    assert [type(each) for each in caught.value.exceptions] == [CreateRolledBackError]
    assert caught.value.maybe_created == ()
    assert "may have made" not in str(caught.value)
    assert remaining_in(emulator) == ()


async def test_a_failed_roll_back_does_not_mask_the_cause():
    """The cause stays the cause; what could not be deleted is listed with the reason."""
    emulator, transport = service()

    def refuse(request: Request) -> int | None:
        return {"PUT": 409}.get(request.method) or (
            403 if (request.method, request.path[:10]) == ("DELETE", "/sessions/") else None
        )

    transport.refuse = refuse
    async with client_over(transport) as client:
        with pytest.raises(SetupError) as caught:
            async with client.conference(["a"]):
                pytest.fail("it was entered")
    error = caught.value
    assert [type(each) for each in error.exceptions] == [ConflictError]
    assert [(each.kind, each.id) for each in error.not_deleted] == [
        ("session", emulator.session_ids(ACCOUNT)[0])
    ]
    assert [each.operation for each in error.rollback] == ["deleteSession"]
    assert f"Not known to be deleted: session {error.not_deleted[0].id}." in str(error)


@pytest.mark.parametrize("fails", [True, False])
async def test_a_tear_down_that_fails_is_not_silent(fails):
    """What could not be deleted is raised, or noted on what the block itself raised."""
    emulator, transport = service()
    async with client_over(transport) as client:
        with pytest.raises((TeardownError, RuntimeError)) as caught:
            async with client.conference(["a"]):
                transport.refuse = lambda request: 403 if "/participants/" in request.path else None
                if fails:
                    raise RuntimeError("theirs")
    assert isinstance(caught.value, RuntimeError if fails else TeardownError)
    text = caught.value.__notes__[0] if fails else str(caught.value)
    assert "conference: it could not be torn down whole." in text
    assert emulator.participant_ids(ACCOUNT)[0] in text
    assert emulator.session_ids(ACCOUNT) == ()


async def test_what_is_gone_already_is_fine():
    """Participants and sessions that somebody else deleted are no failure of the tear-down."""
    emulator, transport = service()
    async with client_over(transport) as client:
        async with client.conference(["a", "b"]) as conference:
            await client.delete_participant(conference["a"].participant.id)
            await client.delete_session(conference.session.id)
        assert remaining_in(emulator) == ()


async def broken(_: float) -> None:
    """Fail as a user's own code may."""
    raise RuntimeError("theirs")


async def test_a_foreign_error_is_raised_as_it_is():
    """What a user's own code raises is no failure of ours, and everything is undone."""
    emulator, transport = service()
    transport.refuse = lambda request: 503 if request.method == "PUT" else None
    async with client_over(transport, retry=policy(sleep=broken)) as client:
        with pytest.raises(RuntimeError, match="theirs"):
            async with client.conference(["a"]):
                pytest.fail("it was entered")
        assert remaining_in(emulator) == ()


async def test_a_foreign_error_of_a_change_is_raised_as_it_is():
    """A join and a tear-down that meet one say so, and what can be deleted is."""
    emulator, transport = service()
    async with client_over(transport, retry=policy(sleep=broken)) as client:
        with pytest.raises(TeardownError) as caught:
            async with client.conference(["a"]) as conference:
                transport.refuse = lambda request: 503 if request.method == "PUT" else None
                with pytest.raises(RuntimeError, match="theirs"):
                    await conference.join("late")
                assert "late" not in conference
                transport.refuse = lambda request: 503 if "/participants/" in request.path else None
        assert "was not deleted (RuntimeError)" in str(caught.value)
        assert len(remaining_in(emulator)) == 1


async def test_a_leaver_who_cannot_be_deleted_stays():
    """When the delete of a member fails, it stays a member, and may leave again."""
    _, transport = service()
    async with client_over(transport) as client, client.conference(["a"]) as conference:
        transport.refuse = lambda request: 403 if request.method == "DELETE" else None
        with pytest.raises(ForbiddenError):
            await conference.leave("a")
        assert "a" in conference
        transport.refuse = lambda _: None
        await conference.leave("a")


async def test_a_latecomer_who_leaks_is_said():
    """When a latecomer can neither join nor be deleted, the error names what is left."""
    emulator, transport = service()
    async with client_over(transport) as client, client.conference(["a"]) as conference:
        known = remaining_in(emulator)
        transport.refuse = lambda request: {"PUT": 409, "DELETE": 403}.get(request.method)
        with pytest.raises(ConflictError) as caught:
            await conference.join("late")
        transport.refuse = lambda _: None
        [leaked] = set(remaining_in(emulator)) - set(known)
        assert f"participant late {leaked} is not known to be deleted." in caught.value.__notes__
        await client.delete_participant(leaked)


async def test_who_is_cancelled_in_a_callback_leaves_nothing():
    """A caller that is cancelled while its own progress callback runs is cleaned up after."""
    emulator, transport = service()
    async with client_over(transport) as client:
        with anyio.CancelScope() as scope:

            async def stop(_: SetupProgress) -> None:
                scope.cancel()
                await anyio.lowlevel.checkpoint()

            async with client.conference(["a", "b"], on_progress=stop):
                pytest.fail("it was entered")
        assert scope.cancelled_caught
        assert remaining_in(emulator) == ()


async def test_the_deadline_bounds_the_set_up():
    """When the set-up's time is up, the caller is told, and what was created is deleted."""
    emulator, transport = service()

    async def hold(request: Request) -> None:
        if request.method == "PUT":
            await anyio.sleep_forever()

    transport.hold = hold
    async with client_over(transport) as client:
        with pytest.raises(SetupError) as caught:
            async with client.conference(["a", "b"], deadline=0.05):
                pytest.fail("it was entered")
        assert "its 0.05 s deadline passed." in str(caught.value)
        assert caught.value.not_deleted == ()
        assert remaining_in(emulator) == ()


async def test_a_create_that_outlasts_the_deadline_is_waited_for_by_the_client():
    """A caller whose time is up goes on; what the slow create brings is deleted all the same."""
    emulator, transport = service()
    may_go_on = anyio.Event()

    async def hold(request: Request) -> None:
        if request.path == "/participants":
            await may_go_on.wait()

    transport.hold = hold
    async with client_over(transport) as client:
        with pytest.raises(SetupError) as caught:
            async with client.conference(["a"], deadline=0.05, grace=0.05):
                pytest.fail("it was entered")
        assert "the client still waits for it" in str(caught.value)
        assert [each.kind for each in caught.value.not_deleted] == ["session"]
        assert [each.operation for each in caught.value.maybe_created] == ["createParticipant"]
        may_go_on.set()
    assert remaining_in(emulator) == ()


async def test_many_conferences_do_not_wait_for_each_other():
    """One that hangs holds up no other, within the client's connections."""
    _, transport = service()
    hanging, may_go_on = anyio.Event(), anyio.Event()

    async def hold(request: Request) -> None:
        if not hanging.is_set():
            hanging.set()
            await may_go_on.wait()

    transport.hold = hold
    async with client_over(transport) as client, anyio.create_task_group() as tasks:

        async def hang() -> None:
            async with client.conference(["a"]):
                pass

        tasks.start_soon(hang)
        await hanging.wait()
        with anyio.fail_after(5):
            for _ in range(3):
                async with client.conference(["a", "b"]):
                    pass
        may_go_on.set()


async def test_every_failure_is_one_of_ours():
    """A group is a WebRtcError itself, so that a plain handler catches it."""
    _, transport = service()
    transport.refuse = lambda request: 400
    async with client_over(transport) as client:
        with pytest.raises(WebRtcError):
            async with client.conference(["a"]):
                pytest.fail("it was entered")


async def test_failures_that_are_alike_are_told_of_once():
    """A text says what four requests have in common once, and how often; others are counted."""
    alike = [ConflictError("the session is full.", status=409) for _ in range(4)]
    others = [WebRtcError(f"number {number}.") for number in range(4)]
    text = str(SetupError("it failed.", [*alike, *others], operation="conference"))
    assert text == (
        "conference: it failed. the session is full. (4 times) number 0. number 1. and 2 more "
        "Nothing that is known of is left."
    )
