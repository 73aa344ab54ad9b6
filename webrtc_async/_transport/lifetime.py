"""A client's end: from when on it takes no calls, and what becomes of those under way."""

import inspect
from typing import Protocol

import anyio
from attrs import define, field

from webrtc_async._tasks.background_tasks import UNWINDING
from webrtc_async.errors import ClientClosedError


class Cancellable(Protocol):
    """What a call can be ended by."""

    def cancel(self) -> None:
        """End it."""
        ...


@define(eq=False)
class Lifetime:
    """Open, then draining, then closed.

    Attributes:
        is_ending: Whether no new call is taken.
        is_over: Whether nothing is sent any more.
    """

    is_ending: bool = field(default=False, init=False)
    is_over: bool = field(default=False, init=False)
    _calls: set[Cancellable] = field(factory=set[Cancellable], init=False)
    _idle: anyio.Event | None = field(default=None, init=False)
    _closed: anyio.Event | None = field(default=None, init=False)

    def check_not_ending(self, operation: str = "") -> None:
        """Refuse a new call on a client that is closed, or is just being closed.

        Raises:
            ClientClosedError: It is.
        """
        if self.is_ending:
            raise ClientClosedError(
                "this client is closed, and a closed client is not reopened: make a new one.",
                operation=operation,
            )

    def begin(self, call: Cancellable) -> None:
        """Count a call, which ends by its scope if the client cannot wait for it."""
        self._calls.add(call)

    def end(self, call: Cancellable) -> None:
        """Count a call no longer."""
        self._calls.discard(call)
        if self._idle is not None and not self._calls:
            self._idle.set()

    def forget_calls(self) -> None:
        """Forget calls that another process or a finished event loop had under way."""
        self._calls.clear()

    async def start_closing(self) -> bool:
        """Take no more calls, and return whether this is the first to say so.

        Who comes later gets its answer when the first is done.
        """
        if not self.is_ending:
            self.is_ending, self._closed = True, anyio.Event()
            return True
        if self._closed is not None:
            await self._closed.wait()
        return False

    async def drain(self, grace: float) -> None:
        """Wait for the calls under way, and cancel those that take over so many seconds."""
        try:
            await self._wait_for_calls(grace)
        finally:
            for call in tuple(self._calls):
                call.cancel()
        await self._wait_for_calls(UNWINDING)

    def finish(self) -> None:
        """Let go whoever waits for the end."""
        assert self._closed is not None  # noqa: S101  # start_closing() was first
        self._closed.set()
        self._closed = None

    async def _wait_for_calls(self, grace: float) -> None:
        if self._calls:
            self._idle = anyio.Event()
            with anyio.move_on_after(grace, shield=True):
                await self._idle.wait()


def caller() -> str:
    """Return where the code outside this package is that has called into it."""
    own = f"{__name__.partition('.')[0]}."
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").startswith(own):
        frame = frame.f_back
    if frame is None:
        return "an unknown line"
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
