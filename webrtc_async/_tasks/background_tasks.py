"""Tasks that a client owns, for work that must outlive the call that started it.

A shielded scope is not enough for a roll-back: on asyncio a second `task.cancel()` passes it. A
task that only the client holds cannot be cancelled by anybody else.
"""

import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, Generic, TypeVar

import anyio
from attrs import define, field

from webrtc_async._tasks.event_loop import home, spawn

ResultT = TypeVar("ResultT")

_log: Final = logging.getLogger("webrtc_async")

UNWINDING: Final = 0.5
"""Seconds to wait for cancelled work while it cleans up."""


@define(eq=False)
class Handle(Generic[ResultT]):
    """Work in a task of the client.

    Attributes:
        name: The name of the work, for reports.
    """

    name: str
    _on_end: Callable[[], object] | None = field(default=None, repr=False)
    _scope: anyio.CancelScope = field(factory=anyio.CancelScope, init=False, repr=False)
    _done: anyio.Event = field(factory=anyio.Event, init=False, repr=False)
    _result: list[ResultT] = field(factory=list[ResultT], init=False, repr=False)
    _failure: Exception | None = field(default=None, init=False, repr=False)

    @property
    def is_done(self) -> bool:
        """True once the work has ended, with any result."""
        return self._done.is_set()

    @property
    def is_given_up(self) -> bool:
        """True once the work was cancelled."""
        return self._scope.cancel_called

    @property
    def has_result(self) -> bool:
        """True once the work has ended without an exception."""
        return bool(self._result)

    def result(self) -> ResultT:
        """Return the work's result.

        Raises:
            Exception: The work raised it.
            RuntimeError: The work is not done, or was cancelled.
        """
        if self._failure is not None:
            raise self._failure
        if not self._result:
            raise RuntimeError(f"There is no result: {self.name} was given up or is not done.")
        return self._result[0]

    def give_up(self) -> None:
        """Cancel the work."""
        self._scope.cancel()

    def give_up_after(self, seconds: float) -> None:
        """Cancel the work unless it ends within some seconds from now."""
        self._scope.deadline = min(self._scope.deadline, anyio.current_time() + seconds)

    async def wait(self, *, grace: float = float("inf"), shielded: bool = True) -> bool:
        """Wait until the work ends, and return True if it has; otherwise it goes on.

        Args:
            grace: Seconds to wait, at most.
            shielded: True to go on waiting in a cancelled scope. A `task.cancel()` of asyncio
                always ends the wait, and never the work.
        """
        with anyio.move_on_after(grace, shield=shielded):
            await self._done.wait()
        return self.is_done

    async def run(self, work: Callable[[], Coroutine[Any, Any, ResultT]]) -> None:
        """Carry out the work, and keep its result or failure."""
        try:
            with self._scope:
                self._result.append(await work())
        except Exception as error:  # noqa: BLE001  # `result` raises it
            self._failure = error

    def end(self) -> None:
        """Release everybody who waits; the task has ended, or nobody waits for it any longer."""
        if not self.is_done:
            self._done.set()
            if self._on_end is not None:
                self._on_end()


class BackgroundTasks:
    """The background tasks of a client, which closing waits for.

    They belong to the event loop and process that last started one. Tasks that the end of another
    loop has cut off are forgotten.

    Args:
        limit: Tasks at the same time, at most.
    """

    def __init__(self, limit: int = 10_000) -> None:
        self._limit = limit
        # With their tasks, because asyncio keeps no reference to them.
        self._under_way: dict[Handle[Any], object] = {}
        self._home: tuple[object, int] | None = None

    @property
    def under_way(self) -> tuple[str, ...]:
        """The names of the work that is not done."""
        return tuple(handle.name for handle in self._under_way)

    def start(
        self,
        work: Callable[[], Coroutine[Any, Any, ResultT]],
        *,
        name: str,
        on_end: Callable[[], object] | None = None,
    ) -> Handle[ResultT] | None:
        """Start work that no cancellation of the caller reaches; nothing of it runs yet.

        Args:
            work: The coroutine function.
            name: Its name, such as "deleteSession after a cancelled createSession".
            on_end: Called once: when the task has ended, even if it was cancelled before its first
                step, or when closing leaves it because it ignores its cancellation.

        Returns:
            Its handle, or None at the limit: then the caller has to do the work.
        """
        self.bind_to_loop()
        if len(self._under_way) >= self._limit:
            return None
        handle, under_way = Handle[ResultT](name, on_end), self._under_way

        def end() -> None:
            del under_way[handle]
            handle.end()

        under_way[handle] = None
        under_way[handle] = spawn(lambda: handle.run(work), on_end=end)
        return handle

    def bind_to_loop(self) -> None:
        """Forget the work of another event loop, whose end has cut it off, and report it."""
        if (here := home()) == self._home:
            return
        cut_off, self._under_way = tuple(self._under_way), {}
        if self._home is not None and self._home[1] == here[1]:  # else it is the parent's
            _report("an event loop", cut_off)
            for handle in cut_off:
                with suppress(RuntimeError):  # the tasks of a closed event loop cannot be woken
                    handle.end()
        self._home = here

    async def aclose(self, *, until: float, over: float) -> tuple[str, ...]:
        """Wait for all work, also for work that is started meanwhile, and cancel the rest.

        Args:
            until: The event loop's time at which the rest is cancelled; a cancelled scope around
                the caller does not end the wait earlier.
            over: The time at which the wait for cancelled work ends.

        Returns:
            The names of the cancelled work.
        """
        self.bind_to_loop()
        try:
            with anyio.CancelScope(deadline=until, shield=True):
                while self._under_way:
                    await next(iter(self._under_way)).wait(shielded=False)
        finally:
            left = tuple(self._under_way)
            _report("the client", left)
            for handle in left:
                handle.give_up()
        with anyio.CancelScope(deadline=over, shield=True):
            for handle in left:
                await handle.wait(shielded=False)
        for handle in left:
            handle.end()
        return tuple(handle.name for handle in left)


def _report(closed: str, cut_off: tuple[Handle[Any], ...]) -> None:
    if cut_off:
        names = ", ".join(handle.name for handle in cut_off)
        _log.warning("%s closed before these ended: %s", closed, names)
