"""A row of the matrix, its cells, and what each must come to."""

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
    """What a call must come to.

    Attributes:
        error: The class of what it raises; None for a result.
        requests: How many requests (or, where there are none, connections) the server sees.
        outcome: Of the error.
        status: Of the error.
        says: A pattern in the error's text.
        holds: A question to the result.
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
        """Compare with what came."""
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
    """Expect a lost answer, whose status may have been seen."""
    outcome = Outcome.UNKNOWN if status is None else Outcome.ANSWERED
    return Expected(UnknownOutcomeError, requests, outcome, status, says)


def misfit(says: str = "", error: type[WebRtcError] = UnexpectedResponseError) -> Expected:
    """Expect a success whose body is refused, once."""
    return Expected(error, 1, Outcome.ANSWERED, 200, says)


def refused(error: type[WebRtcError], requests: int, status: int, says: str = "") -> Expected:
    """Expect the error of a status."""
    return Expected(error, requests, Outcome.ANSWERED, status, says)


def late(outcome: Outcome, status: int | None = None, requests: int = 1) -> Expected:
    """Expect the deadline."""
    return Expected(DeadlineExceededError, requests, outcome, status)


@frozen
class Row:
    """A fault, and what calls make of it.

    Attributes:
        number: Of the fault; a letter after it tells its variants apart.
        fault: In words.
        stage: Sets the fault up.
        repeatable: What a call that may arrive twice comes to.
        create: What a create comes to; None where the fault has no create.
        perform: The repeatable call.
        perform_create: The create.
        deadline: Seconds; a short one where the row is about time.
        heals: Whether the fault can end: then later calls succeed; else they fail alike.
        is_warm: Whether the fault strikes a connection that has served before.
        settings: Of the client's policy.
        credentials: What its cells are tried with, in turns.
        cannot: Transports that cannot do it, with the reason; their cells must fail.
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
        """Whether its cells are held to their deadline with 50 ms to spare."""
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
        """What the call must come to."""
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
    """A fault that is not one of a call over a transport, and the tests that hold it."""

    number: str
    fault: str
    tests: tuple[str, ...]
