"""OpenTelemetry for calls: a span per call, a client span per attempt, and two histograms.

Names and attributes follow the semantic conventions for HTTP clients; a few are this package's own.
It needs the extra `webrtc-async[otel]`.
"""

from collections.abc import Mapping
from contextvars import Token
from typing import Final
from urllib.parse import urlsplit

from attrs import define, field
from opentelemetry import context, metrics, propagate, trace
from opentelemetry.context import Context
from opentelemetry.metrics import MeterProvider
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.http_attributes import (
    HTTP_REQUEST_METHOD,
    HTTP_REQUEST_RESEND_COUNT,
    HTTP_RESPONSE_STATUS_CODE,
)
from opentelemetry.semconv.attributes.server_attributes import SERVER_ADDRESS, SERVER_PORT
from opentelemetry.semconv.attributes.url_attributes import URL_FULL
from opentelemetry.semconv.metrics.http_metrics import HTTP_CLIENT_REQUEST_DURATION
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider

from webrtc_async._call.observer import ObservedAttempt, ObservedCall, ObservedEnd, Observer
from webrtc_async._version import __version__

# The conventions call it "development", so their stable constants lack it.
URL_TEMPLATE: Final = "url.template"

OPERATION: Final = "webrtc_async.operation"
ATTEMPTS: Final = "webrtc_async.attempts"
OUTCOME: Final = "webrtc_async.outcome"
REQUEST_ID: Final = "webrtc_async.request_id"

CALL_DURATION: Final = "webrtc_async.call.duration"
"""The histogram of calls in seconds, with all attempts and pauses."""

# In seconds; the conventions recommend these boundaries for HTTP.
_BOUNDARIES: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)


@define(eq=False)
class _Spans:
    call: Span
    token: Token[Context]
    attempt: Span | None = field(default=None, init=False)
    attempt_token: Token[Context] | None = field(default=None, init=False)


class OpenTelemetryObserver(Observer):
    """An observer that makes spans and measures durations.

        AsyncWebRtcClient.from_env(observers=[OpenTelemetryObserver()])

    Args:
        tracer_provider: The provider of the tracer; None uses the global one.
        meter_provider: The provider of the meter; None uses the global one.
    """

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        self._tracer = trace.get_tracer("webrtc_async", __version__, tracer_provider)
        meter = metrics.get_meter("webrtc_async", __version__, meter_provider)
        self._requests = meter.create_histogram(
            HTTP_CLIENT_REQUEST_DURATION,
            unit="s",
            description="Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=_BOUNDARIES,
        )
        self._calls = meter.create_histogram(
            CALL_DURATION,
            unit="s",
            description="Duration of calls with all attempts and pauses.",
            explicit_bucket_boundaries_advisory=_BOUNDARIES,
        )
        self._spans: dict[ObservedCall, _Spans] = {}

    def call_started(self, call: ObservedCall) -> None:
        """Start the span of the call, as a child of the current span."""
        attributes = {OPERATION: call.operation}
        span = self._tracer.start_span(call.operation, attributes=attributes)
        token = context.attach(trace.set_span_in_context(span))
        self._spans[call] = _Spans(span, token)

    def attempt_started(self, call: ObservedCall, number: int) -> Mapping[str, str]:
        """Start the span of the attempt, and return the headers that propagate it."""
        # On the span alone: a metric would have one series for each URL.
        attributes = {**_request_attributes(call), URL_FULL: call.url}
        if number > 1:
            attributes[HTTP_REQUEST_RESEND_COUNT] = number - 1
        span = self._tracer.start_span(
            f"{call.method} {call.template}", kind=SpanKind.CLIENT, attributes=attributes
        )
        spans = self._spans[call]
        spans.attempt = span
        spans.attempt_token = context.attach(trace.set_span_in_context(span))
        headers: dict[str, str] = {}
        propagate.inject(headers)
        return headers

    def attempt_ended(self, call: ObservedCall, attempt: ObservedAttempt) -> None:
        """End the span of the attempt and record its duration."""
        spans = self._spans[call]
        if spans.attempt is None or spans.attempt_token is None:
            return
        context.detach(spans.attempt_token)
        attributes = _request_attributes(call)
        if attempt.status is not None:
            attributes[HTTP_RESPONSE_STATUS_CODE] = attempt.status
        error = _error_type(attempt)
        if error is not None:
            attributes[ERROR_TYPE] = error
            spans.attempt.set_status(Status(StatusCode.ERROR))
        if attempt.request_id is not None:
            spans.attempt.set_attribute(REQUEST_ID, attempt.request_id)
        spans.attempt.set_attributes(attributes)
        spans.attempt.end()
        spans.attempt = spans.attempt_token = None
        self._requests.record(attempt.elapsed, attributes)

    def call_ended(self, call: ObservedCall, end: ObservedEnd) -> None:
        """End the span of the call and record its duration."""
        spans = self._spans.pop(call)
        context.detach(spans.token)
        spans.call.set_attribute(ATTEMPTS, end.attempts)
        spans.call.set_attribute(OUTCOME, end.outcome.name.lower())
        attributes = {OPERATION: call.operation}
        error = "cancelled" if end.is_cancelled else None
        if end.error is not None:
            error = type(end.error).__name__
        if error is not None:
            attributes[ERROR_TYPE] = error
            spans.call.set_attribute(ERROR_TYPE, error)
            # Without the error's text, because it quotes the service's response.
            spans.call.set_status(Status(StatusCode.ERROR, error))
        spans.call.end()
        self._calls.record(end.elapsed, attributes)


def _request_attributes(call: ObservedCall) -> dict[str, str | int]:
    parts = urlsplit(call.base_url)
    return {
        HTTP_REQUEST_METHOD: call.method,
        SERVER_ADDRESS: parts.hostname or "",
        SERVER_PORT: parts.port or (443 if parts.scheme == "https" else 80),
        URL_TEMPLATE: call.template,
        OPERATION: call.operation,
    }


def _error_type(attempt: ObservedAttempt) -> str | None:
    if attempt.is_cancelled:
        return "cancelled"
    if attempt.error is not None:
        return type(attempt.error).__name__
    return str(attempt.status) if (attempt.status or 0) >= 400 else None
