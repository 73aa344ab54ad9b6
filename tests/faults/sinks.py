"""The places where a secret could leak, and the resources that could remain."""

import logging
import os
import pickle
import traceback
from collections.abc import Iterator
from typing import Any, Self

import anyio
import anyio.lowlevel
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from webrtc_async.otel import OpenTelemetryObserver

from .credentials import SECRETS


class Records(logging.Handler):
    """Every log record of the process, as text."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} {record.__dict__!r}")


class Sinks:
    """The places where a call could leak a secret: its result, every log record, every span."""

    def __init__(self) -> None:
        self._records, self._root = Records(), logging.getLogger()
        self._level = self._root.level
        self._spans, self._metrics = InMemorySpanExporter(), InMemoryMetricReader()
        tracers = TracerProvider(shutdown_on_exit=False)
        tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        meters = MeterProvider([self._metrics], shutdown_on_exit=False)
        self.observer = OpenTelemetryObserver(tracer_provider=tracers, meter_provider=meters)

    def __enter__(self) -> Self:
        self._root.addHandler(self._records)
        self._root.setLevel(logging.DEBUG)
        return self

    def __exit__(self, *_: object) -> None:
        self._root.setLevel(self._level)
        self._root.removeHandler(self._records)

    def leaks_of(self, result: object) -> list[str]:
        """Return the sinks that contain a secret."""
        metrics = self._metrics.get_metrics_data()
        sinks: dict[str, str] = {
            "log": "\n".join(self._records.lines),
            "spans": "\n".join(span.to_json() for span in self._spans.get_finished_spans()),
            "metrics": metrics.to_json() if metrics else "",
        }
        if isinstance(result, BaseException):
            sinks["traceback"] = "".join(traceback.format_exception(result))
            for error in chain(result):
                shown = f"{error!s} {error!r} {error.args!r} {vars(error)!r}"
                sinks[f"{type(error).__name__}"] = shown
                sinks |= locals_of(error)
        else:
            sinks["result"] = f"{result!s} {result!r}"
        sinks["pickle"] = pickle.dumps(result).decode("latin-1")
        assert all(sinks[name] for name in ("spans", "metrics", "pickle"))
        return [name for name, text in sinks.items() if any(each in text for each in SECRETS)]


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception with all its causes and contexts."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def locals_of(error: BaseException) -> dict[str, str]:
    """Return the local variables of this package's frames, as a debugger shows them."""
    found: dict[str, str] = {}
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__"))
        if module.partition(".")[0] == "webrtc_async":
            for name, value in frame.f_locals.items():
                found[f"{module}:{line}:{name}"] = repr(value)
    return found


def left_open() -> tuple[int, int]:
    """Return the number of open descriptors and of tasks."""
    return len(os.listdir("/proc/self/fd")), len(anyio.get_running_tasks())


async def bind_to_loop(baseline: tuple[int, int]) -> tuple[int, int]:
    """Return the open resources once their number is stable, after at most a second."""
    for _ in range(100):
        if (left := left_open()) <= baseline:
            return left
        await anyio.sleep(0.01)
    return left


class Lag:
    """The longest delay of the event loop while the body ran."""

    def __init__(self) -> None:
        self.worst = 0.0

    async def watch(self, *, task_status: Any = anyio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        while True:
            due = anyio.current_time() + 0.005
            try:
                await anyio.sleep_until(due)
            finally:  # the body may end in the turn that was late, before this one gets its own
                self.worst = max(self.worst, anyio.current_time() - due)
