"""Emulators that refuse, lose and delay requests, and clients of them, for tests of conferences."""

import random
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple

import httpx
from anyio.lowlevel import checkpoint
from support.scripted import policy

from webrtc_async.client import AsyncWebRtcClient
from webrtc_async.emulator import Emulator, EmulatorTransport

ACCOUNT = "9900000"


class Request(NamedTuple):
    """A request by its method and its path below the account."""

    method: str
    path: str


class FaultyTransport(EmulatorTransport):
    """A transport to an emulator that can refuse requests and lose responses.

    Attributes:
        refuse: Returns the status with which to refuse a request, or None to let it through.
        lose: Returns True to lose the response to a request.
        garble: Returns True to make the response to a request unreadable.
        pauses: Returns the number of checkpoints before and after a request is carried out.
        hold: Awaited with each request before it is carried out.
    """

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator)
        self.refuse: Callable[[Request], int | None] = lambda _: None
        self.lose: Callable[[Request], bool] = lambda _: False
        self.garble: Callable[[Request], bool] = lambda _: False
        self.pauses: Callable[[], int] = lambda: 0
        self.hold: Callable[[Request], Awaitable[None]] | None = None
        self.requests: list[str] = []
        self.under_way = 0
        self.max_under_way = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        seen = Request(request.method, request.url.path.partition(ACCOUNT)[2])
        self.requests.append(f"{seen.method} {seen.path}")
        self.under_way += 1
        self.max_under_way = max(self.under_way, self.max_under_way)
        try:
            for _ in range(self.pauses()):
                await checkpoint()
            if self.hold is not None:
                await self.hold(seen)
            if (status := self.refuse(seen)) is not None:
                return httpx.Response(status)
            response = await super().handle_async_request(request)
            for _ in range(self.pauses()):
                await checkpoint()
        finally:
            self.under_way -= 1
        if self.lose(seen):
            raise httpx.ReadError("lost")
        if self.garble(seen):
            return httpx.Response(response.status_code, content=await response.aread() + b"]")
        return response


def service() -> tuple[Emulator, FaultyTransport]:
    """Return an emulator and a transport to it."""
    emulator = Emulator(seed=1)
    return emulator, FaultyTransport(emulator)


def client_over(transport: EmulatorTransport, **settings: Any) -> AsyncWebRtcClient:
    """Return a client over a transport; it does not pause between attempts."""
    return AsyncWebRtcClient(
        ACCOUNT, auth=("user", "password"), transport=transport, **{"retry": policy(), **settings}
    )


def remaining_in(emulator: Emulator) -> tuple[str, ...]:
    """Return the ids of everything that exists."""
    return (*emulator.session_ids(ACCOUNT), *emulator.participant_ids(ACCOUNT))


def random_pauses(source: random.Random, limit: int = 4) -> Callable[[], int]:
    """Return a function for `pauses` that returns random numbers below a limit."""
    return lambda: source.randrange(limit)


def without_ids(requests: Iterable[str]) -> list[str]:
    """Return requests with `*` in place of the ids."""
    return [
        "/".join("*" if len(part) == 36 else part for part in request.split("/"))
        for request in requests
    ]
