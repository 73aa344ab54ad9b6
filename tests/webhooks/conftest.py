"""Fixtures of the tests of webhooks."""

import logging
from collections.abc import Iterator

import pytest
from support.webhook_receivers import EVERY, Receiver, receiving


@pytest.fixture(params=EVERY)
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    """A receiver under each framework."""
    with receiving(request.param) as receiver:
        yield receiver


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Check that no warning was logged and no traceback was written."""
    yield
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING] == []
    assert "Traceback" not in capfd.readouterr().err
