"""OpenTelemetry by its real SDK: spans and durations by the conventions, without secrets."""

from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Decision, Sampler, SamplingResult
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.http_attributes import (
    HTTP_REQUEST_METHOD,
    HTTP_REQUEST_RESEND_COUNT,
    HTTP_RESPONSE_STATUS_CODE,
)
from opentelemetry.semconv.attributes.server_attributes import SERVER_ADDRESS, SERVER_PORT
from opentelemetry.semconv.attributes.url_attributes import URL_FULL
from support.backends import jumping_backends
from support.http_library import httpx
from support.scripted import SESSION, ScriptedTransport, answer, client_of, hang, policy, refusal

from webrtc_async.errors import (
    NotFoundError,
    ServerError,
    UnknownOutcomeError,
    WebRtcError,
)
from webrtc_async.otel import OpenTelemetryObserver

pytestmark = pytest.mark.anyio

CANARY = "canary-7f3a"
LOST = httpx.ReadError(f"broken {CANARY}")


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
        "url.full": "https://api.example:8443/v1/accounts/9900000/sessions/s-1",
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


CONVENTION = {
    # By requirement level, as the conventions for HTTP client spans list them. Two more depend on
    # a method that is not known and on a protocol that is not HTTP.
    "required": {HTTP_REQUEST_METHOD, SERVER_ADDRESS, SERVER_PORT, URL_FULL},
    "with a response": {HTTP_RESPONSE_STATUS_CODE},
    "with an error": {ERROR_TYPE},
    "repeated": {HTTP_REQUEST_RESEND_COUNT},
}


@pytest.mark.parametrize("base_url", ["https://api.example/v1", "http://[::1]:8080", "http://h"])
async def test_spans_have_every_attribute_that_is_required(base_url: str) -> None:
    """Spans and durations have what the conventions require, and no empty or unknown attribute."""
    telemetry = Telemetry()
    transport = ScriptedTransport(LOST, refusal(503), answer(200, SESSION), refusal(404))
    settings: dict[str, Any] = {"transport": transport, "observers": [telemetry.observer]}
    async with client_of(**settings, base_url=base_url) as client:
        await client.get_session("s-1")
        with pytest.raises(NotFoundError):
            await client.get_session("s-2")
    levels = {"with a response": "response", "with an error": "error", "repeated": "again"}
    expected = [("error",), ("response", "error", "again"), ("response", "again")]
    spans = [each for each in telemetry.spans if each.kind is trace.SpanKind.CLIENT]
    for span, has in zip(spans, [*expected, ("response", "error")], strict=True):
        given = dict(span.attributes or {})
        there = {name for name in given if not name.startswith(("webrtc_async.", "url.template"))}
        assert there == set().union(
            *(names for level, names in CONVENTION.items() if levels.get(level) in (None, *has))
        )
        parts = urlsplit(str(given[URL_FULL]))
        assert f"{parts.scheme}://{parts.netloc}" == base_url.removesuffix("/v1")
        assert parts.hostname == given[SERVER_ADDRESS]
        assert given[SERVER_PORT] == parts.port or parts.port is None
        assert all(value not in ("", None) for value in given.values())
    for point in telemetry.points()["http.client.request.duration"]:
        assert CONVENTION["required"] - {URL_FULL} <= set(point.attributes)
        assert URL_FULL not in point.attributes


async def test_a_span_s_url_shows_no_token() -> None:
    """A device token that was passed as an id by mistake is in no span."""
    telemetry = Telemetry()
    token = f"eyJhbGciOiJIUzI1NiJ9.{CANARY}.c2lnbmF0dXJl"
    async with client_of(refusal(404), observers=[telemetry.observer]) as client:
        with pytest.raises(NotFoundError):
            await client.get_participant(token)
    [attempt, call] = telemetry.spans
    assert str((attempt.attributes or {})[URL_FULL]).endswith("/participants/<token>")
    assert CANARY not in attempt.to_json() + call.to_json()


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
