"""Work on conferences that is cut off, even before its first step: it ends, and says what is left.

A cancelled caller, a closing client and an event loop that ends cut it off.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from support.backends import jumping_backends
from support.conferences import ACCOUNT, Request, client_over, remaining_in, service

from webrtc_async import (
    ClientClosedError,
    ConferencePlan,
    Journal,
    JournalError,
    SetupError,
    SetUpFailed,
    TeardownError,
    WebRtcError,
)

on_asyncio = pytest.mark.parametrize("anyio_backend", ["asyncio"])
PLANS = [ConferencePlan(["a"], key="plan-0")]


async def never_answer(_: Request) -> None:
    await anyio.sleep_forever()


def slow_journal(path: Path) -> tuple[Journal, threading.Event, threading.Event]:
    """Return a journal, an event set while it is read, and one that lets the reading go on."""
    reading, may_go_on = threading.Event(), threading.Event()

    def clock() -> float:
        reading.set()
        may_go_on.wait(10)
        return 0.0

    return Journal(path, clock=clock), reading, may_go_on


def is_free(path: Path) -> bool:
    """Return True if the journal is not locked."""
    try:
        Journal(path).open(ACCOUNT).close()
    except JournalError:
        return False
    return True


# A journal that is being read

Cut = Callable[[Coroutine[Any, Any, None], threading.Event], Coroutine[Any, Any, None]]


async def cut_by_a_scope(call: Coroutine[Any, Any, None], reading: threading.Event) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: call)
        await anyio.to_thread.run_sync(reading.wait, 10)
        tasks.cancel_scope.cancel()


def cut_by_cancelling(times: int) -> Cut:
    async def cut(call: Coroutine[Any, Any, None], reading: threading.Event) -> None:
        task = asyncio.ensure_future(call)
        await anyio.to_thread.run_sync(reading.wait, 10)
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
        with suppress(asyncio.CancelledError):
            await task

    return cut


WAYS = {"scope": cut_by_a_scope, "cancel": cut_by_cancelling(1), "twice": cut_by_cancelling(2)}


@pytest.mark.anyio
@pytest.mark.parametrize("by", WAYS)
@pytest.mark.parametrize("what", ["set_up", "tear_down"])
async def test_a_journal_is_closed_although_it_was_still_being_read(
    anyio_backend: str, tmp_path: Path, by: str, what: str
) -> None:
    """A call that is cancelled while its journal is read leaves it closed and unlocked."""
    if anyio_backend == "trio" and by != "scope":
        pytest.skip("only asyncio has such a cancellation")
    path = tmp_path / "set-ups.jsonl"
    _, transport = service()
    async with client_over(transport) as client:
        async for _ in client.set_up(PLANS, journal=path):
            pass
        journal, reading, may_go_on = slow_journal(path)
        calls = {
            "set_up": lambda: client.set_up(PLANS, journal=journal, grace=0.01),
            "tear_down": lambda: client.tear_down(journal, grace=0.01),
        }

        async def call() -> None:
            async with calls[what]() as results:
                async for _ in results:
                    pytest.fail("it was not cancelled")

        await WAYS[by](call(), reading)
        may_go_on.set()
    assert is_free(path)  # closing the client waits for the thread


@on_asyncio
@pytest.mark.anyio
async def test_the_end_of_an_event_loop_closes_a_journal_that_is_being_read(
    tmp_path: Path,
) -> None:
    """If even the client's own tasks are cancelled, the thread that reads the journal closes it."""
    path, not_ours = tmp_path / "set-ups.jsonl", asyncio.all_tasks()
    _, transport = service()
    async with client_over(transport) as client:
        async for _ in client.set_up(PLANS, journal=path):
            pass
        journal, reading, may_go_on = slow_journal(path)

        async def call() -> None:
            async for _ in client.set_up(PLANS, journal=journal):
                pytest.fail("it was not cancelled")

        calling = asyncio.ensure_future(call())
        await anyio.to_thread.run_sync(reading.wait, 10)
        for task in asyncio.all_tasks() - not_ours:
            task.cancel()
        await asyncio.wait([calling])
        may_go_on.set()
        with anyio.fail_after(10):
            while not is_free(path):  # noqa: ASYNC110  # a thread closes it
                await anyio.sleep(0.001)


# Tasks that are cancelled before their first step


@contextmanager
def stillborn_tasks() -> Iterator[None]:
    """Cancel each new task before its first step, as a loop's end may."""

    def make(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(work, loop=loop, **options)
        task.cancel()
        return task

    loop = asyncio.get_running_loop()
    loop.set_task_factory(make)
    try:
        yield
    finally:
        loop.set_task_factory(None)


@on_asyncio
@pytest.mark.anyio
async def test_a_conference_whose_task_never_began_fails_at_once() -> None:
    """The caller of a set-up that was cut off gets an error, and waits for nothing."""
    _, transport = service()
    with anyio.fail_after(2):
        async with client_over(transport) as client:
            with stillborn_tasks(), pytest.raises(SetupError) as got:
                await client.conference(["a"]).__aenter__()
    assert "the client closed" in str(got.value)
    assert transport.requests == []


@on_asyncio
@pytest.mark.anyio
async def test_a_conference_with_progress_whose_task_never_began_fails_at_once() -> None:
    """The same holds for a caller who waits for the steps."""
    _, transport = service()
    with anyio.fail_after(2):
        async with client_over(transport) as client:
            with stillborn_tasks(), pytest.raises(SetupError) as got:
                await client.conference(["a"], on_progress=print).__aenter__()
    assert "the client closed" in str(got.value)


@on_asyncio
@pytest.mark.anyio
async def test_a_tear_down_whose_task_never_began_names_what_is_left(caplog) -> None:
    """The error and the log name the resources that were not deleted."""
    emulator, transport = service()
    with anyio.fail_after(2):
        async with client_over(transport) as client:
            conference = client.conference(["a"])
            await conference.__aenter__()
            with stillborn_tasks(), pytest.raises(TeardownError) as got:
                await conference.__aexit__(None, None, None)
    left = remaining_in(emulator)
    assert "the client closed" in str(got.value)
    assert {each.id for each in got.value.not_deleted} == set(left)
    assert all(each in caplog.text for each in left)


@on_asyncio
@pytest.mark.anyio
async def test_a_join_whose_task_never_began_fails_at_once() -> None:
    """A late join that was cut off fails, and the conference ends as ever."""
    emulator, transport = service()
    with anyio.fail_after(2):
        async with client_over(transport) as client, client.conference(["a"]) as conference:
            with stillborn_tasks(), pytest.raises(WebRtcError):
                await conference.join("b")
    assert remaining_in(emulator) == ()


@on_asyncio
@pytest.mark.anyio
async def test_a_bulk_set_up_whose_task_never_began_fails_at_once(tmp_path: Path) -> None:
    """A bulk set-up that was cut off raises; it does not end as if it were complete."""
    _, transport = service()
    path = tmp_path / "set-ups.jsonl"
    with anyio.fail_after(2):
        async with client_over(transport) as client:
            with stillborn_tasks(), pytest.raises(ClientClosedError):
                async for _ in client.set_up(PLANS, journal=path):
                    pytest.fail("nothing was set up")
    assert is_free(path)


@on_asyncio
@pytest.mark.anyio
async def test_an_end_of_a_bulk_set_up_that_never_began_names_what_is_left(caplog) -> None:
    """If the deletion of unclaimed conferences was cut off, the log names them."""
    emulator, transport = service()
    transport.refuse = lambda _: 400 if len(transport.requests) == 1 else None
    plans = [ConferencePlan(["a"], tag=str(number)) for number in range(4)]
    with anyio.fail_after(2):
        async with client_over(transport) as client:
            results = client.set_up(plans, concurrency=4)
            while isinstance(await anext(results), SetUpFailed):
                pass
            await anyio.wait_all_tasks_blocked()
            with stillborn_tasks():
                await results.aclose()
    named = [each for each in remaining_in(emulator) if each in caplog.text]
    assert len(named) == 4  # of two conferences; the caller has the third, the fourth has failed


@on_asyncio
@pytest.mark.anyio
async def test_a_create_that_nobody_follows_takes_no_place() -> None:
    """A cancelled create whose follower never began leaves its place to the next one."""
    emulator, transport = service()
    is_sent = anyio.Event()

    async def hold(request: Request) -> None:
        if request.method == "POST":
            is_sent.set()
            await anyio.sleep(0.01)

    transport.hold = hold
    async with client_over(transport, max_connections=4) as client:
        for context in (stillborn_tasks(), nullcontext()):
            is_sent = anyio.Event()
            creating = asyncio.ensure_future(client.create_session())
            await is_sent.wait()
            with context:
                creating.cancel()
                await asyncio.wait([creating])
    assert len(emulator.session_ids(ACCOUNT)) == 1


# Work that ignores its cancellation


@jumping_backends()
@pytest.mark.anyio
async def test_a_tear_down_that_ignores_its_cancellation_names_what_is_left(caplog) -> None:
    """Closing leaves such a tear-down in time, and the log names its resources."""
    emulator, transport = service()
    ends = anyio.Event()

    async def hold(request: Request) -> None:
        if request.method == "DELETE":
            with anyio.CancelScope(shield=True):
                await ends.wait()

    client = client_over(transport)
    with anyio.CancelScope() as scope:
        async with client.conference(["a"], grace=0):
            transport.hold = hold
            scope.cancel()
            await anyio.lowlevel.checkpoint()
    began = anyio.current_time()
    await client.aclose()
    assert anyio.current_time() - began <= 5 + 5 + 2 + 1 + 0.1
    assert all(each in caplog.text for each in remaining_in(emulator))
    ends.set()
    await anyio.wait_all_tasks_blocked()


@jumping_backends()
@pytest.mark.anyio
async def test_a_bulk_set_up_that_ignores_its_cancellation_names_what_is_left(caplog) -> None:
    """The same holds for a set-up, whose caller gets an error."""
    emulator, transport = service()
    is_held, ends = anyio.Event(), anyio.Event()

    async def hold(request: Request) -> None:
        if request.path.startswith("/sessions/"):
            is_held.set()
            with anyio.CancelScope(shield=True):
                await ends.wait()

    transport.hold = hold
    client = client_over(transport)

    async def set_up() -> None:
        with pytest.raises(WebRtcError):
            async for each in client.set_up(PLANS):
                each.get()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(set_up)
        await is_held.wait()
        await client.aclose()
        left = remaining_in(emulator)
        ends.set()
    assert left
    assert all(each in caplog.text for each in left)


@jumping_backends()
@pytest.mark.anyio
async def test_a_caller_that_leaves_a_bulk_set_up_early_waits_for_its_grace() -> None:
    """Leaving the loop takes at most `grace`, although the service is silent."""
    _, transport = service()
    async with client_over(transport, close_grace=0, deadline=600) as client:
        async with client.set_up([*PLANS, *PLANS], grace=3) as results:
            async for _ in results:
                transport.hold = never_answer
                began = anyio.current_time()
                break
        assert anyio.current_time() - began <= 3.1
