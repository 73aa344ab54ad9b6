"""A connected socket to a host, by a race of its addresses (RFC 8305).

asyncio's own race leaks a socket that connects in the turn in which it is cancelled. Here some
code holds every socket at every moment.
"""

import asyncio
import select
import socket
from collections import deque
from collections.abc import Iterable, Iterator
from errno import EINPROGRESS, EINTR
from itertools import chain, zip_longest
from typing import Any, Final

from webrtc_async._transport.tcp_keep_alive import TCP_KEEP_ALIVE

NEXT_ADDRESS: Final = 0.25
"""Seconds after which the next address of a host is tried as well (RFC 8305, section 5)."""

_Info = tuple[int, int, int, str, Any]
"""A result of getaddrinfo: family, type, protocol, canonical name and address."""


async def connected_socket(
    host: str, port: int, *, next_after: float = NEXT_ADDRESS
) -> socket.socket:
    """Return a socket that is connected to the first address of a host that accepts.

    Raises:
        OSError: The host has no address, or all connections failed.
    """
    family = _family_of(host)
    if family is None:
        return await _first_connected(host, port, next_after)
    return await _connected(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, (host, port))


async def _first_connected(host: str, port: int, next_after: float) -> socket.socket:
    loop = asyncio.get_running_loop()
    infos = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    untried, problems = deque(_alternating(infos)), list[str]()
    trying = set[asyncio.Task[socket.socket]]()
    try:
        while untried or trying:
            if untried:
                family, kind, protocol, _, address = untried.popleft()
                trying.add(loop.create_task(_connected(family, kind, protocol, address)))
            pause = next_after if untried else None
            done, _ = await asyncio.wait(trying, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                trying.remove(task)
                if (problem := task.exception()) is None:
                    return task.result()
                problems.append(str(problem))
    finally:
        for task in trying:
            task.add_done_callback(_close)
            task.cancel()
    raise OSError("; ".join(dict.fromkeys(problems)) or "the host has no address")


async def _connected(family: int, kind: int, protocol: int, address: Any) -> socket.socket:
    attempt = socket.socket(family, kind, protocol)
    try:
        attempt.setblocking(False)
        for option in TCP_KEEP_ALIVE:
            attempt.setsockopt(*option)
        problem = attempt.connect_ex(address)
        if problem in (EINPROGRESS, EINTR):
            await _settled(attempt.fileno())
            problem = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    except BaseException:
        attempt.close()
        raise
    if problem:
        attempt.close()
        raise OSError(problem, f"Connect call failed {address}")
    return attempt


async def _settled(descriptor: int) -> None:
    """Wait until a connection was made or has failed."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    if poll.poll(0):
        # On the same machine it was made by now, which saves a turn of the event loop.
        return
    loop = asyncio.get_running_loop()
    settled = loop.create_future()
    loop.add_writer(descriptor, _settle, settled)
    try:
        await settled
    finally:
        # Before the socket is closed, because another one may then get its descriptor.
        loop.remove_writer(descriptor)


def _settle(settled: "asyncio.Future[None]") -> None:
    if not settled.done():
        settled.set_result(None)


def _close(attempt: "asyncio.Task[socket.socket]") -> None:
    # asyncio logs exceptions that nobody has asked for.
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()


def _family_of(host: str) -> socket.AddressFamily | None:
    """Return the family of an address, which needs no look-up; None for a name."""
    # An address with a zone index, such as fe80::1%eth0, has to be looked up.
    for family in () if "%" in host else (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return family
    return None


def _alternating(infos: Iterable[_Info]) -> Iterator[_Info]:
    """Return the addresses with their families alternating (RFC 8305, section 4)."""
    families: dict[int, list[_Info]] = {}
    for info in infos:
        families.setdefault(info[0], []).append(info)
    return (info for info in chain(*zip_longest(*families.values())) if info is not None)
