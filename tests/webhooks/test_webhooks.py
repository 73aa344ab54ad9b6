"""Events and the dispatcher: any kind of body, one handling per event."""

import asyncio
import json
import logging
import pickle
from datetime import UTC, datetime
from typing import Any

import anyio
import anyio.to_thread
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import BRIEFLY, JSON
from support.webhook_receivers import CONNECT, ReceivedEvents

from webrtc_async.errors import InvalidArgumentError
from webrtc_async.webhooks import (
    EventDispatcher,
    ParticipantEvent,
    ParticipantEventType,
    read_event,
)

pytestmark = pytest.mark.anyio


# Events


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(CONNECT).encode(),
        bytearray(json.dumps(CONNECT).encode()),
        json.dumps(CONNECT),
        CONNECT,
        {**CONNECT, "timestamp": 1_700_000_000_000},
        {**CONNECT, "timestamp": 1.7e12},
    ],
    ids=["bytes", "bytearray", "str", "mapping", "integer", "float"],
)
def test_an_event_from_any_body(body: Any) -> None:
    """An event is read from bytes, text or a mapping, with a timestamp as number or text."""
    event = read_event(body)
    assert event == ParticipantEvent(
        event=ParticipantEventType.CONNECT,
        timestamp=1_700_000_000_000,
        participant_id="p-1",
        device_id="d-1",
        tag="visit",
    )
    assert event.at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert pickle.loads(pickle.dumps(event)) == event


def test_unknown_types_and_fields_are_kept() -> None:
    """Unknown types and fields are kept; null counts as missing."""
    event = read_event({**CONNECT, "event": "onMute", "tag": None, "mood": "good"})
    assert event.event == "onMute"
    assert not event.event.is_known
    assert event.tag is None
    assert event.extra == {"mood": "good"}
    assert "good" not in repr(event)


def test_reading_does_not_change_the_mapping() -> None:
    """The mapping that a framework parsed is not changed."""
    given_body = dict(CONNECT)
    read_event(given_body)
    assert given_body == CONNECT


def without(name: str) -> dict[str, object]:
    return {key: value for key, value in CONNECT.items() if key != name}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "not valid JSON"),
        (b"[]", "not a JSON object"),
        (b"\xff", "not valid JSON"),
        (b"x" * 70_000, "over 65536 bytes"),
        (b'{"event":"a","event":"b"}', "there twice"),
        (without("event"), "event: missing"),
        (without("participantId"), "participantId: missing"),
        (without("timestamp"), "timestamp: missing"),
        ({**CONNECT, "event": 5}, "event: expected text"),
        ({**CONNECT, "tag": 5}, "tag: expected text"),
        ({**CONNECT, "participantId": 5}, "participantId: expected text"),
        ({**CONNECT, "participantId": ""}, "participantId: missing"),
        ({**CONNECT, "timestamp": True}, "timestamp: expected a number of milliseconds"),
        ({**CONNECT, "timestamp": -1}, "timestamp: expected a number of milliseconds"),
        ({**CONNECT, "timestamp": "١٢"}, "timestamp: expected a number of milliseconds"),
        ({**CONNECT, "timestamp": 10**300}, "timestamp: expected a number of milliseconds"),
        ({5: "x"}, "text as its keys"),
        (None, "bytes, text or a mapping"),
    ],
)
def test_an_invalid_event_is_refused(body: Any, problem: str) -> None:
    """An invalid body raises an error with one sentence."""
    with pytest.raises(InvalidArgumentError, match=problem):
        read_event(body)


@BRIEFLY
@given(st.binary() | st.text() | JSON | st.fixed_dictionaries(dict.fromkeys(CONNECT, JSON)))
def test_only_our_own_error_is_raised(body: Any) -> None:
    """Every body is an event or raises this package's error."""
    try:
        event = read_event(body)
    except InvalidArgumentError:
        return
    assert event.at.tzinfo is UTC


# The dispatcher


async def test_handlers_get_their_types() -> None:
    """A handler gets the types that it names, or all; the decorator returns the function."""
    received: list[tuple[str, str]] = []
    dispatcher = EventDispatcher()

    @dispatcher.on(ParticipantEventType.LEAVE, ParticipantEventType("onMute"))
    async def some(event: ParticipantEvent) -> None:
        received.append(("some", event.event))

    @dispatcher.on()
    async def every(event: ParticipantEvent) -> None:
        received.append(("every", event.event))

    for number, name in enumerate(["onConnect", "onLeave", "onMute"]):
        await dispatcher.dispatch(read_event({**CONNECT, "event": name, "timestamp": number}))
    assert received == [
        ("every", "onConnect"),
        ("some", "onLeave"),
        ("every", "onLeave"),
        ("some", "onMute"),
        ("every", "onMute"),
    ]
    await some(read_event(CONNECT))


async def test_an_event_is_handled_once() -> None:
    """An event that is posted again is not handled again; another one is."""
    received = ReceivedEvents()
    assert await received.dispatcher.dispatch(read_event(CONNECT))
    assert await received.dispatcher.dispatch(read_event({**CONNECT, "tag": "other"}))
    assert len(received.events) == 1
    assert await received.dispatcher.dispatch(read_event({**CONNECT, "timestamp": 5}))
    assert len(received.events) == 2


@pytest.mark.parametrize("first", ["succeeds", "fails", "is cancelled"])
async def test_a_repeated_post_waits_for_the_first(first: str) -> None:
    """A post that arrives while its event is handled is handled only if that fails."""
    dispatcher, outcomes = EventDispatcher(max_remembered=1), list[tuple[str, bool]]()
    started, go_on, scope = anyio.Event(), anyio.Event(), anyio.CancelScope()
    calls = 0

    @dispatcher.on(ParticipantEventType.CONNECT)
    async def slow(_: ParticipantEvent) -> None:
        nonlocal calls
        calls += 1
        started.set()
        await go_on.wait()
        if calls == 1 and first == "fails":
            raise RuntimeError("canary")

    async def post(name: str, scope: anyio.CancelScope) -> None:
        with scope:
            outcomes.append((name, await dispatcher.dispatch(read_event(CONNECT))))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(post, "first", scope)
        await started.wait()
        for name in ("second", "third"):
            tasks.start_soon(post, name, anyio.CancelScope())
        await anyio.wait_all_tasks_blocked()
        assert (calls, outcomes) == (1, [])
        assert await dispatcher.dispatch(read_event({**CONNECT, "event": "onLeave"}))
        if first == "is cancelled":
            scope.cancel()
            await anyio.wait_all_tasks_blocked()
        go_on.set()
    assert calls == (1 if first == "succeeds" else 2)
    own = {"succeeds": {("first", True)}, "fails": {("first", False)}, "is cancelled": set()}
    assert set(outcomes) == own[first] | {("second", True), ("third", True)}


async def test_a_post_in_another_event_loop_does_not_wait() -> None:
    """While an event is handled in one event loop, a post in another one fails at once."""
    received, elsewhere = ReceivedEvents(), list[bool]()

    @received.dispatcher.on()
    async def handle(event: ParticipantEvent) -> None:
        def post() -> bool:
            return anyio.run(received.dispatcher.dispatch, event)

        elsewhere.append(await anyio.to_thread.run_sync(post))

    assert await received.dispatcher.dispatch(read_event(CONNECT))
    assert elsewhere == [False]
    assert len(received.events) == 1


async def test_a_failed_event_may_come_again(caplog: pytest.LogCaptureFixture) -> None:
    """A failing handler is logged, the others are called, and the next post is handled."""
    received, others = ReceivedEvents(), ReceivedEvents()
    received.dispatcher.on()(others.hear)
    received.failures = 1
    with caplog.at_level(logging.ERROR, "webrtc_async.webhooks"):
        assert not await received.dispatcher.dispatch(read_event(CONNECT))
    assert len(others.events) == 1
    assert "a handler of onConnect for participant p-1 failed" in caplog.text
    assert await received.dispatcher.dispatch(read_event(CONNECT))
    assert len(received.events) == 1


async def test_a_cancelled_event_may_come_again() -> None:
    """A cancellation is raised, and the event counts as not handled."""
    received = ReceivedEvents()
    stuck = [True]

    @received.dispatcher.on()
    async def sleep(_: ParticipantEvent) -> None:
        if stuck.pop():
            await anyio.sleep_forever()

    with anyio.move_on_after(0) as scope:
        await received.dispatcher.dispatch(read_event(CONNECT))
    assert scope.cancelled_caught
    stuck.append(False)
    assert await received.dispatcher.dispatch(read_event(CONNECT))
    assert len(received.events) == 2


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_task_that_a_handler_waits_for_may_be_cancelled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A cancelled task of the handler's own is a failure of the handler, not of the server."""
    received = ReceivedEvents()

    @received.dispatcher.on()
    async def wait(_: ParticipantEvent) -> None:
        asyncio.get_running_loop().call_soon(task.cancel)
        await task

    task = asyncio.get_running_loop().create_task(anyio.sleep_forever())
    with caplog.at_level(logging.ERROR, "webrtc_async.webhooks"):
        assert not await received.dispatcher.dispatch(read_event(CONNECT))
    assert "a handler of onConnect for participant p-1 failed" in caplog.text


async def test_the_memory_is_bounded() -> None:
    """Only the last events are remembered."""
    dispatcher = EventDispatcher(max_remembered=2)
    count = 0

    @dispatcher.on()
    async def hear(_: ParticipantEvent) -> None:
        nonlocal count
        count += 1

    for timestamp in (1, 2, 3, 3, 2, 1):
        await dispatcher.dispatch(read_event({**CONNECT, "timestamp": timestamp}))
    assert count == 4
