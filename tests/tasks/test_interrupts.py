"""Ctrl-C while a client waits: no callback of the event loop is lost by it."""

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import pytest
import trio
from support.conferences import client_over, remaining_in, service

from webrtc_async import ConferencePlan
from webrtc_async._tasks.interrupts import interrupts_between_callbacks


def interrupt_twice(finished: list[str]) -> None:
    """Press Ctrl-C twice inside a callback."""
    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGINT)
    finished.append("the callback")


async def wait_inside() -> None:
    with interrupts_between_callbacks():
        await asyncio.sleep(10)


async def enter_a_conference() -> None:
    _, transport = service()
    transport.hold = lambda _: anyio.sleep(10)
    async with client_over(transport, close_grace=0, create_grace=0) as client:
        await client.conference(["a"], grace=0).__aenter__()


async def set_up() -> None:
    _, transport = service()
    transport.hold = lambda _: anyio.sleep(10)
    async with client_over(transport, close_grace=0, create_grace=0) as client:
        async for _ in client.set_up([ConferencePlan(["a"])], grace=0):
            pass


async def close() -> None:
    client = client_over(service()[1])
    client._background_work.start(anyio.sleep_forever, "endless")
    await client.aclose()


@pytest.mark.parametrize("main", [wait_inside, enter_a_conference, set_up, close])
def test_a_callback_is_finished(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Two Ctrl-C end `asyncio.run` with KeyboardInterrupt, and not inside a callback."""
    finished: list[str] = []

    async def run() -> None:
        asyncio.get_running_loop().call_later(0.02, interrupt_twice, finished)
        await main()

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(run())
    assert finished == ["the callback"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_one_interrupt_cancels_the_caller_as_ever() -> None:
    """After one Ctrl-C a conference is torn down, and the program ends with KeyboardInterrupt."""
    emulator, transport = service()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        async with client_over(transport) as client, client.conference(["a"]):
            loop.call_later(0.02, signal.raise_signal, signal.SIGINT)
            await asyncio.sleep(10)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(run())
    assert remaining_in(emulator) == ()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_stopped_event_loop_cannot_delay_an_interrupt() -> None:
    """If the event loop does not run, Ctrl-C raises at once."""
    loop = asyncio.new_event_loop()
    waiting = loop.create_task(wait_inside())
    loop.run_until_complete(asyncio.sleep(0))
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    waiting.cancel()
    loop.run_until_complete(asyncio.wait([waiting]))
    loop.close()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_user_s_own_handlers_stay() -> None:
    """A handler of the user, another thread and trio keep their handling of Ctrl-C."""
    seen: list[Any] = []

    async def look() -> None:
        with interrupts_between_callbacks():
            seen.append(signal.getsignal(signal.SIGINT))

    def own(*_: object) -> None:
        """Handle Ctrl-C."""

    signal.signal(signal.SIGINT, own)
    try:
        asyncio.run(look())
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=lambda: asyncio.run(look()))
    thread.start()
    thread.join()
    assert seen == [own, signal.default_int_handler]
    trio.run(look)
    assert getattr(seen[-1], "__module__", "").startswith("trio")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_that_the_body_sets_stays() -> None:
    """A handler that is set during the wait is not replaced at its end."""

    def own(*_: object) -> None:
        """Handle Ctrl-C."""

    async def replace() -> None:
        with interrupts_between_callbacks():
            signal.signal(signal.SIGINT, own)

    try:
        asyncio.run(replace())
        assert signal.getsignal(signal.SIGINT) is own
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
