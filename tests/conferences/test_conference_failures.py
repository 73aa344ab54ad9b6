"""Failures of set-ups and tear-downs: undone, listed and never masked."""

import pickle

import pytest
from support.conferences import ACCOUNT, Request, client_over, remaining_in, service, without_ids
from support.scripted import policy

from webrtc_async import (
    BadRequestError,
    ConflictError,
    CreateRolledBackError,
    ForbiddenError,
    ServerError,
    SetupError,
    TeardownError,
    UnknownOutcomeError,
    WebRtcError,
)

pytestmark = pytest.mark.anyio

CREATE_SESSION = "POST /sessions"
CREATE_PARTICIPANT = "POST /participants"
JOIN = "PUT /sessions/*/participants/*"
DELETE_PARTICIPANT = "DELETE /participants/*"
DELETE_SESSION = "DELETE /sessions/*"


@pytest.mark.parametrize("on_error", ["stop", "collect"])
async def test_a_refused_join_undoes_everything(on_error):
    """A refused join deletes everything that was created, and the error says so."""
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
    assert str(error).startswith("conference: the set-up failed. addParticipantToSession: ")
    assert str(error).endswith("No known resource is left.")
    deletes = [each for each in without_ids(transport.requests) if each.startswith("DELETE")]
    assert deletes == [DELETE_PARTICIPANT] * 3 + [DELETE_SESSION]
    if on_error == "collect":
        assert joins == 3


async def test_a_failure_cancels_waiting_requests():
    """After a failure nothing more is created."""
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
    """`except*` takes failures by kind, and each part of the group keeps its attributes."""
    _, transport = service()
    transport.refuse = lambda request: {
        "/sessions": 400,
        "/participants": 503,
    }.get(request.path)
    async with client_over(transport) as client:
        seen = []
        try:
            async with client.conference(["a"], on_error="collect"):
                pytest.fail("it was entered")
        except* BadRequestError as group:
            seen.append(group)
        except* ServerError as group:
            seen.append(group)
    assert [type(group) for group in seen] == [SetupError, SetupError]
    assert [len(group.exceptions) for group in seen] == [1, 1]
    assert all(group.operation == "conference" for group in seen)


async def test_a_create_with_a_lost_response_is_listed():
    """The error lists creates with an unknown outcome; every known resource is deleted."""
    emulator, transport = service()
    transport.lose = lambda request: request == ("POST", "/sessions")
    async with client_over(transport) as client:
        with pytest.raises(SetupError) as caught:
            async with client.conference(["a", "b"], on_error="collect"):
                pytest.fail("it was entered")
    assert "may exist without a known id: 1." in str(caught.value)
    assert [type(each) for each in caught.value.maybe_created] == [UnknownOutcomeError]
    assert [each.kind for each in caught.value.created] == ["participant"] * 2
    assert emulator.participant_ids(ACCOUNT) == ()
    assert len(emulator.session_ids(ACCOUNT)) == 1
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert again.created == caught.value.created
    assert [str(each) for each in again.maybe_created] == [
        str(each) for each in caught.value.maybe_created
    ]


async def test_a_rolled_back_create_is_not_listed():
    """A resource from an unreadable response is already deleted, so it is not listed."""
    emulator, transport = service()
    transport.garble = lambda request: request == ("POST", "/sessions")
    async with client_over(transport) as client:
        with pytest.raises(SetupError) as caught:
            async with client.conference(["a", "b"], on_error="collect"):
                pytest.fail("it was entered")
    assert [type(each) for each in caught.value.exceptions] == [CreateRolledBackError]
    assert caught.value.maybe_created == ()
    assert "without a known id" not in str(caught.value)
    assert remaining_in(emulator) == ()


async def test_a_failed_roll_back_does_not_mask_the_cause():
    """The cause stays the cause; remaining resources are listed with the reason."""
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
    assert f"May still exist: session {error.not_deleted[0].id}. Delete by id." in str(error)


@pytest.mark.parametrize("fails", [True, False])
async def test_a_tear_down_that_fails_is_not_silent(fails):
    """A failed tear-down is raised, or noted on the exception of the block."""
    emulator, transport = service()
    async with client_over(transport) as client:
        with pytest.raises((TeardownError, RuntimeError)) as caught:
            async with client.conference(["a"]):
                transport.refuse = lambda request: 403 if "/participants/" in request.path else None
                if fails:
                    raise RuntimeError("theirs")
    assert isinstance(caught.value, RuntimeError if fails else TeardownError)
    text = caught.value.__notes__[0] if fails else str(caught.value)
    assert "conference: the tear-down failed." in text
    assert emulator.participant_ids(ACCOUNT)[0] in text
    assert emulator.session_ids(ACCOUNT) == ()


async def test_resources_that_are_already_deleted_are_fine():
    """The tear-down succeeds if someone else has deleted a participant or the session."""
    emulator, transport = service()
    async with client_over(transport) as client:
        async with client.conference(["a", "b"]) as conference:
            await client.delete_participant(conference["a"].participant.id)
            await client.delete_session(conference.session.id)
        assert remaining_in(emulator) == ()


async def broken(_: float) -> None:
    """Fail as a user's own code might."""
    raise RuntimeError("theirs")


async def test_an_unexpected_error_is_raised_as_it_is():
    """An exception of a user's own code is raised unchanged, and everything is undone."""
    emulator, transport = service()
    transport.refuse = lambda request: 503 if request.method == "PUT" else None
    async with client_over(transport, retry=policy(sleep=broken)) as client:
        with pytest.raises(RuntimeError, match="theirs"):
            async with client.conference(["a"]):
                pytest.fail("it was entered")
        assert remaining_in(emulator) == ()


async def test_an_unexpected_error_of_a_change_is_raised_as_it_is():
    """A join raises it unchanged; a tear-down reports it and deletes everything else."""
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


async def test_a_member_that_cannot_be_deleted_stays():
    """If its deletion fails, a participant stays a member, and can leave later."""
    _, transport = service()
    async with client_over(transport) as client, client.conference(["a"]) as conference:
        transport.refuse = lambda request: 403 if request.method == "DELETE" else None
        with pytest.raises(ForbiddenError):
            await conference.leave("a")
        assert "a" in conference
        transport.refuse = lambda _: None
        await conference.leave("a")


async def test_a_late_participant_that_remains_is_noted():
    """If a late participant can neither join nor be deleted, the error names it."""
    emulator, transport = service()
    async with client_over(transport) as client, client.conference(["a"]) as conference:
        known = remaining_in(emulator)
        transport.refuse = lambda request: {"PUT": 409, "DELETE": 403}.get(request.method)
        with pytest.raises(ConflictError) as caught:
            await conference.join("late")
        transport.refuse = lambda _: None
        [late] = set(remaining_in(emulator)) - set(known)
        assert f"participant late {late} may still exist." in caught.value.__notes__
        await client.delete_participant(late)


async def test_every_failure_is_a_webrtc_error():
    """The group is itself a WebRtcError, so a plain handler catches it."""
    _, transport = service()
    transport.refuse = lambda _: 400
    async with client_over(transport) as client:
        with pytest.raises(WebRtcError):
            async with client.conference(["a"]):
                pytest.fail("it was entered")


async def test_equal_failures_are_listed_once():
    """Four equal failures are listed once with their number; more than three are counted."""
    alike = [ConflictError("the session is full.", status=409) for _ in range(4)]
    others = [WebRtcError(f"number {number}.") for number in range(4)]
    text = str(SetupError("it failed.", [*alike, *others], operation="conference"))
    assert text == (
        "conference: it failed. the session is full. (4 times) number 0. number 1. and 2 more "
        "No known resource is left."
    )
