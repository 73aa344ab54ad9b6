"""`Call`: the attempts of one call, its deadline and its outcome."""

from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any, Final, Generic, TypeVar, cast

from attrs import define, field

from webrtc_async._auth.schemes import Auth
from webrtc_async._call.api_response import ApiResponse
from webrtc_async._call.call_context import CallContext
from webrtc_async._call.observer import Watch
from webrtc_async._call.retry_policy import RetryPolicy
from webrtc_async._config.validation import check_authorization
from webrtc_async._protocol.redaction import HiddenStr, public_headers
from webrtc_async._protocol.route import ACCOUNT, Idempotency, Route
from webrtc_async._protocol.wire import WireRequest, WireResponse, read_response, with_headers
from webrtc_async._transport import OnCallerCancelled
from webrtc_async._transport.attempt_state import YOUNG, AttemptState
from webrtc_async.errors import (
    ClientClosedError,
    DeadlineExceededError,
    UnknownOutcomeError,
    WebRtcError,
)
from webrtc_async.errors.outcome import Outcome, Stage
from webrtc_async.route_table import LIST_SESSION_PARTICIPANTS

ResultT = TypeVar("ResultT")

_UNAUTHORIZED: Final = HTTPStatus.UNAUTHORIZED.value


@define(eq=False)
class Call(Generic[ResultT]):
    """One call of an operation, from its first attempt to its result.

    Attributes:
        route: The operation.
        request: The request; each attempt sets its credentials.
        path_values: The ids in the path, with the account's.
        context: The resources that all calls of the client share.
        policy: Says which failures are repeated.
        deadline: Seconds for the whole call: queue, token, attempts, pauses and body.
        watch: Reports the call to its observers; None without observers.
        tag: The tag of the resource that a create asks for.
    """

    route: Route[Any, ResultT]
    request: WireRequest
    path_values: Mapping[str, object]
    context: CallContext
    policy: RetryPolicy
    deadline: float
    watch: Watch | None = None
    tag: str | None = None
    _state: AttemptState = field(init=False)
    _attempts: int = field(init=False)
    _worst: Outcome = field(init=False)
    _has_renewed: bool = field(init=False)
    _hit_stale_connection: bool = field(init=False)
    _failure: WebRtcError | None = field(init=False)
    _response: WireResponse | None = field(init=False)
    _started: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        # attrs would look up defaults one by one, in every call.
        self._state = state = AttemptState(self.route.operation)
        if self.route.creates:
            state.max_idle = YOUNG
        self._attempts, self._started, self._worst = 0, 0.0, Outcome.NOT_SENT
        self._has_renewed = self._hit_stale_connection = False
        self._failure = self._response = None

    def perform(self) -> Coroutine[Any, Any, ResultT]:
        """Make the call and return its result.

        Raises:
            WebRtcError: The failure that ended the call, with the outcome over all its attempts.
        """
        return self._perform() if self.watch is None else self._perform_watched(self.watch)

    def described(self, data: ResultT) -> ApiResponse[ResultT]:
        """Return the result of `perform` with the response's status and headers."""
        assert self._response is not None  # noqa: S101  # a result comes out of a response
        return ApiResponse(
            data=data,
            status=self._response.status,
            headers=public_headers(self._response.headers),
            request_id=self._response.request_id,
            attempts=self._attempts,
            elapsed=self.context.connections.bind_to_loop().now() - self._started,
        )

    async def _perform_watched(self, watch: Watch) -> ResultT:
        watch.start()
        try:
            result = await self._perform()
        except BaseException as error:
            outcome = max(self._worst, self._state.outcome)
            if isinstance(error, WebRtcError):
                outcome = error.outcome
            watch.end(attempts=self._attempts, outcome=outcome, error=error)
            raise
        watch.end(attempts=self._attempts, outcome=Outcome.ANSWERED, error=None)
        return result

    async def _perform(self) -> ResultT:
        clock = self.context.connections.bind_to_loop(self.route.operation)
        self._started = clock.now()
        ends = self._started + self.deadline
        lifetime = self.context.connections.lifetime
        try:
            with clock.until(ends) as scope:
                lifetime.begin(scope)
                try:
                    return await self._attempt_with_retries(lambda: ends - clock.now())
                finally:
                    lifetime.end(scope)
        except WebRtcError as error:
            self._complete(error)
            raise
        else:
            ended = self._ended_early(is_late=clock.now() >= ends)
            self._complete(ended)
            raise ended from self._failure

    async def _attempt_with_retries(self, time_left: Callable[[], float]) -> ResultT:
        try:
            result = await self._attempt()
        except WebRtcError as error:
            if not self.policy.may_repeat(self.route.idempotency, error):
                raise
            first_failure = error
        else:
            self.context.quota.give_back()
            return result
        # Loads tenacity, which most programs never need.
        from webrtc_async._call.retry import retry  # noqa: PLC0415

        return await retry(
            self._attempt,
            first_failure,
            policy=self.policy,
            idempotency=self.route.idempotency,
            quota=self.context.quota,
            time_left=time_left,
        )

    async def _attempt(self) -> ResultT:
        self._attempts += 1
        self._response = None
        try:
            if self.context.auth is not None:
                self.request.authorization = await self._authorization(self.context.auth)
            response = self._response = await self._exchange()
            if response.status == _UNAUTHORIZED and await self._is_renewed():
                self._attempts += 1
                response = self._response = await self._exchange()
            if self._worst is not Outcome.NOT_SENT and await self._was_done_before(response):
                return cast("ResultT", None)
            return read_response(self.route, response, authorization=self.request.authorization)
        except WebRtcError as error:
            await self._handle_failure(error, self._response)
            self._worst = max(self._worst, error.outcome)
            self._failure = error
            # The call pauses until the next attempt begins.
            self._state.begin(Stage.PAUSING)
            raise

    async def _authorization(self, auth: Auth) -> str:
        self._state.begin(Stage.AUTHENTICATING)
        given = await auth.authorization(self._send_for_auth)
        # The package's own credentials are hidden and checked already.
        return given if isinstance(given, HiddenStr) else HiddenStr(check_authorization(given))

    async def _is_renewed(self) -> bool:
        """Replace credentials that were rejected, once per call; return True if they differ."""
        auth, rejected = self.context.auth, self.request.authorization
        if auth is None or self._has_renewed or not auth.forget(rejected):
            return False
        self._has_renewed = True
        self.request.authorization = await self._authorization(auth)
        return self.request.authorization != rejected

    async def _exchange(self) -> WireResponse:
        try:
            return await self._send()
        except UnknownOutcomeError as error:
            if not self._may_send_again_at_once():
                raise
            self._worst = max(self._worst, error.outcome)
        self._attempts += 1
        return await self._send()

    def _send(self) -> Coroutine[Any, Any, WireResponse]:
        return self._send_by(self.request) if self.watch is None else self._send_watched(self.watch)

    async def _send_watched(self, watch: Watch) -> WireResponse:
        request = with_headers(self.request, watch.start_attempt(self._attempts))
        try:
            response = await self._send_by(request)
        except BaseException as error:
            watch.end_attempt(status=self._state.status, error=error)
            raise
        watch.end_attempt(status=response.status, request_id=response.request_id)
        return response

    def _send_by(self, request: WireRequest) -> Coroutine[Any, Any, WireResponse]:
        policy, deadline = self.policy, self.deadline
        return self.context.connections.exchange(
            request,
            self._state,
            attempt_timeout=policy.timeout_of_attempt(self.route, self._attempts, deadline),
            connect_timeout=policy.timeout_within(deadline),
            on_caller_cancelled=self._on_caller_cancelled(),
            rate_limiter=self.context.rate_limiter,
        )

    async def _send_for_auth(self, request: WireRequest) -> WireResponse:
        # A separate state, because a token request sends nothing of the call.
        state = AttemptState(self.route.operation)
        headers = {"User-Agent": self.request.headers["User-Agent"], **request.headers}
        timeout = self.policy.timeout_within(self.deadline)
        return await self.context.connections.exchange(
            with_headers(request, headers), state, attempt_timeout=timeout, connect_timeout=timeout
        )

    def _on_caller_cancelled(self) -> OnCallerCancelled | None:
        """Return the handler for a request whose caller was cancelled, if any."""

    async def _handle_failure(self, error: WebRtcError, response: WireResponse | None) -> None:
        """Act on a failed attempt, before the retry is decided."""

    def _may_send_again_at_once(self) -> bool:
        """Return True, once per call, if a kept connection was stale; the service did not fail."""
        if self._hit_stale_connection or self.policy.attempts == 1 or self.route.creates:
            return False
        self._hit_stale_connection = self._state.hit_stale_connection
        return self._hit_stale_connection

    def follow_up_call(
        self, route: Route[Any, Any], values: Mapping[str, object], deadline: float
    ) -> "Call[Any]":
        """Return another call that completes or undoes this one."""
        headers = {
            name: value for name, value in self.request.headers.items() if name != "Content-Type"
        }
        values = {ACCOUNT: self.path_values[ACCOUNT], **values}
        target, base_url = route.path.expand(values), self.context.base_url
        request = WireRequest(route.method, target, headers, base_url=base_url)
        return Call(route, request, values, self.context, self.policy, deadline)

    async def _was_done_before(self, response: WireResponse) -> bool:
        """Return True if an earlier attempt, whose response was lost, explains this refusal."""
        match self.route.idempotency, response.status:
            case Idempotency.ENSURE_GONE, HTTPStatus.NOT_FOUND:
                return True
            case Idempotency.ENSURE, HTTPStatus.CONFLICT:
                return await self._is_member()
            case _:
                return False

    async def _is_member(self) -> bool:
        values = {"session_id": self.path_values["session_id"]}
        listing = self.follow_up_call(LIST_SESSION_PARTICIPANTS, values, self.deadline)
        try:
            members = await listing.perform()
        except WebRtcError:
            return False
        if any(member.id == self.path_values["participant_id"] for member in members):
            return True
        self._worst = Outcome.ANSWERED  # the earlier attempt did not join
        return False

    def _ended_early(self, *, is_late: bool) -> WebRtcError:
        """Return the error for a call that the deadline or a closing client ended."""
        stage, outcome = self._state.stage, max(self._worst, self._state.outcome)
        if is_late:
            return DeadlineExceededError(
                f"the deadline of {self.deadline:g} s passed while the call was {stage.value}.",
                outcome=outcome,
                stage=stage,
                status=self._state.status,
            )
        return ClientClosedError(
            f"the client was closed while the call was {stage.value}, and close_grace expired.",
            outcome=outcome,
        )

    def _complete(self, error: WebRtcError) -> None:
        error.operation = self.route.operation
        error.attempts = self._attempts
        error.outcome = max(self._worst, error.outcome)
