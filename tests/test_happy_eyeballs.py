"""Connecting to a host of several addresses, and what is left when that is cut off."""

import asyncio
import contextlib
import gc
import os
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from webrtc_async.transport import happy_eyeballs
from webrtc_async.transport.happy_eyeballs import connected_socket

Place = tuple[Any, ...]


class Named(asyncio.SelectorEventLoop):
    """An event loop that looks every name up in a list of addresses, without a thread."""

    def __init__(self, *places: Place) -> None:
        super().__init__()
        self.places = places

    async def getaddrinfo(self, *_: Any, **__: Any) -> list[Any]:
        stream = socket.SOCK_STREAM, socket.IPPROTO_TCP, ""
        return [
            (socket.AF_INET6 if ":" in place[0] else socket.AF_INET, *stream, place)
            for place in self.places
        ]


def run(work: Callable[[], Coroutine[Any, Any, Any]], *places: Place) -> Any:
    """Run work in an event loop in which every host has these addresses."""
    with asyncio.Runner(loop_factory=lambda: Named(*places)) as runner:
        return runner.run(work())


async def connect(next_after: float = 60) -> Place:
    """Connect to a host, and return the address that it turned out to be."""
    with await connected_socket("api.example", 443, next_after=next_after) as connected:
        return connected.getpeername()


@pytest.fixture
def listening() -> Iterator[Place]:
    """Give an address where connections are taken."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()


@pytest.fixture
def refusing() -> Iterator[Place]:
    """Give an address where connections are refused."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()


@pytest.fixture
def silent() -> Iterator[Place]:
    """Give an address where connecting never ends."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        yield full.getsockname()


def test_a_refused_address_is_followed_by_the_next(refusing: Place, listening: Place) -> None:
    """Where one address refuses, the next one serves."""
    assert run(connect, refusing, listening) == listening


def test_a_silent_address_keeps_nobody_waiting(silent: Place, listening: Place) -> None:
    """Where one address says nothing, the next one is tried soon, and serves."""

    assert run(lambda: connect(0.01), silent, listening) == listening


def test_the_first_of_two_that_answer_serves(listening: Place) -> None:
    """A later address is not even tried where an earlier one serves."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.setblocking(False)
        assert run(connect, listening, other.getsockname()) == listening
        with pytest.raises(BlockingIOError):
            other.accept()


def test_families_take_turns(silent: Place, refusing: Place, listening: Place) -> None:
    """After an address of one family comes one of the other, as far as there are any."""

    def info(host: str) -> Any:
        return socket.AF_INET6 if ":" in host else socket.AF_INET, 0, 0, "", (host, 443)

    hosts = ("::1", "::2", "::3", "10.0.0.1")
    given = happy_eyeballs._alternating(map(info, hosts))
    assert [each[4][0] for each in given] == ["::1", "10.0.0.1", "::2", "::3"]


def test_a_family_without_support_is_passed_over(listening: Place) -> None:
    """An address that no socket can be made for is one that refuses."""

    class Odd(Named):
        async def getaddrinfo(self, *_: Any, **__: Any) -> list[Any]:
            odd = (999, socket.SOCK_STREAM, 0, "", ("x",))
            return [odd, *await super().getaddrinfo()]

    with asyncio.Runner(loop_factory=lambda: Odd(listening)) as runner:
        assert runner.run(connect()) == listening


def test_every_address_that_refused_is_told(refusing: Place) -> None:
    """Where all refuse, the error says so, each reason once."""
    with pytest.raises(OSError, match=f"{refusing[1]}") as caught:
        run(connect, refusing, refusing)
    assert str(caught.value).count("refused") <= 1


def test_a_host_without_an_address() -> None:
    """A name that resolves to nothing is an error, too."""
    with pytest.raises(OSError, match="no address"):
        run(connect)


@pytest.mark.parametrize("turns", range(14))
@pytest.mark.parametrize("kinds", ["listening", "refusing listening", "silent listening"])
def test_no_turn_of_the_loop_loses_a_socket(
    kinds: str, turns: int, request: pytest.FixtureRequest
) -> None:
    """Cancelled at any turn of the event loop, a connect leaves no descriptor and no task."""
    places = [request.getfixturevalue(kind) for kind in kinds.split()]

    async def cut_off() -> None:
        before = os.listdir("/proc/self/fd")
        task = asyncio.ensure_future(connect(0))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        for _ in range(3):
            await asyncio.sleep(0)
        assert os.listdir("/proc/self/fd") == before
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(cut_off, *places)
    gc.collect()  # a socket that was lost would warn now
