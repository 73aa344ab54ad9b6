"""`Observer`: hooks that are called for every call and attempt and cannot change them."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

import anyio
from attrs import define, field, frozen

from webrtc_async._config.validation import check_headers
from webrtc_async._protocol.redaction import excerpt
from webrtc_async._protocol.route import Route
from webrtc_async._protocol.wire import WireRequest
from webrtc_async.errors import ConfigurationError, WebRtcError
from webrtc_async.errors.outcome import Outcome

_LOG: Final = logging.getLogger("webrtc_async.call")


@frozen(kw_only=True, eq=False)
class ObservedCall:
    """A running call; no two calls are equal.

    Attributes:
        operation: The API's name of it, such as "createSession".
        method: The HTTP method.
        template: The path template, such as "/accounts/{account_id}/sessions".
        base_url: Base URL of the service.
        url: URL of the requests, with its ids. A token that was passed as an id is hidden.
    """

    operation: str
    method: str
    template: str
    base_url: str
    url: str = ""


@frozen(kw_only=True)
class ObservedAttempt:
    """An attempt that ended.

    Attributes:
        number: The number of the attempt in its call, from 1.
        status: The HTTP status; None without a response.
        request_id: The service's id of the request; None if it sent none.
        error: The failure of the attempt; None for a response of any status.
        elapsed: Seconds of the attempt, with its wait for a connection.
        is_cancelled: True if the caller was cancelled.
    """

    number: int
    status: int | None
    request_id: str | None
    error: WebRtcError | None
    elapsed: float
    is_cancelled: bool


@frozen(kw_only=True)
class ObservedEnd:
    """The end of a call.

    Attributes:
        attempts: Attempts of the call.
        error: The error that was raised; None for a result.
        outcome: The effect that the call may have had at the service.
        elapsed: Seconds from the call to its end, pauses included.
        is_cancelled: True if the caller was cancelled.
    """

    attempts: int
    error: WebRtcError | None
    outcome: Outcome
    elapsed: float
    is_cancelled: bool


class Observer:
    """Hooks for calls and attempts; override those that you need.

    Methods run in the task of the call, so keep them quick. Their exceptions are logged and change
    nothing. Their arguments hold no secret.
    """

    def call_started(self, call: ObservedCall) -> None:
        """Handle the start of a call."""

    def attempt_started(self, call: ObservedCall, number: int) -> Mapping[str, str]:
        """Handle the start of an attempt; return headers to send with it, such as traceparent."""
        return {}

    def attempt_ended(self, call: ObservedCall, attempt: ObservedAttempt) -> None:
        """Handle the end of an attempt; every attempt that started ends."""

    def call_ended(self, call: ObservedCall, end: ObservedEnd) -> None:
        """Handle the end of a call; every call that started ends."""


class LogObserver(Observer):
    """Writes to the logger "webrtc_async.call": failed attempts at INFO, others at DEBUG."""

    def attempt_ended(self, call: ObservedCall, attempt: ObservedAttempt) -> None:
        """Log an attempt."""
        if attempt.error is None:
            level = logging.DEBUG if (attempt.status or 0) < 400 else logging.INFO
            ended = f"got {attempt.status}"
        else:
            level, ended = logging.INFO, f"failed with {type(attempt.error).__name__}"
        if attempt.is_cancelled:
            level, ended = logging.DEBUG, "was cancelled"
        _LOG.log(
            level,
            "%s: attempt %d %s after %.3f s, request id %s",
            call.operation,
            attempt.number,
            ended,
            attempt.elapsed,
            attempt.request_id or "unknown",
        )


@define(eq=False)
class Watch:
    """Reports one call to its observers; one that fails does not affect the others."""

    observers: tuple[Observer, ...]
    call: ObservedCall
    _call_began: float = field(factory=anyio.current_time, init=False)
    _attempt: int = field(default=0, init=False)
    _attempt_began: float = field(default=0.0, init=False)

    def start(self) -> None:
        """Report the start of the call."""
        for each in self.observers:
            with _isolated(each):
                each.call_started(self.call)

    def start_attempt(self, number: int) -> dict[str, str]:
        """Report the start of an attempt, and return the observers' headers for it."""
        self._attempt, self._attempt_began = number, anyio.current_time()
        headers: dict[str, str] = {}
        for each in self.observers:
            with _isolated(each):
                headers |= check_headers(each.attempt_started(self.call, number))
        return headers

    def end_attempt(
        self,
        *,
        status: int | None = None,
        request_id: str | None = None,
        error: BaseException | None = None,
    ) -> None:
        """Report the end of the attempt; an error of another package is a cancellation."""
        own = error if isinstance(error, WebRtcError) else None
        attempt = ObservedAttempt(
            number=self._attempt,
            status=status,
            request_id=request_id,
            error=own,
            elapsed=anyio.current_time() - self._attempt_began,
            is_cancelled=error is not None and own is None,
        )
        for each in self.observers:
            with _isolated(each):
                each.attempt_ended(self.call, attempt)

    def end(self, *, attempts: int, outcome: Outcome, error: BaseException | None) -> None:
        """Report the end of the call; an error of another package is a cancellation."""
        own = error if isinstance(error, WebRtcError) else None
        end = ObservedEnd(
            attempts=attempts,
            error=own,
            outcome=outcome,
            elapsed=anyio.current_time() - self._call_began,
            is_cancelled=error is not None and own is None,
        )
        for each in self.observers:
            with _isolated(each):
                each.call_ended(self.call, end)


@frozen
class _isolated:  # noqa: N801  # reads as a verb where it is used
    observer: Observer

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if not isinstance(error, Exception):
            return False
        _LOG.error("an observer, %s, failed", type(self.observer).__name__, exc_info=error)
        return True


def check_observers(observers: object) -> tuple[Observer, ...]:
    """Return observers as a tuple.

    Raises:
        ConfigurationError: The value is no collection of observers.
    """
    if not isinstance(observers, Iterable):
        raise ConfigurationError(f"observers must be a list, not {type(observers).__name__}.")
    given = tuple(cast("Iterable[object]", observers))
    for each in given:
        if not isinstance(each, Observer):
            raise ConfigurationError(f"An observer must be an Observer, not {type(each).__name__}.")
    return cast("tuple[Observer, ...]", given)


def watch_over(
    route: Route[Any, Any], request: WireRequest, observers: tuple[Observer, ...]
) -> Watch | None:
    """Return the watch of a call for its observers and the log; None for a call without either."""
    if _LOG.isEnabledFor(logging.INFO):
        observers = (LogObserver(), *observers)
    if not observers:
        return None
    call = ObservedCall(
        operation=route.operation,
        method=route.method,
        template=route.path.template,
        base_url=request.base_url,
        url=excerpt(request.url, longest=len(request.url)),
    )
    return Watch(observers, call)
