"""Set-ups that take too long: ended for their caller, finished and undone by the client."""

import anyio
import pytest
from support.conferences import Request, client_over, remaining_in, service

from webrtc_async import (
    SetupError,
    SetupProgress,
)

pytestmark = pytest.mark.anyio


async def test_a_caller_cancelled_in_its_callback_leaves_nothing():
    """Everything is deleted after a caller that was cancelled in its progress callback."""
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
    """When the deadline passes, the caller gets an error, and everything is deleted."""
    emulator, transport = service()

    async def hold(request: Request) -> None:
        if request.method == "PUT":
            await anyio.sleep_forever()

    transport.hold = hold
    async with client_over(transport) as client:
        with pytest.raises(SetupError) as caught:
            async with client.conference(["a", "b"], deadline=0.05):
                pytest.fail("it was entered")
        assert "its deadline of 0.05 s passed." in str(caught.value)
        assert caught.value.not_deleted == ()
        assert remaining_in(emulator) == ()


async def test_the_client_waits_for_a_create_that_outlasts_the_deadline():
    """The caller continues after its deadline; the slow create's resource is deleted later."""
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
        assert "The client still waits for it" in str(caught.value)
        assert [each.kind for each in caught.value.not_deleted] == ["session"]
        assert [each.operation for each in caught.value.maybe_created] == ["createParticipant"]
        may_go_on.set()
    assert remaining_in(emulator) == ()


async def test_many_conferences_do_not_wait_for_each_other():
    """A conference that hangs delays no other while the client has free connections."""
    _, transport = service()
    hanging, may_go_on = anyio.Event(), anyio.Event()

    async def hold(_: Request) -> None:
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
