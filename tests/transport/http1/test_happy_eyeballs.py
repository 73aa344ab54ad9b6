"""Connecting to a host of several addresses, and what is left when that is cut off."""

import asyncio
import contextlib
import gc
import os
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from webrtc_async._transport.http1 import happy_eyeballs
from webrtc_async._transport.http1.happy_eyeballs import connected_socket

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


async def connect(next_after: float = 60, to: Place = ("api.example", 443)) -> Place:
    """Connect to a host, and return the address that it turned out to be."""
    with await connected_socket(to[0], to[1], next_after=next_after) as connected:
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


def test_an_address_is_not_looked_up(listening: Place) -> None:
    """A host that is an address already is connected to without asking for its addresses."""
    assert run(lambda: connect(to=listening)) == listening


def test_an_address_that_refuses_says_so(refusing: Place) -> None:
    """The error has the system's number and the address, as asyncio's own has."""

    async def by_asyncio() -> None:
        await asyncio.get_running_loop().create_connection(asyncio.Protocol, *refusing)

    with pytest.raises(ConnectionRefusedError) as known:
        asyncio.run(by_asyncio())
    with pytest.raises(ConnectionRefusedError) as caught:
        run(lambda: connect(to=refusing))
    assert (caught.value.errno, str(caught.value)) == (known.value.errno, str(known.value))


@pytest.mark.parametrize(
    ("host", "family"),
    [
        ("127.0.0.1", socket.AF_INET),
        ("::1", socket.AF_INET6),
        ("::ffff:10.0.0.1", socket.AF_INET6),
        ("fe80::1%eth0", None),
        ("127.1", None),
        ("api.example", None),
        ("", None),
    ],
)
def test_what_has_to_be_looked_up(host: str, family: socket.AddressFamily | None) -> None:
    """Names have to be, and what only a look-up makes an address of: a zone, a short form."""
    assert happy_eyeballs._family_of(host) == family


@pytest.mark.parametrize("turns", [None, *range(4)])
def test_a_socket_that_is_not_ready_yet_is_watched_until_it_is(turns: int | None) -> None:
    """Who waits for a connect far away goes on once it is settled, or leaves nothing watched."""

    async def watch() -> None:
        near, far = socket.socketpair()
        with near, far:
            near.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while near.send(bytes(65536)):
                    pass
            task = asyncio.ensure_future(happy_eyeballs._settled(near.fileno()))
            for _ in range(turns or 3):
                await asyncio.sleep(0)
            assert not task.done()
            far.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while far.recv(65536):
                    pass
            if turns is None:
                await task
            else:
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            assert not asyncio.get_running_loop().remove_writer(near.fileno())

    run(watch)


@pytest.mark.slow
@pytest.mark.parametrize("turns", range(14))
@pytest.mark.parametrize("kinds", ["silent", "listening", "refusing listening", "silent listening"])
@pytest.mark.parametrize("is_name", [True, False])
def test_no_turn_of_the_loop_loses_a_socket(
    kinds: str, turns: int, is_name: bool, request: pytest.FixtureRequest
) -> None:
    """Cancelled at any turn of the event loop, a connect leaves no descriptor and no task."""
    places = [request.getfixturevalue(kind) for kind in kinds.split()]
    to = ("api.example", 443) if is_name else places[0]

    async def cut_off() -> None:
        before = os.listdir("/proc/self/fd")
        task = asyncio.ensure_future(connect(0, to))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, ConnectionRefusedError):
            await task
        for _ in range(3):
            await asyncio.sleep(0)
        assert os.listdir("/proc/self/fd") == before
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(cut_off, *places)
    gc.collect()  # a socket that was lost would warn now


def test_a_silent_address_is_awaited_after_the_others_failed(
    silent: Place, refusing: Place
) -> None:
    """A refusal ends nothing while another address may still accept the connection."""

    async def connect_in_time() -> None:
        async with asyncio.timeout(0.1):
            await connect(0.01)

    with pytest.raises(TimeoutError):
        run(connect_in_time, silent, refusing)


def test_an_address_that_fails_at_once_says_so() -> None:
    """An error that the system reports without waiting has its number and the address."""
    with pytest.raises(OSError, match=r"255\.255\.255\.255"):
        run(lambda: connect(to=("255.255.255.255", 443)))


def test_a_wait_that_was_cancelled_in_the_same_turn_stays_cancelled() -> None:
    """A socket may become ready in the turn of the loop in which its waiter is cancelled."""

    async def settle_a_cancelled_wait() -> bool:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter.cancel()
        happy_eyeballs._settle(waiter)
        return waiter.cancelled()

    assert run(settle_a_cancelled_wait)
