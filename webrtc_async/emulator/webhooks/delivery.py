"""Delivery of webhooks: posted off the request path, repeated a few times, in order."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Final

import anyio
import httpx

from webrtc_async._version import __version__
from webrtc_async.emulator.webhooks.queue import Webhook, Webhooks

WAITS: Final = (0.5, 2.0)
"""Seconds before the second and the third attempt."""

TIMEOUT: Final = 5.0
"""Seconds that a receiver has for its whole answer."""

CONCURRENCY: Final = 8
"""Posts at a time."""

# inferred: nothing is public about repeats; these are what a receiver may recover from.
_WORTH_REPEATING: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)


class WebhookSender:
    """Posts the webhooks of an emulator.

    Those of one participant are posted one after the other; a webhook that is not delivered is
    given up after its last attempt, and the next one follows. Redirects are not followed, and
    answers are not looked at beyond their status.

    Args:
        webhooks: The emulator's.
        transport: An httpx transport that stays the caller's, such as `httpx.ASGITransport(app)`
            for a receiver in this process.
        waits: Seconds before each further attempt; as many as there are, and one, are made.
        timeout: Seconds that one attempt may take.
        concurrency: Posts at a time.
        sleep: What waits.
    """

    def __init__(
        self,
        webhooks: Webhooks,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        waits: Sequence[float] = WAITS,
        timeout: float = TIMEOUT,
        concurrency: int = CONCURRENCY,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._webhooks = webhooks
        self._transport = transport
        self._waits = tuple(waits)
        self._timeout = timeout
        self._concurrency = concurrency
        self._sleep = sleep

    async def deliver(self) -> None:
        """Post all that waits and all that joins it meanwhile; return when nothing waits."""
        async with self._opened() as transport, anyio.create_task_group() as tasks:
            for _ in range(self._concurrency):
                tasks.start_soon(self._work, transport)

    async def deliver_forever(self) -> None:
        """Post whatever comes, from whatever thread, until cancelled."""
        bell = _Bell()
        async with self._opened() as transport, anyio.create_task_group() as tasks:
            with self._webhooks.ringing(bell.ring):
                for _ in range(self._concurrency):
                    tasks.start_soon(self._work_forever, transport, bell)
                await anyio.sleep_forever()

    async def _work(self, transport: httpx.AsyncBaseTransport) -> None:
        # None may be had while the same participant's last one is under way: whoever has that
        # one takes the next as well.
        while (webhook := self._webhooks.take()) is not None:
            await self._settle(webhook, transport)

    async def _work_forever(self, transport: httpx.AsyncBaseTransport, bell: "_Bell") -> None:
        while True:
            # Asked for before looking, so that no ring between the two is missed.
            rung = bell.next_ring()
            await self._work(transport)
            await rung.wait()

    async def _settle(self, webhook: Webhook, transport: httpx.AsyncBaseTransport) -> None:
        try:
            for wait in (*self._waits, None):
                status, error = await self._post(webhook, transport)
                self._webhooks.note_attempt(webhook, status=status, error=error)
                if wait is None or error is None or not _is_worth_repeating(status):
                    break
                await self._sleep(wait)
        except BaseException:
            # Cancelled: whoever delivers next begins with this one.
            self._webhooks.give_back(webhook)
            raise
        self._webhooks.finish(webhook)

    async def _post(
        self, webhook: Webhook, transport: httpx.AsyncBaseTransport
    ) -> tuple[int | None, str | None]:
        try:
            with anyio.fail_after(self._timeout):
                status = await _status_of(webhook, transport)
        except TimeoutError:
            return None, f"no answer within {self._timeout:g} s"
        except httpx.ConnectError:
            return None, "no connection"
        except Exception as error:  # an application in process raises its own
            # Its text may quote the URL.
            return None, f"no answer: {type(error).__name__}"
        if 200 <= status < 300:
            return status, None
        if 300 <= status < 400:
            return status, f"answered {status}, and redirects are not followed"
        return status, f"answered {status}"

    @contextlib.asynccontextmanager
    async def _opened(self) -> AsyncGenerator[httpx.AsyncBaseTransport]:
        if self._transport is not None:
            yield self._transport
            return
        # As many connections as posts: httpx's pool is at its worst where requests queue.
        limits = httpx.Limits(max_connections=self._concurrency)
        # trust_env off, or a proxy of the environment would be told of the callback.
        async with httpx.AsyncHTTPTransport(trust_env=False, limits=limits) as transport:
            yield transport


@contextlib.asynccontextmanager
async def delivering(webhooks: Webhooks) -> AsyncGenerator[None]:
    """Deliver in the background for as long as the context lasts.

    Args:
        webhooks: The emulator's; what is not delivered at the end waits on.
    """
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(WebhookSender(webhooks).deliver_forever)
        yield
        tasks.cancel_scope.cancel()


class _Bell:
    """Wakes tasks of the event loop that it was made in, from any thread."""

    def __init__(self) -> None:
        self._call_in_loop = _call_in_this_loop()
        self._next_ring = anyio.Event()

    def next_ring(self) -> anyio.Event:
        return self._next_ring

    def ring(self) -> None:
        self._call_in_loop(self._wake)

    def _wake(self) -> None:
        rung, self._next_ring = self._next_ring, anyio.Event()
        rung.set()


def _call_in_this_loop() -> Callable[[Callable[[], object]], object]:
    try:
        return asyncio.get_running_loop().call_soon_threadsafe
    except RuntimeError:
        import trio  # noqa: PLC0415  # not a requirement: it is there where it runs this

        return trio.lowlevel.current_trio_token().run_sync_soon


def _is_worth_repeating(status: int | None) -> bool:
    return status is None or status >= 500 or status in _WORTH_REPEATING


async def _status_of(webhook: Webhook, transport: httpx.AsyncBaseTransport) -> int:
    """Post through the transport itself: no redirects, cookies, proxies or netrc."""
    request = httpx.Request(
        "POST",
        webhook.url,
        headers={
            "content-type": "application/json",
            "user-agent": f"webrtc-async-emulator/{__version__}",
        },
        content=webhook.content,
    )
    response = await transport.handle_async_request(request)
    # Unread, because nothing is said in it: the connection goes, and an endless body with it.
    await response.aclose()
    return response.status_code
