"""What the tests of conferences share: emulators that lose, refuse and dawdle, and clients."""

import random
from collections.abc import Callable, Iterable
from typing import Any

import httpx
from anyio.lowlevel import checkpoint
from support.scripted import policy

from webrtc_async.client import AsyncWebRtcClient
from webrtc_async.emulator import Emulator, EmulatorTransport

ACCOUNT = "9900000"


class FaultyTransport(EmulatorTransport):
    """An emulator whose answers can be refused before, or lost after, it has acted.

    Attributes:
        refuse: Tells of a request, by method and path, which status it is refused with, if any.
        lose: Tells whether the answer to a request is lost.
        garble: Tells whether the answer to a request is of no use.
        pauses: Returns how often a request gives way before and after it is acted upon.
        hold: Awaited with each request before it is acted upon.
    """

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator)
        self.refuse: Callable[[str, str], int | None] = lambda method, path: None
        self.lose: Callable[[str, str], bool] = lambda method, path: False
        self.garble: Callable[[str, str], bool] = lambda method, path: False
        self.pauses: Callable[[], int] = lambda: 0
        self.hold: Any = None
        self.requests: list[str] = []
        self.under_way = 0
        self.most_under_way = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        method, path = request.method, request.url.path.partition(ACCOUNT)[2]
        self.requests.append(f"{method} {path}")
        self.under_way += 1
        self.most_under_way = max(self.under_way, self.most_under_way)
        try:
            for _ in range(self.pauses()):
                await checkpoint()
            if self.hold is not None:
                await self.hold(method, path)
            if (status := self.refuse(method, path)) is not None:
                return httpx.Response(status)
            answer = await super().handle_async_request(request)
            for _ in range(self.pauses()):
                await checkpoint()
        finally:
            self.under_way -= 1
        if self.lose(method, path):
            raise httpx.ReadError("lost")
        if self.garble(method, path):
            return httpx.Response(answer.status_code, content=await answer.aread() + b"]")
        return answer


def service() -> tuple[Emulator, FaultyTransport]:
    """Return an emulator and a transport to it."""
    emulator = Emulator(seed=1)
    return emulator, FaultyTransport(emulator)


def client_over(transport: EmulatorTransport, **settings: Any) -> AsyncWebRtcClient:
    """Return a client over a transport, which does not wait between its attempts."""
    return AsyncWebRtcClient(
        ACCOUNT, auth=("user", "password"), transport=transport, **{"retry": policy(), **settings}
    )


def left_in(emulator: Emulator) -> tuple[str, ...]:
    """Return the ids of all that exists."""
    return (*emulator.session_ids(ACCOUNT), *emulator.participant_ids(ACCOUNT))


def dawdling(source: random.Random, most: int = 4) -> Callable[[], int]:
    """Return a random number of pauses, 0 to one below the most."""
    return lambda: source.randrange(most)


def kinds(requests: Iterable[str]) -> list[str]:
    """Return requests without the ids in them."""
    return [
        "/".join("*" if len(part) == 36 else part for part in request.split("/"))
        for request in requests
    ]
