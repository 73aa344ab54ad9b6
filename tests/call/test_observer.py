"""Observers and the log: they see everything but secrets and change nothing."""

import logging
from collections.abc import Mapping
from typing import Any

import anyio
import pytest
from support.backends import jumping_backends
from support.http_library import httpx
from support.scripted import SESSION, ScriptedTransport, answer, client_of, hang, refusal

from webrtc_async._call.observer import ObservedAttempt, ObservedCall, ObservedEnd, Observer
from webrtc_async.errors import (
    ConfigurationError,
    NotFoundError,
    UnknownOutcomeError,
)
from webrtc_async.errors.outcome import Outcome

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
