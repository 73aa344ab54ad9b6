"""An exchange whose caller is gone after the request was sent: somebody else may see it through."""

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from anyio import get_cancelled_exc_class

from webrtc_async._protocol.wire import WireResponse
from webrtc_async._tasks.background_tasks import UNWINDING, BackgroundTasks, Handle
from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async.errors.outcome import Outcome


class LeftExchange(Protocol):
    """An exchange that goes on without its caller, and keeps its connection until it ends."""

    async def finish(self, within: float) -> bytes:
        """End it, in so many seconds at most, and return its answer's body as far as it came.

        An answer that is no success has none.
        """
        ...


TakeOver = Callable[[LeftExchange], bool]
"""Takes a left exchange over, or says that nobody does."""


async def in_a_task(
    exchange: Callable[[], Coroutine[Any, Any, WireResponse | None]],
    state: AttemptState,
    background_tasks: BackgroundTasks,
    take_over: TakeOver,
) -> WireResponse | None:
    """Return what an exchange returns, from a task that lives on if this one is cancelled.

    For an exchange that any cancellation would end, as it does an HTTP library's.

    Args:
        exchange: Sends a request and returns the answer.
        state: How far it has come.
        background_tasks: Starts the task; where it does not, the exchange ends with its caller.
        take_over: Is given the exchange if its caller is cancelled after the request was sent.
    """
    handle = background_tasks.start(exchange, name=state.operation)
    if handle is None:
        return await exchange()
    try:
        await handle.wait(shielded=False)
    except get_cancelled_exc_class():
        is_sent = state.outcome is not Outcome.NOT_SENT
        if not is_sent or not take_over(_LeftTask(handle, state)):
            handle.give_up()
            await handle.wait(grace=UNWINDING)
        raise
    return handle.result()


class _LeftTask:
    def __init__(self, handle: Handle[WireResponse | None], state: AttemptState) -> None:
        self._handle = handle
        self._state = state

    async def finish(self, within: float) -> bytes:
        self._handle.give_up_after(within)
        await self._handle.wait()
        if self._handle.is_given_up:
            return self._state.received
        try:
            answer = self._handle.result()
        except Exception:  # whatever ended it, what came before is the result
            return self._state.received
        return answer.content if answer is not None and answer.is_success else b""
