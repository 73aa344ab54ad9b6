"""Where a secret could come out, and what could be left behind."""

import base64
import logging
import os
import pickle
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import anyio.lowlevel

USER, PASSWORD = "user", "c4nary-Pa55w0rd"
SECRETS = (PASSWORD, base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode())


class Records(logging.Handler):
    """Every log record of the process, as text."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} {record.__dict__!r}")


@contextmanager
def recorded() -> Iterator[Records]:
    """Record what any logger says."""
    records, root = Records(), logging.getLogger()
    level = root.level
    root.addHandler(records)
    root.setLevel(logging.DEBUG)
    try:
        yield records
    finally:
        root.setLevel(level)
        root.removeHandler(records)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Give an exception and everything behind it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def leaks_of(result: object, records: Records) -> list[str]:
    """Return the sinks in which a secret stands."""
    sinks: dict[str, str] = {"log": "\n".join(records.lines)}
    if isinstance(result, BaseException):
        sinks["traceback"] = "".join(traceback.format_exception(result))
        sinks["pickle"] = pickle.dumps(result).decode("latin-1")
        for error in chain(result):
            shown = f"{error!s} {error!r} {error.args!r} {vars(error)!r}"
            sinks[f"{type(error).__name__}"] = shown
            sinks |= locals_of(error)
    else:
        sinks["result"] = f"{result!s} {result!r}"
        sinks["pickle"] = pickle.dumps(result).decode("latin-1")
    return [name for name, text in sinks.items() if any(secret in text for secret in SECRETS)]


def locals_of(error: BaseException) -> dict[str, str]:
    """Return what a debugger or rich would show of this package's frames."""
    found: dict[str, str] = {}
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__"))
        if module.partition(".")[0] == "webrtc_async":
            for name, value in frame.f_locals.items():
                found[f"{module}:{line}:{name}"] = repr(value)
    return found


def left_open() -> tuple[int, int]:
    """Return how many descriptors and tasks there are."""
    return len(os.listdir("/proc/self/fd")), len(anyio.get_running_tasks())


async def settle(baseline: tuple[int, int]) -> tuple[int, int]:
    """Return what is left open once nothing changes any more, at most a second later."""
    for _ in range(100):
        if (left := left_open()) <= baseline:
            return left
        await anyio.sleep(0.01)
    return left


class Lag:
    """How late the event loop was at most while the body ran."""

    def __init__(self) -> None:
        self.worst = 0.0

    async def watch(self, *, task_status: Any = anyio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        while True:
            due = anyio.current_time() + 0.005
            await anyio.sleep_until(due)
            self.worst = max(self.worst, anyio.current_time() - due)
