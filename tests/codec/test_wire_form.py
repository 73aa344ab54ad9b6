"""The public wire form: `to_wire` and `from_wire`."""

import json
from typing import Any

import pytest
from hypothesis import given
from support.strategies import BRIEFLY, JSON, MODELS

from webrtc_async import (
    AccountsParticipantsResponse,
    InvalidArgumentError,
    Participant,
    Session,
    Subscriptions,
    from_wire,
    to_wire,
)
from webrtc_async.webhooks import ParticipantEvent, read_event

CREATED = AccountsParticipantsResponse(
    participant=Participant(
        id="p-1",
        callback_url="https://app.example/hook",
        publish_permissions=["VIDEO", "AUDIO"],
        sessions=["s-1"],
        subscriptions=Subscriptions.only(["p-2"], session_id="s-1"),
        extra={"mood": ["good"]},
    ),
    token="a.b.c",
)
WIRE = {
    "participant": {
        "id": "p-1",
        "callbackUrl": "https://app.example/hook",
        "publishPermissions": ["AUDIO", "VIDEO"],
        "sessions": ["s-1"],
        "subscriptions": {"sessionId": "s-1", "participants": [{"participantId": "p-2"}]},
        "mood": ["good"],
    },
    "token": "a.b.c",
}


def test_every_field_that_is_set() -> None:
    """The wire form has the API's names, the fields of the service and the unknown ones."""
    assert to_wire(CREATED) == WIRE
    assert from_wire(AccountsParticipantsResponse, WIRE) == CREATED
    assert to_wire(Session()) == to_wire(Subscriptions.nothing()) == {}
    assert from_wire(Session, {"id": None, "tag": "visit"}) == Session(tag="visit")


@BRIEFLY
@given(MODELS)
def test_there_and_back(model: Any) -> None:
    """Every model is equal after its wire form, which is JSON, was read."""
    wire = to_wire(model)
    assert from_wire(type(model), json.loads(json.dumps(wire))) == model


def test_the_wire_form_is_the_caller_s() -> None:
    """A change of the wire form does not change the model."""
    wire: Any = to_wire(CREATED)
    wire["participant"]["mood"].append("bad")
    assert to_wire(CREATED) == WIRE


def test_an_event_has_a_wire_form_too() -> None:
    """An event can be handed on, for example to a worker."""
    event = read_event({"event": "onLeave", "timestamp": "5", "participantId": "p", "mood": 1})
    wire = {"event": "onLeave", "timestamp": 5, "participantId": "p", "mood": 1}
    assert to_wire(event) == wire
    assert from_wire(ParticipantEvent, wire) == event


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (Session, "takes a model, not type"),
        ({}, "takes a model, not dict"),
        (None, "takes a model, not NoneType"),
        (Session(tag=5), "The Session has no wire form: tag: expected text"),  # type: ignore[arg-type]
        (Session(extra={"mood": b"good"}), "The Session has no wire form"),
        (Session(extra={"mood": float("nan")}), "The Session has no wire form"),
        (Session(extra={5: "good"}), "text as its keys"),  # type: ignore[dict-item]
        ([CREATED], "takes a model, not list"),
    ],
)
def test_a_value_without_a_wire_form(value: Any, problem: str) -> None:
    """A value that is no model, or holds what JSON has not, is refused in a sentence."""
    with pytest.raises(InvalidArgumentError, match=problem):
        to_wire(value)


@pytest.mark.parametrize(
    ("model", "value", "problem"),
    [
        (Session, {"tag": 5}, "The value is not a Session: tag: expected text"),
        (Session, b"{}", "expected an object"),
        (Session, {5: "x"}, "text as its keys"),
        (
            AccountsParticipantsResponse,
            {"participant": {"id": 5}},
            "participant.id: .* token: miss",
        ),
        (dict, {}, "the class of a model, not <class 'dict'>"),
        (CREATED, {}, "the class of a model"),
    ],
)
def test_a_value_that_fits_no_model(model: Any, value: Any, problem: str) -> None:
    """A value that does not fit is refused in a sentence that names each misfit, and no token."""
    with pytest.raises(InvalidArgumentError, match=problem) as caught:
        from_wire(model, value)
    assert "a.b.c" not in str(caught.value)


@BRIEFLY
@given(value=JSON)
def test_only_our_own_error_is_raised(value: Any) -> None:
    """Every JSON value is a model or raises this package's error."""
    for model in (Session, Participant, Subscriptions, AccountsParticipantsResponse):
        try:
            assert isinstance(from_wire(model, value), model)
        except InvalidArgumentError:
            continue
