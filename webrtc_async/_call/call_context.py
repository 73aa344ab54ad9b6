"""What all calls of a client, and of its views, go through."""

import anyio
from attrs import define, field

from webrtc_async._auth.schemes import Auth
from webrtc_async._call.retry_quota import RetryQuota
from webrtc_async._tasks.background_tasks import UNWINDING, BackgroundTasks
from webrtc_async._transport import Connections
from webrtc_async._transport.rate_limiter import RateLimiter


@define(kw_only=True, eq=False)
class CallContext:
    """What all calls of a client go through.

    Attributes:
        base_url: Where the service is.
        auth: The credentials; None leaves them to the user's own HTTP client.
        connections: Where requests are sent.
        background_tasks: Has the tasks that outlive a call.
        quota: What repetitions are paid from.
        rate_limiter: Says when each request may be sent; None for at once.
        create_grace: Seconds that a create is followed after its caller has gone; 0 for not at all.
    """

    base_url: str
    auth: Auth | None
    connections: Connections
    background_tasks: BackgroundTasks
    quota: RetryQuota
    rate_limiter: RateLimiter | None
    create_grace: float
    followed: int = field(default=0, init=False)

    @property
    def may_follow(self) -> bool:
        """Whether there is room to follow a create, which takes a place from other calls."""
        return self.create_grace > 0 and self.followed < self.connections.max_connections // 4

    async def aclose(self, grace: float) -> tuple[str, ...]:
        """Take no more calls, wait for those under way, end what is left, and close the pool.

        It is over within `grace` and `create_grace` and a second, whatever the calls, the work and
        the transport do.

        Args:
            grace: Seconds to wait; a cancelled scope around the caller lets it wait on.

        Returns:
            The names of the work that was given up; nothing for who is not the first to close.

        Raises:
            ConfigurationError: The connections are in use in another event loop.
            TransportError: The pool could not be closed in order.
        """
        self.connections.bind_to_loop(to_close=True)
        lifetime = self.connections.lifetime
        if not await lifetime.start_closing():
            return ()
        ends = anyio.current_time() + grace
        over = ends + self.create_grace + UNWINDING
        try:
            await lifetime.drain(grace)
            # A call that was just cut off may have left a create to follow.
            left = max(ends, min(anyio.current_time() + self.create_grace, over - UNWINDING))
            return await self.background_tasks.aclose(until=left, over=over)
        finally:
            lifetime.is_over = True
            try:
                await self.connections.aclose()
            finally:
                lifetime.finish()
