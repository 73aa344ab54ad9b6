"""The lifetime of a client: open, closing, closed."""

import inspect

import anyio
from attrs import define, field

from webrtc_async._tasks.background_tasks import UNWINDING
from webrtc_async._tasks.deadline import AsyncioScope
from webrtc_async.errors import ClientClosedError

CallScope = AsyncioScope | anyio.CancelScope


@define(eq=False)
class Lifetime:
    """The lifetime of a client: open, then closing, then closed.

    Attributes:
        is_ending: True once no new call is accepted.
        is_over: True once nothing is sent any more.
    """

    is_ending: bool = field(default=False, init=False)
    is_over: bool = field(default=False, init=False)
    _calls: set[CallScope] = field(factory=set[CallScope], init=False)
    _idle: anyio.Event | None = field(default=None, init=False)
    _closed: anyio.Event | None = field(default=None, init=False)

    def check_not_ending(self, operation: str = "") -> None:
        """Refuse a new call on a client that is closed or closing.

        Raises:
            ClientClosedError: The client is closed or closing.
        """
        if self.is_ending:
            raise ClientClosedError(
                "this client is closed. Nothing was sent. No client is reopened: make a new one.",
                operation=operation,
            )

    def begin(self, call: CallScope) -> None:
        """Count a call; its scope is cancelled if the client cannot wait for it."""
        self._calls.add(call)

    def end(self, call: CallScope) -> None:
        """Stop counting a call."""
        self._calls.discard(call)
        if self._idle is not None and not self._calls:
            self._idle.set()

    def forget_loop(self) -> None:
        """Forget the calls and the closing of another process or of a finished event loop."""
        self._calls.clear()
        self._closed = None

    async def start_closing(self) -> bool:
        """Accept no more calls, and return True for the first caller.

        Later callers wait until the first has finished.
        """
        if self._closed is not None:
            await self._closed.wait()
        elif not self.is_over:
            self.is_ending, self._closed = True, anyio.Event()
            return True
        return False

    async def drain(self, grace: float) -> None:
        """Wait for the running calls, and cancel those that take longer than the grace."""
        try:
            await self._wait_for_calls(grace)
        finally:
            for call in tuple(self._calls):
                call.cancel()
        await self._wait_for_calls(UNWINDING)

    def finish(self) -> None:
        """Release the callers that wait for the end."""
        closed, self._closed = self._closed, None
        if closed is not None:  # else another event loop has forgotten this closing
            closed.set()

    async def _wait_for_calls(self, grace: float) -> None:
        if self._calls:
            self._idle = anyio.Event()
            with anyio.move_on_after(grace, shield=True):
                await self._idle.wait()


def caller() -> str:
    """Return the file and line outside this package that has called into it."""
    own = f"{__name__.partition('.')[0]}."
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").startswith(own):
        frame = frame.f_back
    if frame is None:
        return "an unknown line"
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
