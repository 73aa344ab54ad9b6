"""A row of the matrix, its cells, and their expected results."""

import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal

from attrs import field, frozen

from webrtc_async import AsyncWebRtcClient, Outcome
from webrtc_async.errors import (
    ConnectionFailedError,
    DeadlineExceededError,
    UnexpectedResponseError,
    UnknownOutcomeError,
    WebRtcError,
)

from .credentials import KINDS as CREDENTIALS
from .credentials import Credentials
from .scene import Scene

Kind = Literal["repeatable", "create"]
Perform = Callable[[AsyncWebRtcClient], Awaitable[Any]]


async def get_session(client: AsyncWebRtcClient) -> Any:
    return await client.get_session("s-1")


async def create_session(client: AsyncWebRtcClient) -> Any:
    return await client.create_session()


async def get_participant(client: AsyncWebRtcClient) -> Any:
    return await client.get_participant("p-1")


async def create_participant(client: AsyncWebRtcClient) -> Any:
    return await client.create_participant()


@frozen
class Expected:
    """The expected result of a call.

    Attributes:
        error: The class of the error; None for a result.
        requests: The number of requests at the server, or of connections if there are none.
        outcome: The error's outcome.
        status: The error's status.
        says: A pattern in the error's text.
        holds: Returns True for a valid result.
    """

    error: type[WebRtcError] | None = None
    requests: int = 1
    outcome: Outcome | None = None
    status: int | None = None
    says: str = ""
    holds: Callable[[Any], bool] = field(default=lambda result: result.id == "s-1")

    def __str__(self) -> str:
        if self.error is None:
            shown = "result"
        else:
            shown = self.error.__name__
            if self.outcome is not None:
                shown += f", {self.outcome.name}"
        return f"{shown}, {self.requests} sent"

    def check(self, result: object, requests: int) -> None:
        """Compare with the actual result."""
        if self.error is None:
            assert not isinstance(result, BaseException), repr(result)
            assert self.holds(result), result
        else:
            assert isinstance(result, self.error), repr(result)
            assert self.outcome is None or result.outcome is self.outcome, result.outcome
            assert self.status is None or getattr(result, "status", None) == self.status
            assert re.search(self.says, str(result)), str(result)
        assert requests == self.requests, f"{requests} requests; {result!r}"


def result(requests: int = 1, holds: Callable[[Any], bool] | None = None) -> Expected:
    """Expect a result."""
    return Expected(requests=requests, **({} if holds is None else {"holds": holds}))


def unsent(requests: int = 3, says: str = "") -> Expected:
    """Expect a failed connection with nothing sent."""
    return Expected(ConnectionFailedError, requests, Outcome.NOT_SENT, says=says)


def lost(requests: int, status: int | None = None, says: str = "") -> Expected:
    """Expect a lost response, whose status may be known."""
    outcome = Outcome.UNKNOWN if status is None else Outcome.ANSWERED
    return Expected(UnknownOutcomeError, requests, outcome, status, says)


def misfit(says: str = "", error: type[WebRtcError] = UnexpectedResponseError) -> Expected:
    """Expect a success with an invalid body, after one request."""
    return Expected(error, 1, Outcome.ANSWERED, 200, says)


def refused(error: type[WebRtcError], requests: int, status: int, says: str = "") -> Expected:
    """Expect the error of a status."""
    return Expected(error, requests, Outcome.ANSWERED, status, says)


def late(outcome: Outcome, status: int | None = None, requests: int = 1) -> Expected:
    """Expect the deadline."""
    return Expected(DeadlineExceededError, requests, outcome, status)


@frozen
class Row:
    """A fault, and the results of calls that meet it.

    Attributes:
        number: The fault's number; a letter distinguishes its variants.
        fault: A description in words.
        stage: Sets the fault up.
        repeatable: The expected result of a repeatable call.
        create: The expected result of a create; None if the fault has no create.
        perform: The repeatable call.
        perform_create: The create.
        deadline: The deadline in seconds; short if the row is about time.
        heals: True if later calls succeed after the fault ends; False if they fail alike.
        is_warm: True to apply the fault to a connection that has served a request.
        settings: Settings of the client's policy.
        credentials: The credentials of its cells, in turn.
        cannot: Transports that cannot pass, with the reason; their cells must fail.
    """

    number: str
    fault: str
    stage: Callable[[], AbstractAsyncContextManager[Scene]]
    repeatable: Expected
    create: Expected | None
    perform: Perform = get_session
    perform_create: Perform = create_session
    deadline: float = 10
    heals: bool = True
    is_warm: bool = False
    settings: Mapping[str, Any] = field(factory=dict)
    credentials: tuple[Credentials, ...] = CREDENTIALS
    cannot: Mapping[str, str] = field(factory=dict)

    @property
    def is_about_time(self) -> bool:
        """True if the cells must meet their deadline within 50 ms."""
        return self.deadline < 1


@frozen
class Cell:
    """A row on one transport, for one kind of call, with one kind of credentials."""

    row: Row
    transport: str
    kind: Kind
    credentials: Credentials

    @property
    def expected(self) -> Expected:
        """The expected result of the call."""
        chosen = self.row.repeatable if self.kind == "repeatable" else self.row.create
        assert chosen is not None
        return chosen

    @property
    def perform(self) -> Perform:
        """The call."""
        return self.row.perform if self.kind == "repeatable" else self.row.perform_create

    def __str__(self) -> str:
        return f"{self.row.number}-{self.transport}-{self.kind}-{self.credentials.name}"


@frozen
class Held:
    """A fault outside a single call over a transport, and the tests that cover it."""

    number: str
    fault: str
    tests: tuple[str, ...]
