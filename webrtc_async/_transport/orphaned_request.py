"""Requests whose caller was cancelled after sending."""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol

from anyio import get_cancelled_exc_class

from webrtc_async._protocol.wire import WireResponse
from webrtc_async._tasks.background_tasks import UNWINDING, BackgroundTasks, Handle
from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async.errors.outcome import Outcome


class OrphanedRequest(Protocol):
    """A request that goes on without its caller, and keeps its connection until it ends."""

    async def finish(self, grace: float) -> bytes:
        """Wait for the response for some seconds, and return its body as far as it was received.

        A response that is not a success has none.
        """
        ...


OnCallerCancelled = Callable[[OrphanedRequest], bool]
"""Accepts an orphaned request and finishes it later, or returns False."""


async def run_in_task(
    send: Callable[[], Coroutine[Any, Any, WireResponse | None]],
    state: AttemptState,
    background_tasks: BackgroundTasks,
    on_caller_cancelled: OnCallerCancelled,
) -> WireResponse | None:
    """Send a request in a task that lives on if the caller is cancelled, and return the response.

    An HTTP library's request ends with the task that it runs in. If there are too many background
    tasks, the request ends with its caller.
    """
    handle = background_tasks.start(send, name=state.operation)
    if handle is None:
        return await send()
    try:
        await handle.wait(shielded=False)
    except get_cancelled_exc_class():
        is_sent = state.outcome is not Outcome.NOT_SENT
        if not is_sent or not on_caller_cancelled(_RequestInTask(handle, state)):
            handle.give_up()
            await handle.wait(grace=UNWINDING)
        raise
    return handle.result()


class _RequestInTask:
    def __init__(self, handle: Handle[WireResponse | None], state: AttemptState) -> None:
        self._handle = handle
        self._state = state

    async def finish(self, grace: float) -> bytes:
        self._handle.give_up_after(grace)
        await self._handle.wait()
        if self._handle.is_given_up:
            return self._state.received
        # After any failure, the received part counts.
        with suppress(Exception):
            response = self._handle.result()
            return response.content if response is not None and response.is_success else b""
        return self._state.received
