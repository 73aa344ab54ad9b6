"""Connect to a host with several addresses, and clean up after a cancellation."""

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
    """An event loop that resolves every name to a list of addresses, without a thread."""

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
    """Connect to a host, and return the address of the connection."""
    with await connected_socket(to[0], to[1], next_after=next_after) as connected:
        return connected.getpeername()


@pytest.fixture
def listening() -> Iterator[Place]:
    """Yield an address that accepts connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()


@pytest.fixture
def refusing() -> Iterator[Place]:
    """Yield an address that refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()


@pytest.fixture
def silent() -> Iterator[Place]:
    """Yield an address at which a connect never finishes."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        yield full.getsockname()


def test_a_refused_address_is_followed_by_the_next(refusing: Place, listening: Place) -> None:
    """If one address refuses, the connect tries the next one."""
    assert run(connect, refusing, listening) == listening


def test_a_silent_address_does_not_block_the_next(silent: Place, listening: Place) -> None:
    """If one address does not respond, the next one is tried soon, and connects."""

    assert run(lambda: connect(0.01), silent, listening) == listening


def test_the_first_address_that_accepts_is_used(listening: Place) -> None:
    """A later address is not tried if an earlier one accepts."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.setblocking(False)
        assert run(connect, listening, other.getsockname()) == listening
        with pytest.raises(BlockingIOError):
            other.accept()


def test_address_families_alternate(silent: Place, refusing: Place, listening: Place) -> None:
    """IPv4 and IPv6 addresses alternate as long as both remain."""

    def info(host: str) -> Any:
        return socket.AF_INET6 if ":" in host else socket.AF_INET, 0, 0, "", (host, 443)

    hosts = ("::1", "::2", "::3", "10.0.0.1")
    given = happy_eyeballs._alternating(map(info, hosts))
    assert [each[4][0] for each in given] == ["::1", "10.0.0.1", "::2", "::3"]


def test_an_unsupported_family_is_skipped(listening: Place) -> None:
    """An address for which no socket can be made counts as refused."""

    class Odd(Named):
        async def getaddrinfo(self, *_: Any, **__: Any) -> list[Any]:
            odd = (999, socket.SOCK_STREAM, 0, "", ("x",))
            return [odd, *await super().getaddrinfo()]

    with asyncio.Runner(loop_factory=lambda: Odd(listening)) as runner:
        assert runner.run(connect()) == listening


def test_the_error_lists_every_refusal(refusing: Place) -> None:
    """If all addresses refuse, the error lists each reason once."""
    with pytest.raises(OSError, match=f"{refusing[1]}") as caught:
        run(connect, refusing, refusing)
    assert str(caught.value).count("refused") <= 1


def test_a_host_without_an_address() -> None:
    """A name that resolves to no address raises an error."""
    with pytest.raises(OSError, match="no address"):
        run(connect)


def test_an_address_is_not_looked_up(listening: Place) -> None:
    """A connect to an IP address makes no DNS lookup."""
    assert run(lambda: connect(to=listening)) == listening


def test_a_refused_address_has_its_errno(refusing: Place) -> None:
    """The error has the system's errno and the address, like asyncio's own error."""

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
def test_which_hosts_need_a_lookup(host: str, family: socket.AddressFamily | None) -> None:
    """Names, scoped addresses and short forms need a DNS lookup."""
    assert happy_eyeballs._family_of(host) == family


@pytest.mark.parametrize("turns", [None, *range(4)])
def test_a_pending_connect_is_watched_until_it_ends(turns: int | None) -> None:
    """A pending connect continues once the socket is ready, or leaves no watched socket."""

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
    """A connect cancelled at any turn of the event loop leaves no descriptor and no task."""
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
