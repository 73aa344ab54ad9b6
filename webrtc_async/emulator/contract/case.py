"""What a case is, and how the cases are read from their files."""

import enum
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Any, Final

from attrs import field, frozen


class Evidence(enum.StrEnum):
    """Where it is known from that the service answers so, the surest first."""

    INTEGRATION_TEST = "integration test"
    """A test of the vendor's that ran against the real service."""
    SAMPLE = "sample"
    """A sample application of the vendor's that ran against the real service."""
    DESCRIPTION = "description"
    """The vendor's OpenAPI description."""
    DOCUMENTATION = "documentation"
    """The vendor's prose."""
    INFERENCE = "inference"
    """Nobody says so: it follows from what is known, and only the real service can tell."""


class Caller(enum.StrEnum):
    """Who sends a request."""

    USER = "user"
    """Who has the account's credentials."""
    STRANGER = "stranger"
    """Who has a wrong password."""
    NOBODY = "nobody"
    """Who sends no credentials."""


_FILES: Final = ("participants", "sessions", "membership", "subscriptions", "refusals", "gateway")

_OF_A_STEP: Final = ("send", "body", "headers", "caller", "account", "status", "answer", "save")


@frozen(kw_only=True)
class Step:
    """One request, and what is expected of its answer.

    In every text, $name stands for a value that an earlier step has saved.

    Attributes:
        send: The method, and the path below the account.
        body: The content; empty sends none.
        headers: Headers beside those that every request has.
        caller: Who sends it.
        account: The account in the path, if not the place's own.
        status: The status that is expected.
        answer: The shape of the answer's JSON; None leaves it unread.
        save: Where in the answer a value is, by the name under which it is kept.
    """

    send: str
    body: str = ""
    headers: Mapping[str, str] = field(factory=dict[str, str])
    caller: Caller = field(default=Caller.USER, converter=Caller)
    account: str = ""
    status: int = 200
    answer: object = None
    save: Mapping[str, str] = field(factory=dict[str, str])


@frozen(kw_only=True)
class Case:
    """One thing that is known of the service.

    Attributes:
        operation: The operation that it is about, or "gateway" for what stands before them all.
        name: What is known.
        evidence: What kind of source says so.
        source: Which.
        given: The steps that make what the request needs.
        asked: The request that the case is about.
        then: The steps that show what it did.
        without_webrtc: Whether the account's user has no access to WebRTC.
        hours: How far the clock moves before the request.
        fault: A fault that the service is made to have, by the fields of a rule.
        switches: The emulator's switches that it needs, by name.
        emulator_only: Why the real service cannot be asked; empty when it can.
    """

    operation: str
    name: str
    evidence: Evidence = field(converter=Evidence)
    source: str
    given: tuple[Step, ...]
    asked: Step
    then: tuple[Step, ...] = ()
    without_webrtc: bool = False
    hours: float = 0.0
    fault: Mapping[str, object] = field(factory=dict[str, object])
    switches: Mapping[str, object] = field(factory=dict[str, object])
    emulator_only: str = ""

    @property
    def title(self) -> str:
        """The operation and what is known of it, which no other case has."""
        return f"{self.operation}: {self.name}"


def cases() -> tuple[Case, ...]:
    """Return every case, by operation, and at the end those of what stands before them all."""
    room = files("webrtc_async.emulator.contract").joinpath("cases")
    given = {name: _steps(rows) for name, rows in _read(room, "given.toml").items()}
    usual = _read(room, "operations.toml")
    order = [*usual, "gateway"]
    found = [
        case
        for name in _FILES
        for row in _read(room, f"{name}.toml")["case"]
        for case in _cases(row, usual, given)
    ]
    return tuple(sorted(found, key=lambda case: order.index(case.operation)))


def _cases(
    row: dict[str, Any], usual: Mapping[str, Any], given: Mapping[str, tuple[Step, ...]]
) -> Iterator[Case]:
    """Return a row's cases: one for each operation that it names."""
    about = dict(row)
    own = {name: about.pop(name) for name in _OF_A_STEP if name in about}
    operations, needs = about.pop("operations"), about.pop("given", None)
    about["then"] = _steps(about.pop("then", ()))
    for operation in operations:
        request = dict(usual.get(operation, {}))
        usually = request.pop("given", ())
        wanted = usually if needs is None else needs
        yield Case(
            operation=operation,
            given=tuple(step for name in wanted for step in given[name]),
            asked=Step(**{**request, **own}),
            **about,
        )


def _steps(rows: Iterable[Mapping[str, Any]]) -> tuple[Step, ...]:
    return tuple(Step(**row) for row in rows)


def _read(room: Any, name: str) -> dict[str, Any]:
    return tomllib.loads(room.joinpath(name).read_text("utf-8"))
