"""How far set-ups have come, and telling it to whoever wants to know."""

import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Literal, TypeVar

import anyio
from attrs import define, field, frozen

EventT = TypeVar("EventT")

_log: Final = logging.getLogger("webrtc_async")


@frozen(kw_only=True)
class SetupProgress:
    """A step of one conference's set-up.

    Attributes:
        done: Steps that are done: the session, each participant and each join is one.
        total: Steps that there are.
        stage: What was done last.
        name: The participant that it was done for; empty for the session.
    """

    done: int
    total: int
    stage: Literal["session created", "participant created", "joined"]
    name: str = ""


@frozen(kw_only=True)
class BulkProgress:
    """How far the set-ups or tear-downs of many conferences have come.

    Attributes:
        done: Conferences that are done, those that a journal knew included.
        failed: Conferences that failed.
        resumed: Those of `done` that a journal knew.
        total: Conferences that there are, or None where nobody knows.
        elapsed: Seconds since the start.
    """

    done: int
    failed: int
    resumed: int
    total: int | None
    elapsed: float

    @property
    def rate(self) -> float:
        """Conferences per second since the start, without those that a journal knew."""
        worked_on = self.done + self.failed - self.resumed
        return worked_on / self.elapsed if self.elapsed > 0 else 0.0

    @property
    def remaining(self) -> float | None:
        """Seconds until the end at this rate, or None while that cannot be said."""
        if self.total is None or not self.rate:
            return None
        return max(self.total - self.done - self.failed, 0) / self.rate


async def tell(callback: Callable[[EventT], Awaitable[None] | None] | None, event: EventT) -> None:
    """Call a callback with an event; a failure of it is logged and changes nothing."""
    if callback is None:
        return
    try:
        told = callback(event)
        if inspect.isawaitable(told):
            await told
    except Exception:
        _log.exception("A progress callback failed; the work goes on.")


OnBulkProgress = Callable[[BulkProgress], Awaitable[None] | None]


@define(eq=False, kw_only=True)
class Tally:
    """Counts conferences as they are done, and tells of each."""

    total: int | None
    on_progress: OnBulkProgress | None
    _started: float = field(factory=anyio.current_time, init=False)
    _done: int = field(default=0, init=False)
    _failed: int = field(default=0, init=False)
    _resumed: int = field(default=0, init=False)

    async def count(self, *, has_failed: bool, is_resumed: bool = False) -> None:
        """Count a conference and tell of it."""
        self._done += not has_failed
        self._failed += has_failed
        self._resumed += is_resumed
        progress = BulkProgress(
            done=self._done,
            failed=self._failed,
            resumed=self._resumed,
            total=self.total,
            elapsed=anyio.current_time() - self._started,
        )
        await tell(self.on_progress, progress)
