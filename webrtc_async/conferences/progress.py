"""Progress of set-ups and tear-downs, and the callbacks that receive it."""

import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Literal, TypeVar

import anyio
from attrs import define, field, frozen

EventT = TypeVar("EventT")

_log: Final = logging.getLogger("webrtc_async")

SetupStage = Literal["session created", "participant created", "joined"]


@frozen(kw_only=True)
class SetupProgress:
    """A finished step of one conference's set-up.

    Attributes:
        done: Number of finished steps: one for the session, two for each participant.
        total: Number of all steps.
        stage: The kind of this step.
        name: The participant's name; empty for the session.
    """

    done: int
    total: int
    stage: SetupStage
    name: str = ""


@frozen(kw_only=True)
class BulkProgress:
    """The progress of the set-ups or tear-downs of many conferences.

    Attributes:
        done: Conferences that are done, including those known from a journal.
        failed: Conferences that failed.
        resumed: Conferences of `done` that were known from a journal.
        total: Number of all conferences, or None if it is not known.
        elapsed: Seconds since the start.
    """

    done: int
    failed: int
    resumed: int
    total: int | None
    elapsed: float

    @property
    def rate(self) -> float:
        """Conferences per second since the start, without those known from a journal."""
        worked_on = self.done + self.failed - self.resumed
        return worked_on / self.elapsed if self.elapsed > 0 else 0.0

    @property
    def remaining(self) -> float | None:
        """Estimated seconds until the end, or None while there is no estimate."""
        if self.total is None or not self.rate:
            return None
        return max(self.total - self.done - self.failed, 0) / self.rate


async def notify(
    callback: Callable[[EventT], Awaitable[None] | None] | None, event: EventT
) -> None:
    """Call a progress callback; log the exception that it raises, if any."""
    if callback is None:
        return
    try:
        returned = callback(event)
        if inspect.isawaitable(returned):
            await returned
    except Exception:  # noqa: BLE001  # a user's callback may raise anything
        _log.exception("A progress callback failed; the work continues.")


OnBulkProgress = Callable[[BulkProgress], Awaitable[None] | None]


@define(eq=False, kw_only=True)
class Tally:
    """The count of finished conferences, with a callback for each."""

    total: int | None
    on_progress: OnBulkProgress | None
    _started: float = field(factory=anyio.current_time, init=False)
    _done: int = field(default=0, init=False)
    _failed: int = field(default=0, init=False)
    _resumed: int = field(default=0, init=False)

    async def count(self, *, has_failed: bool, is_resumed: bool = False) -> None:
        """Count a conference and call the callback."""
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
        await notify(self.on_progress, progress)
