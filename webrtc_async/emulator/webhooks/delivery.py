"""Delivery of webhooks: in the background, with a few retries, in order."""

import asyncio
import contextlib
import ssl
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
"""Seconds that a receiver has to respond."""

CONCURRENCY: Final = 8
"""Maximum number of simultaneous posts."""

# inferred: retries are not documented; a receiver can recover from these.
_RETRIED_STATUSES: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)


class WebhookSender:
    """A sender that posts the webhooks of an emulator.

    The webhooks of one participant are posted one after another; after the last failed attempt
    for one, the next follows. Redirects are not followed, and of a response only the status counts.

    Args:
        webhooks: The emulator's queue of webhooks.
        transport: An httpx transport, which the caller closes, such as `httpx.ASGITransport(app)`
            for a receiver in this process.
        waits: Seconds before each retry; their number is the number of retries.
        timeout: Seconds for one attempt.
        concurrency: Maximum number of simultaneous posts.
        sleep: Coroutine function that waits before a retry.
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
        """Post all waiting webhooks, including new ones; return when none is waiting."""
        async with self._opened() as transport, anyio.create_task_group() as tasks:
            for _ in range(self._concurrency):
                tasks.start_soon(self._work, transport)

    async def deliver_forever(self) -> None:
        """Post webhooks that any thread queues, until cancelled."""
        signal = _Signal()
        async with self._opened() as transport, anyio.create_task_group() as tasks:
            with self._webhooks.notifying(signal.set):
                for _ in range(self._concurrency):
                    tasks.start_soon(self._work_forever, transport, signal)
                await anyio.sleep_forever()

    async def _work(self, transport: httpx.AsyncBaseTransport) -> None:
        # `take` holds back webhooks of a participant with a post in progress; the task of that
        # post takes the next one as well.
        while (webhook := self._webhooks.take()) is not None:
            await self._deliver_one(webhook, transport)

    async def _work_forever(self, transport: httpx.AsyncBaseTransport, signal: "_Signal") -> None:
        while True:
            # Before looking for work, so that no signal in between is missed.
            next_signal = signal.next()
            await self._work(transport)
            await next_signal.wait()

    async def _deliver_one(self, webhook: Webhook, transport: httpx.AsyncBaseTransport) -> None:
        try:
            for wait in (*self._waits, None):
                status, error = await self._post(webhook, transport)
                self._webhooks.note_attempt(webhook, status=status, error=error)
                if wait is None or error is None or not _is_retried(status):
                    break
                await self._sleep(wait)
        except BaseException:
            # Cancelled: the next delivery starts with this webhook.
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
            return None, f"no response within {self._timeout:g} s"
        except httpx.ConnectError:
            return None, "no connection"
        except Exception as error:  # noqa: BLE001  # a receiver in this process raises any error
            # Without the error's text, which can quote the URL.
            return None, f"no response: {type(error).__name__}"
        if 200 <= status < 300:
            return status, None
        if 300 <= status < 400:
            return status, f"status {status}: redirects are not followed"
        return status, f"status {status}"

    @contextlib.asynccontextmanager
    async def _opened(self) -> AsyncGenerator[httpx.AsyncBaseTransport]:
        if self._transport is not None:
            yield self._transport
            return
        # One connection for each post: httpx's pool is slowest when requests queue in it.
        limits = httpx.Limits(max_connections=self._concurrency)
        # A transport, unlike a client, takes no proxy from the environment.
        async with httpx.AsyncHTTPTransport(verify=_tls(), limits=limits) as transport:
            yield transport


@contextlib.asynccontextmanager
async def delivering(webhooks: Webhooks) -> AsyncGenerator[None]:
    """Deliver webhooks in the background until the context exits.

    Args:
        webhooks: The emulator's queue; undelivered webhooks stay in it.
    """
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(WebhookSender(webhooks).deliver_forever)
        yield
        tasks.cancel_scope.cancel()


class _Signal:
    """A repeatable event of the current event loop that any thread can set."""

    def __init__(self) -> None:
        self._call_in_loop = _call_in_this_loop()
        self._next = anyio.Event()

    def next(self) -> anyio.Event:
        return self._next

    def set(self) -> None:
        self._call_in_loop(self._wake)

    def _wake(self) -> None:
        current, self._next = self._next, anyio.Event()
        current.set()


def _call_in_this_loop() -> Callable[[Callable[[], object]], object]:
    try:
        return asyncio.get_running_loop().call_soon_threadsafe
    except RuntimeError:
        import trio  # noqa: PLC0415  # not a requirement; it is running this code

        return trio.lowlevel.current_trio_token().run_sync_soon


def _tls() -> ssl.SSLContext:
    """Return TLS settings with the environment's certificates, if they can be read."""
    try:
        return httpx.create_ssl_context()
    except OSError:  # most callbacks are plain HTTP on this machine
        return httpx.create_ssl_context(trust_env=False)


def _is_retried(status: int | None) -> bool:
    return status is None or status >= 500 or status in _RETRIED_STATUSES


async def _status_of(webhook: Webhook, transport: httpx.AsyncBaseTransport) -> int:
    """Post a webhook directly through the transport: no redirects, cookies, proxies or netrc."""
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
    # The body is not needed; closing the connection also ends an endless body.
    await response.aclose()
    return response.status_code
