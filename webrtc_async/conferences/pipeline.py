"""Work on any number of items, a few at a time, with a few results waiting at any time."""

from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
)
from typing import Generic, TypeVar

import anyio
from anyio.lowlevel import checkpoint
from attrs import define, field

from webrtc_async.conferences.background_work import BackgroundWork, wait_for

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

Source = Iterable[ItemT] | AsyncIterable[ItemT]


async def _change_nothing() -> None:
    """Leave everything as it is."""


@define(eq=False, kw_only=True)
class Pipeline(Generic[ItemT, ResultT]):
    """Turns items into results in tasks of the client's, and hands them over as they are made.

    Attributes:
        background_work: Runs the tasks.
        items: What to work on, taken one by one as places come free.
        work: Makes the result of an item, or None for one that is not to be handed over; what it
            raises ends everything.
        on_result: Called in the caller's task with each result before it is handed over; what it
            raises ends everything.
        stop: Called to end early what is under way.
        undo: Called with each result that was made and not handed over.
        on_start: Called in the caller's task before anything; what it raises ends everything.
        on_end: Called when nothing is under way any more.
        concurrency: Items at a time; as many results may wait.
        grace: Seconds that a caller who leaves early waits for what is under way.
    """

    background_work: BackgroundWork
    items: Source[ItemT]
    work: Callable[[ItemT], Awaitable[ResultT | None]]
    on_result: Callable[[ResultT], Awaitable[None]]
    stop: Callable[[], None]
    undo: Callable[[ResultT], Coroutine[None, None, None]]
    on_start: Callable[[], Awaitable[None]] = _change_nothing
    on_end: Callable[[], Awaitable[None]] = _change_nothing
    concurrency: int
    grace: float
    _ready: deque[ResultT] = field(factory=deque[ResultT], init=False)
    _has_news: anyio.Event = field(factory=anyio.Event, init=False)
    _has_ended: anyio.Event = field(factory=anyio.Event, init=False)
    _places: anyio.Semaphore = field(init=False)
    _turn: anyio.Lock = field(factory=anyio.Lock, init=False)
    _pull: anyio.CancelScope = field(factory=anyio.CancelScope, init=False)
    _is_over: bool = field(default=False, init=False)
    _failure: Exception | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._places = anyio.Semaphore(2 * self.concurrency)

    async def results(self) -> AsyncGenerator[ResultT]:
        """Return the results as they are made; who leaves early leaves nothing under way."""
        await self.on_start()
        self.background_work.start(self._run, "work on many conferences")
        try:
            while await self._wait_for_one():
                # So that a loop over results that are there already can be cancelled too.
                await checkpoint()
                # Handed over only after that, so that a caller cancelled in it loses nothing.
                await self.on_result(self._ready[0])
                self._places.release()
                yield self._ready.popleft()
            if self._failure is not None:
                raise self._failure
        finally:
            self.end()
            ended = anyio.Event()

            async def clear_up() -> None:
                try:
                    await self._has_ended.wait()
                    async with anyio.create_task_group() as tasks:
                        while self._ready:
                            tasks.start_soon(self.undo, self._ready.popleft())
                    await self.on_end()
                finally:
                    ended.set()

            self.background_work.start(clear_up, "the end of work on many conferences")
            await wait_for(ended, grace=self.grace)

    def end(self) -> None:
        """Take no further item, and end early what is under way."""
        if not self._has_ended.is_set():
            self._is_over = True
            self._pull.cancel()
            self.stop()
            for _ in range(self.concurrency):
                self._places.release()

    async def _wait_for_one(self) -> bool:
        while not self._ready:
            if self._has_ended.is_set():
                return False
            self._has_news = anyio.Event()
            await self._has_news.wait()
        return True

    async def _run(self) -> None:
        items = _stepping(self.items) if isinstance(self.items, Iterable) else aiter(self.items)
        try:
            async with anyio.create_task_group() as tasks:
                for _ in range(self.concurrency):
                    tasks.start_soon(self._work_on, items)
            if isinstance(items, AsyncGenerator):
                await items.aclose()
        finally:
            self._has_ended.set()
            self._has_news.set()

    async def _work_on(self, items: AsyncIterator[ItemT]) -> None:
        try:
            while True:
                await self._places.acquire()
                taken = await self._take(items)
                if not taken:
                    self._places.release()
                    return
                result = await self.work(taken[0])
                if result is None:
                    self._places.release()
                    continue
                self._ready.append(result)
                self._has_news.set()
        except Exception as error:  # a user's transport may raise anything
            self._failure = self._failure or error
            self.end()

    async def _take(self, items: AsyncIterator[ItemT]) -> tuple[ItemT, ...]:
        """Return the next item, or nothing when there is none."""
        async with self._turn:
            if not self._is_over:
                try:
                    with self._pull:
                        async for item in items:
                            self._pull = anyio.CancelScope()
                            return (item,)
                except Exception as error:  # a user's generator may raise anything
                    # What is under way is finished and handed over first.
                    self._failure = self._failure or error
            self._is_over = True
            return ()


async def _stepping(items: Iterable[ItemT]) -> AsyncGenerator[ItemT]:
    for item in items:
        yield item
