"""Observers, the log and OpenTelemetry: they see everything but secrets and change nothing."""

import logging
from collections.abc import Mapping
from typing import Any

import anyio
import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Decision, Sampler, SamplingResult
from support.backends import jumping_backends
from support.http_library import httpx
from support.scripted import SESSION, ScriptedTransport, answer, client_of, hang, policy, refusal

from webrtc_async._call.observer import ObservedAttempt, ObservedCall, ObservedEnd, Observer
from webrtc_async.errors import (
    ConfigurationError,
    NotFoundError,
    ServerError,
    UnknownOutcomeError,
    WebRtcError,
)
from webrtc_async.errors.outcome import Outcome
from webrtc_async.otel import OpenTelemetryObserver

pytestmark = pytest.mark.anyio

CANARY = "canary-7f3a"
LOST = httpx.ReadError(f"broken {CANARY}")


class Recorder(Observer):
    """An observer that records its calls and fails on request."""

    def __init__(self, fails: bool = False) -> None:
        self.told: list[tuple[str, Any]] = []
        self.calls: set[ObservedCall] = set()
        self.fails = fails

    def note(self, what: str, call: ObservedCall, detail: object = None) -> None:
        self.told.append((what, detail))
        self.calls.add(call)
        if self.fails:
            raise RuntimeError("the observer is broken")

    def call_started(self, call: ObservedCall) -> None:
        self.note("call started", call)

    def attempt_started(self, call: ObservedCall, number: int) -> Mapping[str, str]:
        self.note("attempt started", call, number)
        return {"X-Attempt": str(number)}

    def attempt_ended(self, call: ObservedCall, attempt: ObservedAttempt) -> None:
        self.note("attempt ended", call, attempt)

    def call_ended(self, call: ObservedCall, end: ObservedEnd) -> None:
        self.note("call ended", call, end)

    @property
    def attempts(self) -> list[ObservedAttempt]:
        return [each for what, each in self.told if what == "attempt ended"]

    @property
    def end(self) -> ObservedEnd:
        what, end = self.told[-1]
        assert what == "call ended"
        return end


async def test_an_observer_sees_every_attempt() -> None:
    """A repeated call is reported once, and each attempt separately, with its headers."""
    recorder = Recorder()
    headers = {"x-amzn-requestid": "r-3"}
    transport = ScriptedTransport(refusal(503), LOST, answer(200, SESSION, headers))
    async with client_of(transport=transport, observers=[recorder]) as client:
        await client.get_session("s-1")
    assert [what for what, _ in recorder.told] == [
        "call started",
        *["attempt started", "attempt ended"] * 3,
        "call ended",
    ]
    [call] = recorder.calls
    assert (call.operation, call.method) == ("getSession", "GET")
    assert call.template == "/accounts/{account_id}/sessions/{session_id}"
    first, second, third = recorder.attempts
    assert (first.number, first.status, first.error) == (1, 503, None)
    assert isinstance(second.error, UnknownOutcomeError)
    assert (third.number, third.status, third.request_id) == (3, 200, "r-3")
    assert (recorder.end.attempts, recorder.end.error) == (3, None)
    assert recorder.end.outcome is Outcome.ANSWERED
    assert not recorder.end.is_cancelled
    assert [each.headers["x-attempt"] for each in transport.requests] == ["1", "2", "3"]


async def test_an_observer_gets_the_raised_error() -> None:
    """The call's end has the same error object that the caller gets."""
    recorder = Recorder()
    async with client_of(refusal(404), observers=[recorder]) as client:
        with pytest.raises(NotFoundError) as caught:
            await client.get_session("s-1")
    assert recorder.end.error is caught.value
    assert recorder.attempts[0].status == 404


@jumping_backends()
async def test_a_cancelled_call_ends_too() -> None:
    """A cancelled call and attempt are reported as ended, with the outcome."""
    recorder = Recorder()
    async with client_of(hang, observers=[recorder]) as client:
        with anyio.move_on_after(1) as scope:
            await client.get_session("s-1")
    assert scope.cancelled_caught
    [attempt] = recorder.attempts
    assert (attempt.is_cancelled, attempt.error, attempt.status) == (True, None, None)
    assert (recorder.end.is_cancelled, recorder.end.outcome) == (True, Outcome.UNKNOWN)


async def test_a_failing_observer_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """An observer's exception is logged; the call and the other observers continue."""
    broken, healthy = Recorder(fails=True), Recorder()
    with caplog.at_level(logging.ERROR, "webrtc_async"):
        async with client_of(answer(200, SESSION), observers=[broken, healthy]) as client:
            assert (await client.get_session("s-1")).id == "s-1"
    assert len(broken.told) == len(healthy.told) == 4
    assert caplog.text.count("an observer, Recorder, failed") == 4


@pytest.mark.parametrize("headers", [{"Authorization": "x"}, {"X-Evil": "a\r\nb"}, None, {"X": 5}])
async def test_an_observer_cannot_set_the_client_s_headers(
    headers: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """An observer's headers are checked like the client's; a call drops invalid ones."""

    class Meddler(Observer):
        def attempt_started(self, *_: object) -> Mapping[str, str]:
            return headers

    transport = ScriptedTransport(answer(200, SESSION))
    async with client_of(transport=transport, observers=[Meddler()]) as client:
        await client.get_session("s-1")
    assert transport.requests[0].headers["authorization"].startswith("Basic ")
    assert "x-evil" not in transport.requests[0].headers
    assert "an observer, Meddler, failed" in caplog.text


@pytest.mark.parametrize("observers", [5, ["x"], [Recorder]])
def test_an_invalid_observer_is_refused(observers: Any) -> None:
    """An invalid observer is refused when the client is made."""
    with pytest.raises(ConfigurationError, match="bserver"):
        client_of(observers=observers)


# The log


async def test_the_log_has_a_line_per_attempt(caplog: pytest.LogCaptureFixture) -> None:
    """Failed attempts are INFO and good ones DEBUG, with the request id and without secrets."""
    headers = {"x-amzn-requestid": "r-1"}
    script = (LOST, refusal(503), answer(200, {**SESSION, "tag": CANARY}, headers))
    with caplog.at_level(logging.DEBUG, "webrtc_async"):
        async with client_of(*script, auth=("user", CANARY)) as client:
            await client.get_session("s-1")
    lines = [(each.levelname, each.getMessage()) for each in caplog.records if is_ours(each)]
    assert [level for level, _ in lines] == ["INFO", "INFO", "DEBUG"]
    assert "getSession: attempt 1 failed with UnknownOutcomeError after 0." in lines[0][1]
    assert "getSession: attempt 2 got 503" in lines[1][1]
    assert lines[2][1].endswith("request id r-1")
    assert CANARY not in repr(lines)


@jumping_backends()
async def test_a_cancelled_attempt_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A cancelled attempt has its own log line."""
    with caplog.at_level(logging.DEBUG, "webrtc_async"):
        async with client_of(hang) as client:
            with anyio.move_on_after(1):
                await client.get_session("s-1")
    assert "getSession: attempt 1 was cancelled" in caplog.text


def is_ours(record: logging.LogRecord) -> bool:
    return record.name == "webrtc_async.call"


# OpenTelemetry, by its real SDK


class Telemetry:
    """An OpenTelemetry SDK for one test."""

    def __init__(self, sampler: Sampler = ALWAYS_ON) -> None:
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers = TracerProvider(sampler)
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.observer = OpenTelemetryObserver(
            tracer_provider=self.tracers, meter_provider=MeterProvider([self.reader])
        )

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    def points(self) -> dict[str, list[Any]]:
        """Return the data points by the metric's name."""
        data = self.reader.get_metrics_data()
        assert data is not None
        [resource] = data.resource_metrics
        [scope] = resource.scope_metrics
        return {metric.name: list(metric.data.data_points) for metric in scope.metrics}


async def test_spans_and_durations_by_the_conventions() -> None:
    """There is a span for the call, a client span for each attempt under it, and both durations."""
    telemetry = Telemetry()
    transport = ScriptedTransport(refusal(503), answer(200, SESSION, {"x-amzn-requestid": "r"}))
    settings = {"transport": transport, "observers": [telemetry.observer]}
    async with client_of(**settings, base_url="https://api.example:8443/v1") as client:
        with telemetry.tracers.get_tracer("test").start_as_current_span("mine") as mine:
            await client.get_session("s-1")
            assert trace.get_current_span() is mine
    first, second, call, _ = telemetry.spans
    assert call.name == "getSession"
    assert call.parent is not None
    assert call.parent.span_id == mine.get_span_context().span_id
    assert dict(call.attributes or {}) == {
        "webrtc_async.operation": "getSession",
        "webrtc_async.attempts": 2,
        "webrtc_async.outcome": "answered",
    }
    for each in (first, second):
        assert each.name == "GET /accounts/{account_id}/sessions/{session_id}"
        assert each.kind is trace.SpanKind.CLIENT
        assert each.parent is not None
        assert each.parent.span_id == call.context.span_id
    assert dict(second.attributes or {}) == {
        "http.request.method": "GET",
        "server.address": "api.example",
        "server.port": 8443,
        "url.template": "/accounts/{account_id}/sessions/{session_id}",
        "webrtc_async.operation": "getSession",
        "http.request.resend_count": 1,
        "http.response.status_code": 200,
        "webrtc_async.request_id": "r",
    }
    assert (first.attributes or {})["error.type"] == "503"
    assert first.status.status_code is trace.StatusCode.ERROR
    points = telemetry.points()
    assert [each.count for each in points["http.client.request.duration"]] == [1, 1]
    assert [each.count for each in points["webrtc_async.call.duration"]] == [1]


async def test_each_attempt_sends_its_trace_context() -> None:
    """Each attempt sends the traceparent of its own span."""
    telemetry = Telemetry()
    transport = ScriptedTransport(refusal(503), answer(200, SESSION))
    async with client_of(transport=transport, observers=[telemetry.observer]) as client:
        await client.get_session("s-1")
    sent = [each.headers["traceparent"].split("-")[2] for each in transport.requests]
    assert sent == [f"{each.context.span_id:016x}" for each in telemetry.spans[:2]]


@pytest.mark.parametrize(
    ("step", "kind", "error_type"),
    [
        (refusal(500), ServerError, "ServerError"),
        (LOST, UnknownOutcomeError, "UnknownOutcomeError"),
    ],
)
async def test_a_failed_call_is_an_error_without_its_text(
    step: object, kind: type[WebRtcError], error_type: str
) -> None:
    """Spans have the kind of an error, and no text of the service or of a library."""
    telemetry = Telemetry()
    settings: dict[str, Any] = {"observers": [telemetry.observer], "auth": ("user", CANARY)}
    async with client_of(step, retry=policy(attempts=1), **settings) as client:
        with pytest.raises(kind):
            await client.get_session("s-1")
    call = telemetry.spans[-1]
    assert (call.attributes or {})["error.type"] == error_type
    assert call.status.status_code is trace.StatusCode.ERROR
    assert CANARY not in "".join(each.to_json() for each in telemetry.spans)


@jumping_backends()
async def test_a_cancelled_call_leaves_no_span_open() -> None:
    """After a cancellation the spans end as errors, and the caller's span is current again."""
    telemetry = Telemetry()
    async with client_of(hang, observers=[telemetry.observer]) as client:
        with anyio.move_on_after(1):
            await client.get_session("s-1")
    assert [(each.attributes or {})["error.type"] for each in telemetry.spans] == ["cancelled"] * 2
    assert trace.get_current_span() is trace.INVALID_SPAN


class Broken(Sampler):
    """A sampler that fails for attempts."""

    def should_sample(self, *arguments: Any, **settings: Any) -> SamplingResult:
        if trace.SpanKind.CLIENT in (*arguments, *settings.values()):
            raise LookupError("the sampler is broken")
        return SamplingResult(Decision.RECORD_AND_SAMPLE)

    def get_description(self) -> str:
        return "broken"


async def test_a_tracer_that_fails_costs_no_call(caplog: pytest.LogCaptureFixture) -> None:
    """An attempt without a span is still made, and the call's own span ends in order."""
    telemetry = Telemetry(Broken())
    async with client_of(answer(200, SESSION), observers=[telemetry.observer]) as client:
        assert (await client.get_session("s-1")).id == "s-1"
    assert [each.name for each in telemetry.spans] == ["getSession"]
    assert trace.get_current_span() is trace.INVALID_SPAN
    assert caplog.text.count("an observer, OpenTelemetryObserver, failed") == 1


async def test_concurrent_calls_do_not_mix() -> None:
    """Each concurrent call has its own spans, in its own trace."""
    telemetry = Telemetry()
    settings = {"observers": [telemetry.observer]}
    async with (
        client_of(answer(200, SESSION), **settings) as client,
        anyio.create_task_group() as tasks,
    ):
        for _ in range(20):
            tasks.start_soon(client.get_session, "s-1")
    calls = {each.context.span_id: each for each in telemetry.spans if each.parent is None}
    attempts = [each for each in telemetry.spans if each.parent is not None]
    assert len(calls) == len(attempts) == 20
    assert {each.parent.span_id for each in attempts if each.parent} == calls.keys()
