"""A connected socket to a host: each of its addresses, the next one soon after (RFC 8305).

asyncio has the same race, and loses a socket that connects in the turn in which it is cancelled.
Here every socket has a holder at every moment.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, zip_longest
from typing import Any, Final

NEXT_ADDRESS: Final = 0.25
"""Seconds after which a host's next address is tried as well (RFC 8305, section 5)."""

_Info = tuple[int, int, int, str, Any]
"""What getaddrinfo tells of an address: family, type, protocol, canonical name, address."""


async def connected_socket(
    host: str, port: int, *, next_after: float = NEXT_ADDRESS
) -> socket.socket:
    """Return a socket that is connected to the first address of a host to answer.

    Args:
        host: Its name.
        port: Where to connect to.
        next_after: Seconds that an address has for itself.

    Raises:
        OSError: It has no address, or none could be connected to.
    """
    loop = asyncio.get_running_loop()
    infos = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    untried, problems = deque(_alternating(infos)), list[str]()
    trying: dict[asyncio.Task[None], socket.socket] = {}
    try:
        while untried or trying:
            if untried:
                family, kind, protocol, _, address = untried.popleft()
                try:
                    attempt = socket.socket(family, kind, protocol)
                except OSError as error:  # a family without support, or no descriptor left
                    problems.append(str(error))
                    continue
                attempt.setblocking(False)
                trying[loop.create_task(loop.sock_connect(attempt, address))] = attempt
            longest = next_after if untried else None
            done, _ = await asyncio.wait(
                trying, timeout=longest, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                if (problem := task.exception()) is None:
                    return trying.pop(task)
                trying.pop(task).close()
                problems.append(str(problem))
    finally:
        for task, attempt in trying.items():
            # Not before: the loop still watches its descriptor, which another may be given.
            task.add_done_callback(partial(_close, attempt))
            task.cancel()
    raise OSError("; ".join(dict.fromkeys(problems)) or "the host has no address")


def _close(attempt: socket.socket, task: asyncio.Task[None]) -> None:
    attempt.close()
    if not task.cancelled():
        task.exception()  # or asyncio would log that nobody had asked for it


def _alternating(infos: Iterable[_Info]) -> Iterator[_Info]:
    """Give addresses with their families in turns (RFC 8305, section 4)."""
    families: dict[int, list[_Info]] = {}
    for info in infos:
        families.setdefault(info[0], []).append(info)
    return (info for info in chain(*zip_longest(*families.values())) if info is not None)
