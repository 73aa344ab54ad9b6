"""One call: its attempts, its deadline, and what is known of its outcome."""

from collections.abc import Coroutine, Mapping
from http import HTTPStatus
from typing import Any, Final, Generic, TypeVar, cast

from attrs import define, field

from webrtc_async._auth.schemes import Auth
from webrtc_async._call.api_response import ApiResponse
from webrtc_async._call.call_context import CallContext
from webrtc_async._call.observer import Watch
from webrtc_async._call.retry import RetryPolicy, call_with_repeats
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
        request: What is sent; each attempt sets its credentials.
        path_values: The ids in its path, the account's among them.
        context: What it goes through.
        policy: What is repeated.
        deadline: Seconds for everything: queue, token, attempts, pauses and body.
        watch: Who is told of it; None for nobody.
        tag: The tag of what it creates, if it does.
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
    _met_dead: bool = field(init=False)
    _failure: WebRtcError | None = field(init=False)
    _response: WireResponse | None = field(init=False)
    _started: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        # Not as defaults, which attrs looks up one by one for every call.
        self._state = state = AttemptState(self.route.operation)
        if self.route.creates:
            state.max_idle = YOUNG
        self._attempts, self._started, self._worst = 0, 0.0, Outcome.NOT_SENT
        self._has_renewed = self._met_dead = False
        self._failure = self._response = None

    def perform(self) -> Coroutine[Any, Any, ResultT]:
        """Return the result, or raise the failure that ended the call.

        Raises:
            WebRtcError: With its attempts, and with the outcome over all of them.
        """
        return self._perform() if self.watch is None else self._perform_watched(self.watch)

    def described(self, data: ResultT) -> ApiResponse[ResultT]:
        """Return the result that `perform` returned, with what came along with it."""
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
        started = self._started = clock.now()
        ends = started + self.deadline
        lifetime = self.context.connections.lifetime
        try:
            with clock.until(ends) as scope:
                lifetime.begin(scope)
                try:
                    return await call_with_repeats(
                        self._attempt,
                        policy=self.policy,
                        idempotency=self.route.idempotency,
                        quota=self.context.quota,
                        time_left=lambda: ends - clock.now(),
                    )
                finally:
                    lifetime.end(scope)
        except WebRtcError as error:
            self._complete(error, started)
            raise
        else:
            raise self._ended_early(started, clock.now() >= ends) from self._failure
        finally:
            self._failure = None  # the frames that it came through hold this call

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
            await self._see_failure(error, self._response)
            self._worst = max(self._worst, error.outcome)
            self._failure = error
            # From here on, until the next attempt begins, the call pauses.
            self._state.begin(Stage.PAUSING)
            raise

    async def _authorization(self, auth: Auth) -> str:
        self._state.begin(Stage.AUTHENTICATING)
        given = await auth.authorization(self._send_for_auth)
        # The package's own credentials are hidden and checked already.
        return given if isinstance(given, HiddenStr) else HiddenStr(check_authorization(given))

    async def _is_renewed(self) -> bool:
        """Whether there are other credentials than the refused ones now: once in a call."""
        auth, refused = self.context.auth, self.request.authorization
        if auth is None or self._has_renewed or not auth.forget(refused):
            return False
        self._has_renewed = True
        self.request.authorization = await self._authorization(auth)
        return self.request.authorization != refused

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
        return self.context.connections.exchange(
            request,
            self._state,
            attempt_timeout=self.policy.longest_attempt(self.route, self._attempts),
            connect_timeout=self.policy.attempt_timeout,
            on_caller_cancelled=self._heir(),
            rate_limiter=self.context.rate_limiter,
        )

    async def _send_for_auth(self, request: WireRequest) -> WireResponse:
        # With a state of its own: whatever happens to it, nothing of the call was sent.
        state = AttemptState(self.route.operation)
        headers = {"User-Agent": self.request.headers["User-Agent"], **request.headers}
        longest = self.policy.attempt_timeout
        return await self.context.connections.exchange(
            with_headers(request, headers), state, attempt_timeout=longest, connect_timeout=longest
        )

    def _heir(self) -> OnCallerCancelled | None:
        """Return who sees an exchange through whose caller is cancelled; usually nobody does."""

    async def _see_failure(self, error: WebRtcError, response: WireResponse | None) -> None:
        """Act on an attempt's failure, before it is decided whether another one follows."""

    def _may_send_again_at_once(self) -> bool:
        """Whether a kept connection was dead, which says nothing of the service; once in a call."""
        if self._met_dead or self.policy.attempts == 1 or self.route.creates:
            return False
        self._met_dead = self._state.hit_stale_connection
        return self._met_dead

    def follow_up_call(
        self, route: Route[Any, Any], values: Mapping[str, object], deadline: float
    ) -> "Call[Any]":
        """Return another call in the service of this one."""
        headers = {
            name: value for name, value in self.request.headers.items() if name != "Content-Type"
        }
        values = {ACCOUNT: self.path_values[ACCOUNT], **values}
        target, base_url = route.path.expand(values), self.context.base_url
        request = WireRequest(route.method, target, headers, base_url=base_url)
        return Call(route, request, values, self.context, self.policy, deadline)

    async def _was_done_before(self, response: WireResponse) -> bool:
        """Whether a refusal comes from what an earlier attempt, whose answer is missing, did."""
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

    def _ended_early(self, started: float, is_late: bool) -> WebRtcError:
        ended = self._out_of_time() if is_late else self._cut_off()
        self._complete(ended, started)
        return ended

    def _out_of_time(self) -> DeadlineExceededError:
        self._worst = max(self._worst, self._state.outcome)
        return DeadlineExceededError(
            f"its {self.deadline:g} s deadline passed while it was {self._state.stage.value}.",
            outcome=self._worst,
            stage=self._state.stage,
            status=self._state.status,
        )

    def _cut_off(self) -> ClientClosedError:
        self._worst = max(self._worst, self._state.outcome)
        return ClientClosedError(
            f"this client was closed while the call was {self._state.stage.value}, and its "
            "close_grace did not suffice.",
            outcome=self._worst,
        )

    def _complete(self, error: WebRtcError, started: float) -> None:
        error.operation = self.route.operation
        error.attempts = self._attempts
        error.outcome = max(self._worst, error.outcome)
