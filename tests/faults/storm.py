"""Storms: calls cancelled at every await, and a service that is down for all callers.

python -m faults.storm [calls] [transport ...]
"""

import asyncio
import itertools
import logging
import random
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from anyio.lowlevel import checkpoint
from attrs import define
from support.scripted import Behaviour, SocketServer, serving
from support.tls import server_side

from webrtc_async import AsyncWebRtcClient, RetryPolicy, WebRtcError

from .behaviours import answered
from .matrix import BACKENDS, TRANSPORTS, hook
from .scene import GOOD, trusting
from .sinks import bind_to_loop, left_open

Cut = Callable[[Callable[[], Awaitable[Any]], random.Random], Awaitable[None]]

POOL = 10
WIDTH = 60
LONGEST = 0.12
"""Seconds until the last call of a storm is cancelled; most are cancelled much earlier."""


def client_of(server: SocketServer, transport: str, **settings: Any) -> AsyncWebRtcClient:
    """Return a client over one of the transports."""
    client = AsyncWebRtcClient(
        "9900000",
        auth=("user", "password"),
        base_url=server.url(),
        ssl_context=trusting(),
        **TRANSPORTS[transport],
        **{"max_connections": POOL, **settings},
    )
    return hook(client, transport)


async def by_scope(call: Callable[[], Awaitable[Any]], chance: random.Random) -> None:
    """Cancel a call by a cancel scope after a random time."""
    with anyio.move_on_after(chance.random() ** 2 * LONGEST):
        await call()


async def by_step(call: Callable[[], Awaitable[Any]], chance: random.Random) -> None:
    """Cancel a call by a cancel scope after a random number of loop turns."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        for _ in range(chance.randrange(1, 80)):
            await checkpoint()
        tasks.cancel_scope.cancel()


def by_cancelling(times: int) -> Cut:
    """Cancel a call's asyncio task one or more times in turn."""

    async def cut(call: Callable[[], Awaitable[Any]], chance: random.Random) -> None:
        task = asyncio.ensure_future(call())
        for _ in range(chance.randrange(1, 80)):
            await asyncio.sleep(0)
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error

    return cut


async def by_timeout(call: Callable[[], Awaitable[Any]], chance: random.Random) -> None:
    """Cancel a call by asyncio.timeout after a random time."""
    try:
        async with asyncio.timeout(chance.random() ** 2 * LONGEST):
            await call()
    except TimeoutError as error:
        if isinstance(error, WebRtcError):
            raise


WAYS: dict[str, dict[str, Cut]] = {
    "asyncio": {
        "scope": by_scope,
        "step": by_step,
        "cancel": by_cancelling(1),
        "cancel twice": by_cancelling(2),
        "timeout": by_timeout,
    },
    "trio": {"scope": by_scope, "step": by_step},
}

RARELY = ("httpx", "asyncio", "cancel")
"""A storm that loses connections like those in CANNOT, if a cancellation meets httpcore's own
closing: a hundred calls rarely show it, two thousand do."""

CANNOT: dict[tuple[str, str, str], str] = {
    ("httpx", "asyncio", "cancel twice"): (
        "httpcore 1.0.9 closes a cancelled connection inside a shielded anyio scope, which a "
        "second task.cancel() one turn of the loop later goes through: the pool keeps the place "
        "for good. httpx2's pool does not."
    )
}
"""Storms after which a library's pool is lost, with the reproduction."""


@define
class Cancelled:
    """The result of a storm of cancellations."""

    calls: int = 0
    completed: int = 0
    later: int = 0
    later_failed: int = 0


SCHEMES: dict[str, Callable[[], ssl.SSLContext | None]] = {
    "http": lambda: None,
    "https": lambda: server_side("127.0.0.1"),
}
"""The TLS settings of a server, by the scheme of its URL."""

PLACES = [
    (scheme, transport)
    for scheme in SCHEMES
    for transport in TRANSPORTS
    # The start_tls of httpcore 1.0.9 and of httpx2's copy closes its socket after an error, and
    # not after a cancellation: cancel a call during its handshake, and the socket stays open.
    if scheme == "http" or transport in ("direct", "send")
]
"""Where cancellations leave nothing open."""


async def cancel_many(calls: int, scheme: str, transport: str, cut: Cut) -> Cancelled:
    """Cancel calls in one way, and check after each hundred that others succeed.

    The same random numbers in every run decide everything except the timing of the machine.
    """
    chance, found = random.Random(0), Cancelled()
    before = left_open()

    async def answer(stream: Any, request: bytes) -> None:
        await anyio.sleep(chance.random() * 0.004)
        await GOOD(stream, request)

    async with serving(answer, tls=SCHEMES[scheme](), keeps_alive=True) as server:
        async with client_of(server, transport, deadline=30) as client:
            gate = anyio.Semaphore(WIDTH)

            async def one(number: int) -> None:
                async def call() -> None:
                    if number % 2:
                        await client.create_session()
                    else:
                        await client.get_session("s-1")
                    found.completed += 1

                async with gate:
                    found.calls += 1
                    await cut(call, chance)

            async def health() -> None:
                found.later += 1
                try:
                    await client.with_options(deadline=5).get_session("s-1")
                except WebRtcError:
                    found.later_failed += 1

            for start in range(0, calls, 100):
                async with anyio.create_task_group() as tasks:
                    for number in range(start, min(start + 100, calls)):
                        tasks.start_soon(one, number)
                server.requests.clear()
                async with anyio.create_task_group() as tasks:
                    for _ in range(POOL):
                        tasks.start_soon(health)
    left = await bind_to_loop(before)
    assert left <= before, f"left open: {left}, before {before}"
    return found


@define
class Outage:
    """The result of an outage: calls offered, requests made, and the time to recover."""

    callers: int
    offered: int = 0
    requests: int = 0
    recovered_after: float = 0.0
    failed_later: int = 0

    @property
    def amplification(self) -> float:
        """Requests per offered call."""
        return self.requests / max(self.offered, 1)


async def go_down(
    callers: int,
    seconds: float,
    scheme: str,
    transport: str,
    retry: RetryPolicy | None = None,
) -> Outage:
    """Have a service respond 503 to all callers for a time, and count their requests."""
    found = Outage(callers)
    state: dict[str, Behaviour] = {"now": answered(b"{}", status=b"503 Down")}

    async def answer(stream: Any, request: bytes) -> None:
        await state["now"](stream, request)

    async with serving(answer, tls=SCHEMES[scheme](), keeps_alive=True) as server:
        async with client_of(server, transport, max_connections=50, retry=retry) as client:
            is_down = True
            ended = 0.0

            async def caller(chance: random.Random) -> None:
                while True:
                    if is_down:
                        found.offered += 1
                    started_down = is_down
                    try:
                        await client.get_session("s-1")
                    except WebRtcError:
                        found.failed_later += not started_down
                    if not is_down and not started_down:
                        found.recovered_after = anyio.current_time() - ended
                        return
                    # A user's own loop: about one call a second from each caller.
                    await anyio.sleep(chance.random() * 2 if is_down else 0)

            async with anyio.create_task_group() as tasks:
                for number in range(callers):
                    tasks.start_soon(caller, random.Random(number))
                await anyio.sleep(seconds)
                found.requests = len(server.requests)
                is_down, ended = False, anyio.current_time()
                state["now"] = GOOD
    return found


def main() -> int:
    """Run the full storms, print a line for each, and return 1 if one fails."""
    # The server's log of each handshake that a cancellation ended.
    logging.getLogger("anyio.streams.tls").setLevel(logging.CRITICAL)
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 12_000
    transports = sys.argv[2:] or TRANSPORTS
    places = [place for place in PLACES if place[1] in transports]
    did_hold = [storm_of_cancelling(calls, *place) for place in places]
    did_hold += [storm_of_503(*place) for place in itertools.product(SCHEMES, transports)]
    return 0 if all(did_hold) else 1


def storm_of_cancelling(calls: int, scheme: str, transport: str) -> bool:
    did_hold = True
    for backend in BACKENDS[transport]:
        ways = WAYS[backend]
        for way, cut in ways.items():
            is_lost = (transport, backend, way) in CANNOT
            number = 200 if is_lost else calls // len(ways)
            started = time.monotonic()
            found = anyio.run(cancel_many, number, scheme, transport, cut, backend=backend)
            print(
                f"cancelled {scheme:5} {transport:7} {backend:7} {way:12} {found.calls:5} calls, "
                f"{found.completed} done before; {found.later - found.later_failed} of "
                f"{found.later} later calls succeeded; nothing left open; "
                f"{time.monotonic() - started:.0f} s{' (known: see CANNOT)' if is_lost else ''}",
                flush=True,
            )
            did_hold &= (transport, backend, way) == RARELY or (found.later_failed > 0) is is_lost
    return did_hold


def storm_of_503(scheme: str, transport: str, callers: int = 500, seconds: float = 15.0) -> bool:
    down = anyio.run(go_down, callers, seconds, scheme, transport)
    print(
        f"outage    {scheme:5} {transport:7} {down.callers} callers for {seconds:g} s, "
        f"{down.offered} calls, "
        f"{down.requests} requests: {down.amplification:.2f} for each; all served "
        f"{down.recovered_after:.2f} s after its end, {down.failed_later} later failures",
        flush=True,
    )
    return down.amplification <= 1.3 and down.recovered_after < 2


if __name__ == "__main__":
    sys.exit(main())
