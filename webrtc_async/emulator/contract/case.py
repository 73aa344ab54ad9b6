"""A case of the contract, and the reader of the case files."""

import enum
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Any, Final

from attrs import field, frozen


class Evidence(enum.StrEnum):
    """The kind of source for a case, the most reliable first."""

    INTEGRATION_TEST = "integration test"
    """One of the vendor's tests, which ran against the real service."""
    SAMPLE = "sample"
    """One of the vendor's sample applications, which ran against the real service."""
    DESCRIPTION = "description"
    """The vendor's OpenAPI description."""
    DOCUMENTATION = "documentation"
    """The vendor's documentation in prose."""
    INFERENCE = "inference"
    """A conclusion from other sources; only the real service can confirm it."""


class Caller(enum.StrEnum):
    """The sender of a request."""

    USER = "user"
    """A caller with the account's credentials."""
    STRANGER = "stranger"
    """A caller with a wrong password."""
    NOBODY = "nobody"
    """A caller without credentials."""


_FILES: Final = ("participants", "sessions", "membership", "subscriptions", "refusals", "gateway")

_STEP_FIELDS: Final = (
    "send",
    "body",
    "headers",
    "caller",
    "account",
    "status",
    "response",
    "save",
)


@frozen(kw_only=True)
class Step:
    """One request and its expected response.

    In every text, $name stands for a value that an earlier step saved.

    Attributes:
        send: Method and path below the account.
        body: Request body; empty sends none.
        headers: Headers in addition to those of every request.
        caller: Sender of the request.
        account: Account in the path; by default the target's own.
        status: Expected status.
        response: Expected shape of the response's JSON; None accepts any body.
        save: Dotted path of a value in the response, by the name to save it under.
    """

    send: str
    body: str = ""
    headers: Mapping[str, str] = field(factory=dict[str, str])
    caller: Caller = field(default=Caller.USER, converter=Caller)
    account: str = ""
    status: int = 200
    response: object = None
    save: Mapping[str, str] = field(factory=dict[str, str])


@frozen(kw_only=True)
class Case:
    """One known behaviour of the service.

    Attributes:
        operation: Name of the operation, or "gateway" for the gateway in front of all.
        name: The behaviour in words.
        evidence: Kind of the source.
        source: The source.
        given: Steps that create what the request needs.
        step: The request of the case.
        then: Steps that check the effect.
        without_webrtc: True if the account's user has no access to WebRTC.
        hours: Hours that the clock moves before the request.
        fault: Fields of a fault rule for the emulator.
        switches: Switches that the case needs, by name.
        emulator_only: Reason that the case cannot run against the real service; empty if it can.
    """

    operation: str
    name: str
    evidence: Evidence = field(converter=Evidence)
    source: str
    given: tuple[Step, ...]
    step: Step
    then: tuple[Step, ...] = ()
    without_webrtc: bool = False
    hours: float = 0.0
    fault: Mapping[str, object] = field(factory=dict[str, object])
    switches: Mapping[str, object] = field(factory=dict[str, object])
    emulator_only: str = ""

    @property
    def title(self) -> str:
        """The operation and the name, unique for each case."""
        return f"{self.operation}: {self.name}"


def cases() -> tuple[Case, ...]:
    """Return all cases, by operation, those of the gateway last."""
    directory = files("webrtc_async.emulator.contract").joinpath("cases")
    given = {name: _steps(rows) for name, rows in _read(directory, "given.toml").items()}
    defaults = _read(directory, "operations.toml")
    order = [*defaults, "gateway"]
    found = [
        case
        for name in _FILES
        for row in _read(directory, f"{name}.toml")["case"]
        for case in _cases(row, defaults, given)
    ]
    return tuple(sorted(found, key=lambda case: order.index(case.operation)))


def _cases(
    row: dict[str, Any], defaults: Mapping[str, Any], given: Mapping[str, tuple[Step, ...]]
) -> Iterator[Case]:
    """Yield a case for each operation of a row."""
    fields = dict(row)
    own = {name: fields.pop(name) for name in _STEP_FIELDS if name in fields}
    operations, own_given = fields.pop("operations"), fields.pop("given", None)
    fields["then"] = _steps(fields.pop("then", ()))
    for operation in operations:
        request = dict(defaults.get(operation, {}))
        default_given = request.pop("given", ())
        names = default_given if own_given is None else own_given
        yield Case(
            operation=operation,
            given=tuple(step for name in names for step in given[name]),
            step=Step(**{**request, **own}),
            **fields,
        )


def _steps(rows: Iterable[Mapping[str, Any]]) -> tuple[Step, ...]:
    return tuple(Step(**row) for row in rows)


def _read(directory: Any, name: str) -> dict[str, Any]:
    return tomllib.loads(directory.joinpath(name).read_text("utf-8"))
