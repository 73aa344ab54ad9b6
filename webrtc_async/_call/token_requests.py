"""`TokenRequests`: the requests that the credentials of a call make."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from attrs import define, evolve, field

from webrtc_async._call.call_context import CallContext
from webrtc_async._call.retry_policy import RetryPolicy
from webrtc_async._config.environment import TOKEN_URL
from webrtc_async._protocol.route import Idempotency
from webrtc_async._protocol.wire import WireRequest, WireResponse, with_headers
from webrtc_async._transport.attempt_state import AttemptState
from webrtc_async.errors import WebRtcError

TokenT = TypeVar("TokenT")


@define(eq=False)
class TokenRequests:
    """Sends and repeats the token requests of one call, by its policy and within its deadline.

    Attributes:
        operation: The API's name of the call's operation.
        user_agent: The User-Agent of the call.
        context: The resources that all calls of the client share.
        policy: Says which failures are repeated, and how often.
        timeout: Seconds for one request; None if only the deadline ends it.
        time_left: Returns the seconds until the call's deadline.
        repeats: The number of token requests that this call has repeated.
        failure: The last failed token request that this call repeats.
    """

    operation: str
    user_agent: str
    context: CallContext
    policy: RetryPolicy
    timeout: float | None
    time_left: Callable[[], float]
    repeats: int = field(default=0, init=False)
    failure: WebRtcError | None = field(default=None, init=False)

    async def __call__(self, request: WireRequest) -> WireResponse:
        """Send a token request once."""
        # A separate state, because a token request sends nothing of the call.
        state = AttemptState(self.operation)
        headers = {"User-Agent": self.user_agent, **request.headers}
        if request.target == TOKEN_URL:  # the credentials name no other
            request = evolve(request, target=self.context.connections.session.token_url)
        return await self.context.connections.exchange(
            with_headers(request, headers),
            state,
            attempt_timeout=self.timeout,
            connect_timeout=self.timeout,
        )

    async def repeat(
        self, fetch: Callable[[], Awaitable[TokenT]], failure: WebRtcError, failures: int
    ) -> TokenT:
        """Repeat a token request that has failed, for all calls that wait for its token.

        Args:
            fetch: Makes one token request.
            failure: The last failure; another call may have made the request.
            failures: The number of requests that have failed while this call waited.

        Raises:
            WebRtcError: The last failure, if it is not repeated any more.
        """

        async def fetch_again() -> TokenT:
            self.repeats += 1
            return await fetch()

        self.failure = failure
        try:
            left = self.policy.attempts - failures
            if left <= 0 or not self.policy.may_repeat(Idempotency.SAFE, failure):
                raise failure
            # Loads tenacity, which most programs never need.
            from webrtc_async._call.retry import retry  # noqa: PLC0415

            return await retry(
                fetch_again,
                failure,
                policy=evolve(self.policy, attempts=left + 1),
                idempotency=Idempotency.SAFE,
                quota=self.context.quota,
                time_left=self.time_left,
            )
        except WebRtcError as error:
            error.ends_call = True
            raise
