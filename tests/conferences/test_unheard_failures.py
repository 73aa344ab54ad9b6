"""What cannot be deleted is logged if the caller who would get the error was cancelled."""

import anyio
import pytest
from support.conferences import client_over, remaining_in, service

from webrtc_async import ConferencePlan, SetUpDone, SetupProgress

pytestmark = pytest.mark.anyio


@pytest.fixture
def refusing():
    """An emulator and a transport that refuses every deletion."""
    emulator, transport = service()
    transport.refuse = lambda request: 403 if request.method == "DELETE" else None
    return emulator, transport


def listed_in(text: str, ids: tuple[str, ...]) -> bool:
    """Return True if a log has one line about resources that remain, with all of them."""
    [line] = [each for each in text.splitlines() if "Not deleted: " in each]
    return all(each in line for each in ids)


@pytest.mark.parametrize("steps", range(1, 6))
async def test_a_cancelled_set_up(refusing, steps, caplog):
    """At whichever step the caller is cancelled, the log names what remains."""
    emulator, transport = refusing
    async with client_over(transport) as client:
        with anyio.CancelScope() as scope:

            async def cancel(step: SetupProgress) -> None:
                if step.done == steps:
                    await anyio.wait_all_tasks_blocked()  # the set-up may finish meanwhile
                    scope.cancel()

            async with client.conference(["a", "b"], on_progress=cancel):
                pytest.fail("it continued")
        assert listed_in(caplog.text, remaining_in(emulator))
    assert len(remaining_in(emulator)) == 3


async def test_a_cancelled_leave_and_end(refusing, caplog):
    """The log names the member that could not leave, and then all that the end left."""
    emulator, transport = refusing
    scope = anyio.CancelScope()

    async def cancel(_: object) -> None:
        scope.cancel()

    async with client_over(transport) as client:
        conference = await client.open_conference(["a", "b"])
        transport.hold = cancel
        for call, left in (
            (lambda: conference.leave("a"), (conference["a"].participant.id,)),
            (conference.end, remaining_in(emulator)),
        ):
            caplog.clear()
            with anyio.CancelScope() as scope:
                await call()
            assert scope.cancelled_caught
            assert listed_in(caplog.text, left)


async def test_results_that_nobody_took(refusing, caplog):
    """A loop over results that is left early logs those that could not be deleted again."""
    emulator, transport = refusing
    plans = [ConferencePlan(["a"]) for _ in range(2)]
    async with client_over(transport) as client:
        async with client.set_up(plans, concurrency=2) as results:
            result = await anext(results)
            assert isinstance(result, SetUpDone)
            await anyio.wait_all_tasks_blocked()
        taken = {each.id for each in result.conference.resources}
        assert listed_in(caplog.text, tuple(set(remaining_in(emulator)) - taken))
