"""`CallContext`: the resources that all calls of a client share."""

import anyio
from attrs import define, field

from webrtc_async._auth.schemes import Auth
from webrtc_async._call.retry_quota import RetryQuota
from webrtc_async._config.validation import check_kind, check_seconds
from webrtc_async._tasks.background_tasks import UNWINDING, BackgroundTasks
from webrtc_async._tasks.interrupts import interrupts_between_callbacks
from webrtc_async._transport import Connections, OrphanedRequest
from webrtc_async._transport.rate_limiter import RateLimiter


@define(kw_only=True, eq=False)
class CallContext:
    """The resources that all calls of a client and its views share.

    Attributes:
        base_url: Base URL of the service.
        auth: The credentials; None leaves them to the user's own HTTP client.
        connections: Sends the requests.
        background_tasks: Runs the tasks that outlive a call.
        quota: Pays for repetitions.
        rate_limiter: Delays requests; None for no limit.
        create_grace: Seconds to follow a create whose caller was cancelled; 0 follows none.
        followed: Creates that are followed now.
    """

    base_url: str
    auth: Auth | None
    connections: Connections
    background_tasks: BackgroundTasks
    quota: RetryQuota
    rate_limiter: RateLimiter | None
    create_grace: float
    followed: set[OrphanedRequest] = field(factory=set[OrphanedRequest], init=False)

    def __attrs_post_init__(self) -> None:
        check_seconds("create_grace", self.create_grace, from_zero=True)
        check_kind("retry_quota", self.quota, RetryQuota)
        check_kind("rate_limiter", self.rate_limiter, RateLimiter)

    @property
    def may_follow(self) -> bool:
        """True if another create may be followed; each takes a slot from other calls."""
        return (
            self.create_grace > 0
            and len(self.followed) < self.connections.session.max_connections // 4
        )

    async def aclose(self, grace: float) -> None:
        """Refuse new calls, wait for the running ones, cancel the rest, and close the pool.

        It returns within `grace`, `create_grace` and one second, whatever calls, background tasks
        and the transport do.

        Args:
            grace: Seconds to wait for running calls, even if the caller is cancelled.

        Raises:
            TransportError: The pool could not be closed in order.
        """
        lifetime = self.connections.lifetime
        if not await lifetime.start_closing():
            return
        ends = anyio.current_time() + grace
        over = ends + self.create_grace + UNWINDING
        with interrupts_between_callbacks():
            try:
                await lifetime.drain(grace)
            finally:
                await self._close(ends, over)

    async def _close(self, ends: float, over: float) -> None:
        lifetime = self.connections.lifetime
        try:
            # A call that was just cancelled may have left a create to follow.
            left = max(ends, min(anyio.current_time() + self.create_grace, over - UNWINDING))
            await self.background_tasks.aclose(until=left, over=over)
        finally:
            lifetime.is_over = True
            try:
                await self.connections.aclose()
            finally:
                lifetime.finish()
