"""The subject of a request: the ids in its path and the tags of what it is about."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrtc_async._protocol.wire import WireRequest
from webrtc_async.emulator.core.operations import operations
from webrtc_async.emulator.core.service import operation_of
from webrtc_async.emulator.core.state import AccountState, ParticipantRecord, SessionRecord
from webrtc_async.emulator.core.subject import Subject, subject_of

STATE = AccountState()
STATE.sessions["s-1"] = SessionRecord(id="s-1", tag="ward", expires_at=9)
STATE.sessions["s-2"] = SessionRecord(id="s-2", tag=None, expires_at=9)
STATE.participants["p-1"] = ParticipantRecord(
    id="p-1",
    callback_url=None,
    publish_permissions=frozenset(),
    tag="alice",
    device_api_version="V3",
    expires_at=9,
)


def subject(method, path, content=b"", headers=None, state=STATE):
    path = f"/accounts/7{path}"
    match = operations.match(method, path)
    request = WireRequest(method, path, headers or {}, content)
    return subject_of(request, operation_of(method, path, match), match, state)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/sessions/s-1", Subject("getSession", "s-1", None, ("ward",))),
        ("GET", "/sessions/s-2", Subject("getSession", "s-2")),
        ("GET", "/sessions/gone", Subject("getSession", "gone")),
        ("DELETE", "/participants/p-1", Subject("deleteParticipant", None, "p-1", ("alice",))),
        (
            "PUT",
            "/sessions/s-1/participants/p-1",
            Subject("addParticipantToSession", "s-1", "p-1", ("alice", "ward")),
        ),
        ("GET", "/sessions/s%2F1", Subject("getSession", "s/1")),
        ("GET", "/rooms/s-1", Subject(None)),
    ],
    ids=str,
)
def test_a_subject_has_the_ids_of_the_path_and_their_tags(method, path, expected):
    """The participant's tag comes before the session's; unknown ids have none."""
    assert subject(method, path) == expected


def test_the_subject_of_a_create_has_the_tag_of_its_body():
    """A create is about the resource to be; without a tag it has none."""
    assert subject("POST", "/sessions", b'{"tag": "new"}') == Subject(
        "createSession", tags=("new",)
    )
    assert subject("POST", "/participants", b'{"tag": null}').tag is None
    assert subject("POST", "/sessions").tag is None


def test_a_subject_of_an_unknown_account_has_ids_but_no_tags():
    """Without a state nothing can be looked up."""
    found = subject("GET", "/sessions/s-1", state=None)
    assert (found.session_id, found.tags) == ("s-1", ())


def test_headers_are_found_by_their_lower_case_names_and_not_shown():
    """The repr shows no header, because Authorization is one."""
    found = subject("GET", "/sessions/s-1", headers={"X-Call": "7", "Authorization": "Basic c2Vj"})
    assert found.headers["x-call"] == "7"
    assert "c2Vj" not in repr(found)
    assert found.tag == "ward"


values = st.none() | st.booleans() | st.integers() | st.text(max_size=5)


@given(st.binary(max_size=20) | st.dictionaries(st.just("tag") | st.text(), values).map(json.dumps))
def test_any_body_has_a_subject(content):
    """A body that is no JSON, or has no text as its tag, has no tag."""
    body = content.encode() if isinstance(content, str) else content
    tag = subject("POST", "/sessions", body).tag
    assert tag is None or isinstance(tag, str)
    assert subject("POST", "/sessions", b"[" * 1_000_000).tag is None
