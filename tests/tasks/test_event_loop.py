"""Calls in an event loop from elsewhere: another thread, a destructor, another process."""

import anyio
import anyio.to_thread
import pytest

from webrtc_async._tasks.event_loop import call_soon_in, home

pytestmark = pytest.mark.anyio


async def test_a_function_is_called_in_a_task_of_the_event_loop():
    """From any thread, the function runs where it can start tasks."""
    called, here = anyio.Event(), home()
    seen = []

    def callback() -> None:
        seen.append(home())
        called.set()

    assert await anyio.to_thread.run_sync(call_soon_in, here, callback)
    with anyio.fail_after(5):
        await called.wait()
    assert seen == [here]


async def test_nothing_is_called_elsewhere(anyio_backend_name):
    """An event loop that has ended and another process are told by the result."""

    async def where() -> tuple[object, int]:
        return home()

    ended = await anyio.to_thread.run_sync(lambda: anyio.run(where, backend=anyio_backend_name))
    event_loop, process = home()
    for elsewhere in (ended, (event_loop, process + 1)):
        assert not call_soon_in(elsewhere, lambda: pytest.fail("it was called"))
