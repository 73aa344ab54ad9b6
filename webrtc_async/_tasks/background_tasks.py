"""Tasks that a client owns, for work that must outlive the call that began it.

A shielded scope is not enough for a roll-back: on asyncio a second `task.cancel()` goes through it.
A task that nobody else has cannot be cancelled by anybody else.
"""

from collections.abc import Callable, Coroutine
from typing import Any, Final, Generic, TypeVar

import anyio
from attrs import define, field

from webrtc_async._tasks.event_loop import current_event_loop, forks, spawn

ResultT = TypeVar("ResultT")

UNWINDING: Final = 0.5
"""Seconds that work which was given up is waited for once more, while it cleans up."""


@define(eq=False)
class Handle(Generic[ResultT]):
    """Work under way in a task of the client.

    Attributes:
        name: What the work is, for whoever has to report that it was given up.
    """

    name: str
    _scope: anyio.CancelScope = field(factory=anyio.CancelScope, init=False, repr=False)
    _done: anyio.Event = field(factory=anyio.Event, init=False, repr=False)
    _result: list[ResultT] = field(factory=list[ResultT], init=False, repr=False)
    _failure: list[Exception] = field(factory=list[Exception], init=False, repr=False)

    @property
    def is_done(self) -> bool:
        """Whether the work has ended, however it ended."""
        return self._done.is_set()

    @property
    def is_given_up(self) -> bool:
        """Whether the work was told to end before it was done."""
        return self._scope.cancel_called

    def result(self) -> ResultT:
        """Return the work's result.

        Raises:
            BaseException: What the work raised; once, because an error that is kept by what the
                frames it came through hold is a cycle.
            RuntimeError: It is not done, or it was given up.
        """
        if self._failure:
            raise self._failure.pop()
        if not self._result:
            raise RuntimeError(f"There is no result: {self.name} was given up or is not done.")
        return self._result[0]

    def give_up(self) -> None:
        """Cancel the work."""
        self._scope.cancel()

    def give_up_after(self, seconds: float) -> None:
        """Cancel the work unless it ends within so many seconds from now."""
        self._scope.deadline = min(self._scope.deadline, anyio.current_time() + seconds)

    async def wait(self, *, grace: float = float("inf"), shielded: bool = True) -> bool:
        """Wait until the work ends, and return whether it did; it goes on if it did not.

        Args:
            grace: Seconds to wait at most.
            shielded: Whether a cancelled scope around the caller lets it wait on. A `task.cancel()`
                of asyncio always ends the wait, and never the work.
        """
        with anyio.move_on_after(grace, shield=shielded):
            await self._done.wait()
        return self.is_done

    async def run(self, work: Callable[[], Coroutine[Any, Any, ResultT]]) -> None:
        """Carry out the work, and keep what comes of it."""
        try:
            with self._scope:
                self._result.append(await work())
        except Exception as error:  # whoever asks for the result gets it
            self._failure.append(error)

    def end(self) -> None:
        """Let go everybody who waits: the work's task has ended, whether or not it ever began."""
        self._done.set()


class BackgroundTasks:
    """Starts work in tasks of its own, keeps them, and waits for them at the end.

    It belongs to the event loop and process that last started work; what another loop's end cut
    off is forgotten.

    Args:
        most: How much work may be under way at once.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        # With their tasks, because asyncio keeps no reference to those.
        self._under_way: dict[Handle[Any], object] = {}
        self._home: tuple[object, int] | None = None

    @property
    def under_way(self) -> tuple[str, ...]:
        """The names of the work that is not done."""
        return tuple(handle.name for handle in self._under_way)

    def start(
        self, work: Callable[[], Coroutine[Any, Any, ResultT]], *, name: str
    ) -> Handle[ResultT] | None:
        """Start work that no cancellation of the caller reaches; nothing of it runs yet.

        Args:
            work: The coroutine function.
            name: What it is, such as "deleteSession after a cancelled createSession".

        Returns:
            Its handle, or None when as much is under way as may be: then the caller has to do it.
        """
        home = (current_event_loop(), forks())
        if home != self._home:
            self._home, self._under_way = home, {}
        if len(self._under_way) >= self._most:
            return None
        handle, under_way = Handle[ResultT](name), self._under_way

        def end() -> None:
            del under_way[handle]
            handle.end()

        under_way[handle] = None
        under_way[handle] = spawn(lambda: handle.run(work), on_end=end)
        return handle

    async def aclose(self, *, until: float, over: float) -> tuple[str, ...]:
        """Wait for all work, also for what is started meanwhile, and give up what is left then.

        Args:
            until: The event loop's time at which work is given up; a cancelled scope around the
                caller lets it wait on.
            over: The time at which work that was given up is waited for no longer.

        Returns:
            The names of the work that was given up.
        """
        if self._home != (current_event_loop(), forks()):
            self._under_way = {}
            return ()
        try:
            with anyio.CancelScope(deadline=until, shield=True):
                while self._under_way:
                    await next(iter(self._under_way)).wait(shielded=False)
        finally:
            left = tuple(self._under_way)
            for handle in left:
                handle.give_up()
        with anyio.CancelScope(deadline=over, shield=True):
            for handle in left:
                await handle.wait(shielded=False)
        return tuple(handle.name for handle in left)
