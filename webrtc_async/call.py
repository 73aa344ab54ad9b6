"""One call: its attempts, its deadline, and what is known of its outcome."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Generic, TypeVar, cast

import anyio
from attrs import define, field, frozen

from webrtc_async.auth import Auth
from webrtc_async.errors import (
    DeadlineExceededError,
    WebRtcError,
)
from webrtc_async.observer import Watch
from webrtc_async.outcome import Outcome, Progress, Stage
from webrtc_async.redaction import public_headers
from webrtc_async.retry import RetryPolicy, call_with_repeats
from webrtc_async.route import Repeat, Route
from webrtc_async.settings import check_authorization
from webrtc_async.transport import Connections
from webrtc_async.wire import WireRequest, WireResponse, read_response, with_headers

ResultT = TypeVar("ResultT")


@frozen(kw_only=True)
class ApiResponse(Generic[ResultT]):
    """A result with what came along with it.

    Attributes:
        data: The result.
        status: The HTTP status; 404 where a repeated delete found its work done.
        headers: The response headers in lower case, without those that carry secrets.
        request_id: The service's id of the request, or None.
        attempts: How many attempts it took.
        elapsed: Seconds from the call to its result, pauses included.
    """

    data: ResultT
    status: int
    headers: Mapping[str, str] = field(hash=False, repr=False)
    request_id: str | None
    attempts: int
    elapsed: float


@define(kw_only=True, eq=False)
class Call(Generic[ResultT]):
    """One call of an operation, from its first attempt to its result.

    Attributes:
        route: The operation.
        request: What is sent, but for the credentials.
        auth: The credentials; None leaves them to the user's own HTTP client.
        connections: Where it is sent.
        policy: What is repeated.
        deadline: Seconds for everything: queue, token, attempts, pauses and body.
        watch: Who is told of it; None for nobody.
    """

    route: Route[Any, ResultT]
    request: WireRequest
    auth: Auth | None
    connections: Connections
    policy: RetryPolicy
    deadline: float
    watch: Watch | None = None
    _progress: Progress = field(init=False)
    _attempts: int = field(default=0, init=False)
    _worst: Outcome = field(default=Outcome.NOT_SENT, init=False)
    _has_renewed: bool = field(default=False, init=False)
    _failure: WebRtcError | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._progress = Progress(self.route.operation)

    async def perform(self) -> ApiResponse[ResultT]:
        """Return the result, or raise the failure that ended the call.

        Raises:
            WebRtcError: With its attempts, and with the outcome over all of them.
        """
        if self.watch is None:
            return await self._perform()
        self.watch.start()
        try:
            response = await self._perform()
        except BaseException as error:
            outcome = max(self._worst, self._progress.outcome)
            if isinstance(error, WebRtcError):
                outcome = error.outcome
            self.watch.end(attempts=self._attempts, outcome=outcome, error=error)
            raise
        self.watch.end(attempts=self._attempts, outcome=Outcome.ANSWERED, error=None)
        return response

    async def _perform(self) -> ApiResponse[ResultT]:
        started = anyio.current_time()
        ends = started + self.deadline
        try:
            with anyio.CancelScope(deadline=ends):
                data, response = await call_with_repeats(
                    self._attempt,
                    policy=self.policy,
                    repeat=self.route.repeat,
                    time_left=lambda: ends - anyio.current_time(),
                )
                return ApiResponse(
                    data=data,
                    status=response.status,
                    headers=public_headers(response.headers),
                    request_id=response.request_id,
                    attempts=self._attempts,
                    elapsed=anyio.current_time() - started,
                )
        except WebRtcError as error:
            self._complete(error)
            raise
        out_of_time = self._out_of_time()
        self._complete(out_of_time)
        raise out_of_time from self._failure

    async def _attempt(self) -> tuple[ResultT, WireResponse]:
        self._attempts += 1
        try:
            authorization, response = await self._exchange(await self._authorization())
            if response.status == HTTPStatus.UNAUTHORIZED:
                renewed = await self._renewed(authorization)
                if renewed is not None:
                    self._attempts += 1
                    authorization, response = await self._exchange(renewed)
            if self._was_done_before(response):
                return cast("ResultT", None), response
            return read_response(self.route, response, authorization=authorization), response
        except WebRtcError as error:
            self._worst = max(self._worst, error.outcome)
            self._failure = error
            # From here on, until the next attempt begins, the call pauses.
            self._progress.begin(Stage.PAUSING)
            raise

    async def _authorization(self) -> str:
        if self.auth is None:
            return ""
        self._progress.begin(Stage.AUTHENTICATING)
        return check_authorization(await self.auth.authorization(self._send_for_auth))

    async def _renewed(self, refused: str) -> str | None:
        """Return another header than the refused one, if it can be had: once in a call."""
        if self.auth is None or self._has_renewed or not self.auth.forget(refused):
            return None
        self._has_renewed = True
        renewed = await self._authorization()
        return renewed if renewed != refused else None

    async def _exchange(self, authorization: str) -> tuple[str, WireResponse]:
        request = self.request
        if authorization:
            request = with_headers(request, {"Authorization": authorization})
        if self.watch is None:
            return authorization, await self._send(request)
        request = with_headers(request, self.watch.start_attempt(self._attempts))
        try:
            response = await self._send(request)
        except BaseException as error:
            self.watch.end_attempt(status=self._progress.status, error=error)
            raise
        self.watch.end_attempt(status=response.status, request_id=response.request_id)
        return authorization, response

    async def _send(self, request: WireRequest) -> WireResponse:
        return await self.connections.exchange(
            request,
            self._progress,
            longest=self.policy.longest_attempt(self.route.repeat, self._attempts),
            connect_timeout=self.policy.attempt_timeout,
        )

    async def _send_for_auth(self, request: WireRequest) -> WireResponse:
        # With a progress of its own: whatever happens to it, nothing of the call was sent.
        progress = Progress(self.route.operation)
        headers = {"User-Agent": self.request.headers["User-Agent"], **request.headers}
        longest = self.policy.attempt_timeout
        return await self.connections.exchange(
            with_headers(request, headers), progress, longest=longest, connect_timeout=longest
        )

    def _was_done_before(self, response: WireResponse) -> bool:
        """Whether this is the 404 of a delete whose earlier attempt may have deleted."""
        return (
            response.status == HTTPStatus.NOT_FOUND
            and self.route.repeat is Repeat.ENSURE_GONE
            and self._worst is not Outcome.NOT_SENT
        )

    def _out_of_time(self) -> DeadlineExceededError:
        self._worst = max(self._worst, self._progress.outcome)
        return DeadlineExceededError(
            f"its {self.deadline:g} s deadline passed while it was {self._progress.stage.value}.",
            outcome=self._worst,
            stage=self._progress.stage,
            status=self._progress.status,
        )

    def _complete(self, error: WebRtcError) -> None:
        error.operation = self.route.operation
        error.attempts = self._attempts
        error.outcome = max(self._worst, error.outcome)
