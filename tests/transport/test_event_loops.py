"""One client in many event loops: each loop's end closes its connections."""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any

import pytest
import trio
from anyio.from_thread import start_blocking_portal
from faults.matrix import TRANSPORTS, hook
from faults.scene import GOOD
from support.scripted import client_of, serving
from support.tls import client_side, server_side

from webrtc_async import AsyncWebRtcClient

Main = Callable[[], Coroutine[Any, Any, None]]
Runner = Callable[[Main], None]

LOOPS = 10


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def on_asyncio(main: Main) -> None:
    asyncio.run(main())


def on_trio(main: Main) -> None:
    trio.run(main)


def on_uvloop(main: Main) -> None:
    uvloop = pytest.importorskip("uvloop")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def in_a_loop_that_is_only_closed(main: Main) -> None:
    """Run like the programs from before `asyncio.run`, which shut nothing down."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    loop.close()


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=["http", "https"])
def client(request: pytest.FixtureRequest, transport: str) -> Iterator[AsyncWebRtcClient]:
    """A client of a server in another thread, over each transport."""
    tls = server_side("127.0.0.1") if request.param == "https" else None
    started = partial(serving, GOOD, tls=tls, keeps_alive=True)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(started()) as server:
        client = AsyncWebRtcClient(
            "9900000",
            auth=("user", "password"),
            base_url=server.url(request.param),
            ssl_context=client_side(),
            **TRANSPORTS[transport],
        )
        yield hook(client, transport)
        asyncio.run(client.aclose())


def growth_over(client: AsyncWebRtcClient, runners: Iterator[Runner]) -> int:
    """Return by how many descriptors the process grows when a client is used by each runner."""

    async def call() -> None:
        assert (await client.get_session("s-1")).id == "s-1"

    for _ in range(2):  # what is opened once is open now
        next(runners)(call)
    before = descriptors()
    for _ in range(LOOPS):
        next(runners)(call)
    # The server's side of the last connections closes in another thread.
    ends = time.monotonic() + 2
    while descriptors() > before and time.monotonic() < ends:
        time.sleep(0.01)
    return descriptors() - before


def forever(*runners: Runner) -> Iterator[Runner]:
    while True:
        yield from runners


@pytest.mark.parametrize("run", [on_asyncio, on_uvloop, on_trio])
def test_many_event_loops_hold_no_descriptor(client, run) -> None:
    """A client that is used in one event loop after another leaves nothing open in any."""
    assert growth_over(client, forever(run)) <= 0


# asyncio warns of each transport that is open in a loop that was only closed.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_event_loops_that_are_only_closed_hold_no_descriptor(client) -> None:
    """The same holds if an event loop was closed without closing its asynchronous generators."""
    assert growth_over(client, forever(in_a_loop_that_is_only_closed)) <= 2


def test_an_event_loop_that_knows_no_asynchronous_generators() -> None:
    """A client works in an event loop that does not ask for them; aclose() closes its pool."""

    async def call() -> None:
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(None, None)
        async with client_of(transport=None, base_url=server.url()) as client:
            assert (await client.get_session("s-1")).id == "s-1"
        sys.set_asyncgen_hooks(*hooks)

    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving(GOOD, keeps_alive=True)) as server,
    ):
        asyncio.run(call())


def test_event_loops_that_take_turns_hold_no_descriptor(client) -> None:
    """A client that two event loops use in turn leaves nothing open in the one that is stopped."""
    with asyncio.Runner() as one, asyncio.Runner() as other:
        turns = forever(lambda main: one.run(main()), lambda main: other.run(main()))
        assert growth_over(client, turns) <= 2
