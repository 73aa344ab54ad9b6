"""The emulator's clock: moved ahead, frozen, saved, and set by control calls."""

import datetime
import math

import pytest
import time_machine
from freezegun import freeze_time
from support.speaking import ACCOUNT, Caller, Clock, ask, said

from webrtc_async import AsyncWebRtcClient, OAuth2ClientCredentials
from webrtc_async.emulator import Emulator, EmulatorTransport
from webrtc_async.emulator.control.calls import Control
from webrtc_async.emulator.core.clock import EmulatorClock
from webrtc_async.route_table import CREATE_SESSION

MOMENT = datetime.datetime(2026, 12, 2, tzinfo=datetime.UTC)


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(seed=1, clock=Clock())


@pytest.mark.parametrize(
    ("by", "seconds"),
    [({"seconds": 1.5}, 1.5), ({"minutes": 2}, 120), ({"hours": 9, "seconds": 1}, 32401), ({}, 0)],
)
def test_the_clock_is_moved_ahead(by, seconds):
    """The emulator's time is that of its source and the sum of all moves."""
    clock = EmulatorClock(Clock(1000.0))
    clock.advance(**by)
    clock.advance(1)
    assert (clock(), clock.ahead) == (1001 + seconds, 1 + seconds)


@pytest.mark.parametrize("by", [-1, math.inf, math.nan])
def test_the_clock_is_not_moved_back(by):
    """Another move is refused, and changes nothing."""
    clock = EmulatorClock(Clock(1000.0))
    with pytest.raises(ValueError, match="only be moved ahead"):
        clock.advance(by)
    assert clock() == 1000


def test_sessions_end_after_nine_hours(emulator):
    """A session is there a moment before its end, and not after it."""
    caller = Caller(emulator)
    created = caller.ask("POST", "/sessions")["id"]
    emulator.clock.advance(hours=8, minutes=59)
    assert caller.send("GET", f"/sessions/{created}").status == 200
    emulator.clock.advance(minutes=1)
    assert caller.send("GET", f"/sessions/{created}").status == 404


@pytest.mark.anyio
@pytest.mark.usefixtures("anyio_backend")
@pytest.mark.parametrize("ends", ["revoked", "expired"])
async def test_a_client_fetches_a_new_token_when_its_own_ends(emulator, ends):
    """A call goes on with a new token, when the service refuses the one it has."""
    async with AsyncWebRtcClient(
        ACCOUNT,
        auth=OAuth2ClientCredentials("client", "secret"),
        transport=EmulatorTransport(emulator),
    ) as client:
        await client.create_session()
        if ends == "revoked":
            assert ask(Control(emulator), "DELETE", "/access-tokens").status == 204
        else:
            emulator.clock.advance(hours=1)
        await client.create_session()
    assert emulator.requests("getAccessToken") == 2
    assert emulator.requests(CREATE_SESSION) == 3


def test_storms_and_rate_windows_go_by_the_clock(emulator):
    """A storm passes and a window opens when the clock is moved."""
    caller = Caller(emulator, can_fail=True)
    emulator.faults.add(CREATE_SESSION, storm=30)
    assert caller.send("POST", "/sessions").status >= 500
    emulator.clock.advance(31)
    assert caller.send("POST", "/sessions").status == 200
    emulator.faults.clear()
    emulator.faults.add(CREATE_SESSION, limit=1, window=10)
    assert [caller.send("POST", "/sessions").status for _ in range(2)] == [200, 429]
    emulator.clock.advance(10)
    assert caller.send("POST", "/sessions").status == 200


@pytest.mark.parametrize(
    "frozen",
    [lambda: freeze_time(MOMENT), lambda: time_machine.travel(MOMENT, tick=False)],
    ids=["freezegun", "time-machine"],
)
def test_the_clock_follows_frozen_time(frozen):
    """An emulator that was made before goes by the time that a test freezes."""
    emulator = Emulator()
    with frozen():
        assert emulator.clock() == MOMENT.timestamp()
        emulator.clock.advance(5)
        assert emulator.clock() == MOMENT.timestamp() + 5


def test_control_calls_read_and_move_the_clock(emulator):
    """The response has the new time, as a number and as text."""
    control = Control(emulator)
    before = {"now": 1_800_000_000.0, "time": "2027-01-15T08:00:00.000Z", "ahead": 0.0}
    assert said(ask(control, "GET", "/clock")) == before
    moved = said(ask(control, "POST", "/clock", {"advance": 90.5}))
    after = {"now": 1_800_000_090.5, "time": "2027-01-15T08:01:30.500Z", "ahead": 90.5}
    assert moved == said(ask(control, "GET", "/clock")) == after


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"advance": -1}, "advance: -1 is not between 0 and 3153600000 seconds"),
        ({"advance": 1e12}, "advance: 1e+12 is not between 0 and 3153600000 seconds"),
        ({"advance": "1"}, "advance: expected a number"),
        ({}, "advance: missing, expected a number"),
        ({"advance": 1, "hours": 1}, "hours: unknown field"),
    ],
)
def test_a_wrong_move_is_refused(emulator, body, sentence):
    """A 400 names the field, and the clock is unchanged."""
    refused = ask(Control(emulator), "POST", "/clock", body)
    assert (refused.status, said(refused)) == (400, {"error": sentence})
    assert emulator.clock.ahead == 0


def test_a_snapshot_keeps_the_time_and_a_reset_returns_to_it(emulator):
    """A restored emulator is as far ahead; snapshots of earlier releases are not ahead."""
    emulator.clock.advance(hours=1)
    snapshot = emulator.snapshot()
    restored = Emulator(clock=Clock())
    restored.restore(snapshot)
    assert restored.clock.ahead == 3600
    restored.restore({name: each for name, each in snapshot.items() if name != "ahead"})
    assert restored.clock.ahead == 0
    emulator.reset()
    assert emulator.clock.ahead == 0
