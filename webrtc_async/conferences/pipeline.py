"""Concurrent work on any number of items, with a bounded number of results in memory."""

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
from typing import Final, Generic, TypeVar

import anyio
from anyio.lowlevel import checkpoint
from attrs import define, field

from webrtc_async._config.validation import check_count
from webrtc_async._tasks.background_work import BackgroundWork, wait_for
from webrtc_async._tasks.event_loop import call_soon_in, home
from webrtc_async._tasks.interrupts import interrupts_between_callbacks
from webrtc_async.conferences.call_options import check_times
from webrtc_async.conferences.errors import OPERATION
from webrtc_async.errors import ClientClosedError

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

NAME: Final = "work on many conferences"
"""The name of the tasks, for reports."""

Source = Iterable[ItemT] | AsyncIterable[ItemT]


@define(eq=False, kw_only=True)
class Pipeline(Generic[ItemT, ResultT]):
    """Work that turns items into results in tasks of the client.

    Attributes:
        background_work: Runs the tasks.
        items: The items; the next one is read when there is room for it.
        work: Returns the result of an item, or None to yield nothing for it. An exception ends the
            pipeline.
        on_result: Called in the caller's task with each result before it is yielded. An exception
            ends the pipeline.
        stop: Called to cut running work short.
        undo: Called with each result that was made but not yielded.
        on_start: Called first. An exception ends the pipeline.
        on_end: Called when no work is running any more, with the results that were not undone
            because the client closed.
        concurrency: Number of items at the same time; as many results may wait.
        grace: Seconds that a caller that leaves early waits for running work.
        home: The event loop and the process that the work runs in, once it is started.

    Raises:
        ConfigurationError: The concurrency is not a whole number of at least 1, or the grace is no
            number of seconds.
    """

    background_work: BackgroundWork
    items: Source[ItemT]
    work: Callable[[ItemT], Awaitable[ResultT | None]]
    on_result: Callable[[ResultT], Awaitable[None]]
    stop: Callable[[], None]
    undo: Callable[[ResultT], Coroutine[None, None, None]]
    on_start: Callable[[], Awaitable[None]]
    on_end: Callable[[Iterable[ResultT]], None]
    concurrency: int
    grace: float
    _ready: deque[ResultT] = field(factory=deque[ResultT], init=False)
    _has_news: anyio.Event = field(factory=anyio.Event, init=False)
    _has_ended: anyio.Event = field(factory=anyio.Event, init=False)
    _slots: anyio.Semaphore = field(init=False)
    _source_lock: anyio.Lock = field(factory=anyio.Lock, init=False)
    _source_scope: anyio.CancelScope = field(factory=anyio.CancelScope, init=False)
    home: tuple[object, int] | None = field(default=None, init=False)
    _turn: anyio.Lock = field(factory=anyio.Lock, init=False)
    _ended: anyio.Event | None = field(default=None, init=False)
    _is_closed: bool = field(default=False, init=False)
    _is_reported: bool = field(default=False, init=False)
    _is_over: bool = field(default=False, init=False)
    _is_complete: bool = field(default=False, init=False)
    _failure: Exception | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        check_count("concurrency", self.concurrency)
        check_times(grace=self.grace)
        self._slots = anyio.Semaphore(2 * self.concurrency)

    async def next(self) -> ResultT:
        """Return the next result; start the work for the first one.

        Raises:
            StopAsyncIteration: There is none any more.
        """
        if self._is_closed:
            raise StopAsyncIteration
        if self.home is None:
            self.home = home()
            self.background_work.start(self._run, NAME, on_end=self._release)
            self.background_work.on_close.add(self._end_with_client)
        async with self._turn:
            if self._ended is None and await self._wait_for_result():
                self._slots.release()
                self._is_reported = False
                return self._ready.popleft()
        await self.aclose()
        failure, self._failure = self._failure, None
        raise StopAsyncIteration if failure is None else failure

    async def aclose(self) -> None:
        """End all running work, undo results that were not taken, and wait for it."""
        left_early = not self._has_ended.is_set() or bool(self._ready)
        self.start_end()
        if self._ended is None:
            self._is_closed = True  # nothing was started
            return
        if left_early:
            with interrupts_between_callbacks(), anyio.move_on_after(self.grace, shield=True):
                await self._ended.wait()
        else:
            await wait_for(self._ended, wait_when_cancelled=self.grace)

    def start_end(self) -> None:
        """End all running work in a task of the client, unless that has begun."""
        if self.home is None or self._ended is not None:
            return
        ended = self._ended = anyio.Event()
        self.background_work.on_close.discard(self._end_with_client)
        self._stop_work()

        def end() -> None:
            self.on_end(self._ready)
            ended.set()

        self.background_work.start(self._undo_rest, f"the end of {NAME}", on_end=end)

    def abandon(self) -> None:
        """End all running work soon, in its event loop; any thread and destructor may call it."""
        if self.home is None or self._ended is not None:
            return
        if not call_soon_in(self.home, self.start_end):  # the end of its loop has cut it off
            self.background_work.on_close.discard(self._end_with_client)

    def _end_with_client(self) -> None:
        """End work that would wait until its caller asks for the next result."""
        if self.home == home() and not self._turn.locked():
            self._failure = self._failure or _client_closed()
            self.start_end()

    def _stop_work(self) -> None:
        """Read no more items, and cut running work short."""
        if not self._has_ended.is_set():
            self._is_over = True
            self._source_scope.cancel()
            self.stop()
            for _ in range(self.concurrency):
                self._slots.release()

    async def _wait_for_result(self) -> bool:
        """Wait until the next result may be yielded; return False after the last one."""
        with interrupts_between_callbacks():
            while not self._ready:
                if self._has_ended.is_set():
                    return False
                self._has_news = anyio.Event()
                await self._has_news.wait()
            # A loop over results that are already there must be cancellable too.
            await checkpoint()
            # Removed only after that, so that a caller cancelled there loses no result.
            if self._ended is None and not self._is_reported:
                self._is_reported = True
                await self.on_result(self._ready[0])
        return self._ended is None  # else another task has ended the work meanwhile

    async def _run(self) -> None:
        try:
            # Here, because the caller's cancellation would leave a half-opened journal.
            await self.on_start()
        except Exception as error:  # noqa: BLE001  # the caller raises it
            self._failure, self._is_complete = error, True
            return
        items = _stepping(self.items) if isinstance(self.items, Iterable) else aiter(self.items)
        async with anyio.create_task_group() as tasks:
            for _ in range(self.concurrency):
                tasks.start_soon(self._work_on, items)
        if isinstance(items, AsyncGenerator):
            await items.aclose()
        self._is_complete = True

    def _release(self) -> None:
        if not self._is_complete and self._failure is None:
            self._failure = _client_closed()
        self._has_ended.set()
        self._has_news.set()

    async def _undo_rest(self) -> None:
        await self._has_ended.wait()
        async with anyio.create_task_group() as tasks:
            for result in tuple(self._ready):
                tasks.start_soon(self._undo, result)

    async def _undo(self, result: ResultT) -> None:
        self._ready.remove(result)
        await self.undo(result)

    async def _work_on(self, items: AsyncIterator[ItemT]) -> None:
        try:
            while True:
                await self._slots.acquire()
                item = await self._next(items)
                if not item:
                    self._slots.release()
                    return
                result = await self.work(item[0])
                if result is None:
                    self._slots.release()
                    continue
                self._ready.append(result)
                self._has_news.set()
        except Exception as error:  # noqa: BLE001  # a user's transport may raise anything
            self._failure = self._failure or error
            self._stop_work()

    async def _next(self, items: AsyncIterator[ItemT]) -> tuple[ItemT, ...]:
        """Return the next item in a tuple, or an empty tuple after the last one."""
        async with self._source_lock:
            if not self._is_over:
                try:
                    with self._source_scope:
                        async for item in items:
                            self._source_scope = anyio.CancelScope()
                            return (item,)
                except Exception as error:  # noqa: BLE001  # a user's generator may raise anything
                    # Running work is finished and its results are yielded first.
                    self._failure = self._failure or error
            self._is_over = True
            return ()


async def _stepping(items: Iterable[ItemT]) -> AsyncGenerator[ItemT]:
    for item in items:
        yield item


def _client_closed() -> ClientClosedError:
    return ClientClosedError("the client closed.", operation=OPERATION)
