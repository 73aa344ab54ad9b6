"""Snapshots: their content, the state after a restore, and invalid ones."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.speaking import ACCOUNT, Caller, Clock, basic, said
from support.strategies import USUALLY

from webrtc_async._protocol.wire import WireRequest
from webrtc_async.emulator import Credentials, Emulator
from webrtc_async.emulator.core.access_tokens import TOKEN_PATH
from webrtc_async.emulator.core.randomness import PURPOSES, RandomStreams
from webrtc_async.emulator.snapshot_file import SnapshotFile

URL = "http://127.0.0.1:9/hook"


@pytest.fixture
def clock() -> Clock:
    return Clock()


def made(clock: Clock, seed: int | None = 7) -> tuple[Emulator, Caller]:
    emulator = Emulator(seed=seed, clock=clock)
    return emulator, Caller(emulator)


def live(emulator: Emulator, caller: Caller, clock: Clock) -> None:
    """Create one of each kind of state."""
    session, other = caller.session(tag="a"), caller.session()
    participants = [
        caller.participant(callbackUrl=URL, tag="p", publishPermissions=["AUDIO"]),
        caller.participant(publishPermissions=[]),
        caller.participant(deviceApiVersion="V2"),
    ]
    clock.now += 60
    caller.participant(callbackUrl="nonsense")
    third, first, second = participants
    caller.join(session, first, {"sessionId": session})
    caller.join(session, second, {"participants": [{"participantId": first}]})
    caller.join(session, third, {"participants": [{"participantId": "x"}]})
    named = {"participantId": first, "streamAliases": ["cam", "screen"]}
    path = f"/sessions/{other}/participants/{third}/subscriptions"
    caller.ask("PUT", path, {"participants": [named]})
    emulator.devices.connect(third, "phone")
    emulator.set_switches(empty_lists=200, permission_order="shuffled", participant_ids=True)


def everything(emulator: Emulator, caller: Caller) -> list[object]:
    """Return the API's responses about all existing and some new resources."""
    sessions = emulator.session_ids(caller.account)
    participants = emulator.participant_ids(caller.account)
    paths = [
        *(f"/sessions/{each}" for each in sessions),
        *(f"/sessions/{each}/participants" for each in sessions),
        *(f"/participants/{each}" for each in participants),
        *(
            f"/sessions/{session}/participants/{participant}/subscriptions"
            for session in sessions
            for participant in participants
        ),
    ]
    asked = [("GET", path) for path in paths] + [("POST", "/sessions"), ("POST", "/participants")]
    answers = [caller.send(method, path) for method, path in asked]
    return [(each.status, dict(each.headers), each.content) for each in answers]


def test_a_restored_emulator_acts_like_the_first_one(clock):
    """A snapshot restored through JSON gives the same responses, ids, tokens and request ids."""
    emulator, caller = made(clock)
    live(emulator, caller, clock)
    snapshot = json.loads(json.dumps(emulator.snapshot()))
    other, other_caller = made(clock)
    other.restore(snapshot)
    assert other.snapshot() == emulator.snapshot() == snapshot
    assert everything(other, other_caller) == everything(emulator, caller)
    assert other.subscribed_to(ACCOUNT, other.session_ids(ACCOUNT)[0])


def test_restoring_undoes_later_changes(clock):
    """Restoring brings back state, switches, devices and ids, any number of times."""
    emulator, caller = made(clock)
    live(emulator, caller, clock)
    snapshot = emulator.snapshot()
    first = everything(emulator, caller)
    for participant in emulator.participant_ids(ACCOUNT):
        caller.ask("DELETE", f"/participants/{participant}")
    emulator.set_switches(error_bodies="legacy")
    emulator.restore(snapshot)
    assert emulator.snapshot() == snapshot
    assert everything(emulator, caller) == first
    assert len(emulator.webhooks) == 0
    (connected,) = [
        each["id"]
        for each in snapshot["accounts"][ACCOUNT]["participants"]
        if each["deviceId"] == "phone"
    ]
    emulator.devices.leave(connected)
    assert [each.payload["deviceId"] for each in emulator.webhooks] == ["phone"]


def test_restored_resources_keep_their_expiry(clock):
    """The lifetime counts from the creation, not from the restore."""
    emulator, caller = made(clock)
    live(emulator, caller, clock)
    snapshot = emulator.snapshot()
    clock.now += 9 * 3600 - 60
    emulator.restore(snapshot)
    assert len(emulator.participant_ids(ACCOUNT)) == 1
    clock.now += 60
    assert emulator.participant_ids(ACCOUNT) == ()


def test_records_in_any_order_expire_on_time(clock):
    """A reordered snapshot still expires everything on time."""
    emulator, caller = made(clock)
    live(emulator, caller, clock)
    snapshot = emulator.snapshot()
    snapshot["accounts"][ACCOUNT]["participants"].reverse()
    emulator.restore(snapshot)
    clock.now += 9 * 3600 - 60
    assert len(emulator.participant_ids(ACCOUNT)) == 1


def test_without_a_seed_later_ids_are_unpredictable(clock):
    """Without a seed a snapshot holds no random positions, and later ids differ."""
    emulator, caller = made(clock, seed=None)
    live(emulator, caller, clock)
    snapshot = emulator.snapshot()
    assert snapshot["streams"] is None
    ids = []
    for _ in range(2):
        emulator.restore(snapshot)
        ids.append(caller.session())
    assert ids[0] != ids[1]


def test_a_snapshot_has_no_credentials():
    """A snapshot holds no passwords, client secrets or access tokens."""
    emulator = Emulator(
        seed=1, accounts={ACCOUNT: Credentials(password="canary-1", client_secret="canary-2")}
    )
    answer = emulator.handle(
        WireRequest(
            method="POST",
            target=TOKEN_PATH,
            headers={"authorization": basic("client", "canary-2")},
            content=b"grant_type=client_credentials",
        )
    )
    text = json.dumps(emulator.snapshot())
    assert "canary" not in text
    assert said(answer)["access_token"] not in text


def changed(snapshot: dict, *path: str | int, to: object) -> dict:
    """Return a copy with one value changed or added at a path."""
    copy = json.loads(json.dumps(snapshot))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    return copy


RECORD = ("accounts", ACCOUNT, "participants", 0)
ROOM = ("accounts", ACCOUNT, "sessions", 0)


@pytest.mark.parametrize(
    ("path", "to", "sentence"),
    [
        (("version",), 2, "version: only 1 is supported"),
        (("version",), None, "version: expected a number"),
        (("more",), 1, "more: unknown field"),
        (("ahead",), -1, "ahead: the clock can only be moved ahead"),
        (("ahead",), "1", "ahead: expected a number"),
        (("switches",), [], "switches: expected an object"),
        (("switches", "enum_case"), "x", "switches: enum_case must be upper or lower, not 'x'"),
        (("streams", "ids"), "AAAA", "streams: ids: not the position of a random stream"),
        (("streams", "ids"), 5, "streams: ids: not the position of a random stream"),
        (
            ("streams", "ids"),
            "////" * 833 + "/w==",
            "streams: ids: not the position of a random stream",
        ),
        (("accounts",), None, "accounts: expected an object"),
        (("accounts", "x" * 100), {}, "accounts." + "x" * 64 + ": this emulator does not have"),
        (("accounts", ACCOUNT, "sessions"), {}, f"accounts.{ACCOUNT}.sessions: expected an array"),
        ((*ROOM, "members"), ["x"], f"accounts.{ACCOUNT}.sessions[0].members: Participant not"),
        ((*ROOM, "members"), [5], f"accounts.{ACCOUNT}.sessions[0].members: expected an array of"),
        ((*ROOM, "id"), 5, f"accounts.{ACCOUNT}.sessions[0].id: expected text"),
        ((*ROOM, "colour"), 5, f"accounts.{ACCOUNT}.sessions[0].colour: unknown field"),
        ((*RECORD, "expiresAt"), "1", f"accounts.{ACCOUNT}.participants[0].expiresAt: expected a"),
        ((*RECORD, "expiresAt"), 10**400, "participants[0].expiresAt: expected a smaller number"),
        ((*RECORD, "publishPermissions"), ["SMELL"], "publishPermissions: 'SMELL' is unknown"),
        ((*RECORD, "subscriptions"), {"x": {}}, "participants[0].subscriptions.x: Session not"),
        ((*RECORD, "subscriptions"), {"x": 5}, "participants[0].subscriptions.x: expected an"),
    ],
)
def test_a_bad_snapshot_is_refused_and_changes_nothing(clock, path, to, sentence):
    """An invalid snapshot's error names the field, and nothing has changed."""
    emulator, caller = made(clock)
    live(emulator, caller, clock)
    before = emulator.snapshot()
    with pytest.raises(ValueError) as caught:
        emulator.restore(changed(before, *path, to=to))
    assert sentence in str(caught.value)
    assert emulator.snapshot() == before


def test_duplicate_records_are_refused(clock):
    """Duplicate ids and participants in two sessions are refused."""
    emulator, caller = made(clock)
    live(emulator, caller, clock)
    before = emulator.snapshot()
    for kind in ("sessions", "participants"):
        twice = json.loads(json.dumps(before))
        twice["accounts"][ACCOUNT][kind] *= 2
        with pytest.raises(ValueError, match="duplicate id"):
            emulator.restore(twice)
    rooms = json.loads(json.dumps(before))["accounts"][ACCOUNT]["sessions"]
    both = changed(before, "accounts", ACCOUNT, "sessions", 1, "members", to=rooms[0]["members"])
    with pytest.raises(ValueError, match="members: Participant is already in another session"):
        emulator.restore(both)
    assert emulator.snapshot() == before


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["version", "switches", "streams", "accounts", ACCOUNT, "sessions", "participants"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@USUALLY
@given(JSON)
def test_any_json_is_restored_or_refused(value):
    """Any JSON value is restored or raises ValueError."""
    emulator = Emulator(seed=1)
    before = emulator.snapshot()
    for each in (value, {**before, "accounts": {ACCOUNT: value}}, {**before, "switches": value}):
        refusal = None
        try:
            emulator.restore(each)
        except ValueError as error:
            refusal = str(error)
        assert refusal is None or (refusal and emulator.snapshot() == before)


@given(st.integers(), st.lists(st.sampled_from(PURPOSES), max_size=30))
@settings(max_examples=50)
def test_streams_continue_from_their_positions(seed, drawn):
    """From the saved positions, every stream continues with the same values."""
    streams = RandomStreams(seed)
    for purpose in drawn:
        streams[purpose].getrandbits(128)
    others = RandomStreams.from_positions(streams.positions())
    for purpose in PURPOSES:
        assert others[purpose].getrandbits(64) == streams[purpose].getrandbits(64)


# Snapshot files


def test_a_snapshot_follows_no_link(tmp_path: Path, clock: Clock) -> None:
    """A link at the file's name is refused, and one at a name that can be guessed is not used."""
    emulator, caller = made(clock)
    caller.session()
    victim, path = tmp_path / "victim", tmp_path / "state.json"
    victim.write_text("precious")
    for name in (f".state.json.{os.getpid()}", ".state.json", "state.json.tmp"):
        (tmp_path / name).symlink_to(victim)
    with SnapshotFile(emulator, path):
        pass
    (tmp_path / "link.json").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic"), SnapshotFile(emulator, tmp_path / "link.json"):
        pass
    assert victim.read_text() == "precious"
    assert path.stat().st_mode & 0o777 == 0o600
    again = Emulator(clock=clock)
    with SnapshotFile(again, path):
        assert again.session_ids(ACCOUNT) == emulator.session_ids(ACCOUNT)


def test_a_snapshot_replaces_a_file_that_others_could_read(tmp_path: Path, clock: Clock) -> None:
    """A file that existed with other permissions becomes one that only its owner can read."""
    path = tmp_path / "state.json"
    path.touch()
    path.chmod(0o666)
    with SnapshotFile(made(clock)[0], path):
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_failed_snapshot_leaves_nothing(tmp_path: Path, clock: Clock) -> None:
    """A snapshot that cannot take its place leaves no other file behind, and goes on later."""
    emulator, caller = made(clock)
    path = tmp_path / "state.json"
    with SnapshotFile(emulator, path) as file:
        path.unlink()
        path.mkdir()
        caller.session()
        with pytest.raises(OSError, match=r"state\.json"):
            file.save()
        assert [each.name for each in tmp_path.iterdir()] == ["state.json"]
        path.rmdir()
        file.save()
        assert path.is_file()
