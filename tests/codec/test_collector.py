"""The garbage collector is as it was, whatever happens while a list is read."""

import gc

import pytest

from webrtc_async._codec.collector import WORTH_IT, paused_collector
from webrtc_async._codec.model_codec import ValidationError, read_answer
from webrtc_async.models import Participant, Session


def test_it_is_off_inside() -> None:
    """Only inside, however often it is entered, the collector is off."""
    with paused_collector():
        assert not gc.isenabled()
        with paused_collector():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_error_turns_it_on_again() -> None:
    """A long body that does not fit leaves the collector on."""
    with pytest.raises(ValidationError):
        read_answer(b"[" + b"5," * WORTH_IT + b"5]", list[Participant])
    assert gc.isenabled()


def test_one_that_was_off_stays_off() -> None:
    """A program that runs without the collector goes on without it."""
    gc.disable()
    try:
        assert read_answer(b'{"id":"%b"}' % (b"x" * WORTH_IT), Session).id[:1] == "x"
        assert not gc.isenabled()
    finally:
        gc.enable()
