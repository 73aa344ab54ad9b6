"""A fault rule: which requests it is for and what goes wrong with them, checked when it is made."""

from collections.abc import Mapping
from typing import Any, Final, Literal, TypedDict, cast

from attrs import asdict, field, fields, frozen

from webrtc_async._protocol.route import Route
from webrtc_async.emulator.faults.check import (
    LONGEST_WAIT,
    MOST_BYTES,
    is_flag,
    is_operation,
    is_text,
    number,
    one_of,
    shown,
    whole,
)

FAULTS: Final = (
    "status",
    "storm",
    "limit",
    "delay",
    "slow_headers",
    "slow_body",
    "refuse",
    "drop",
    "lose_answer",
    "truncate",
    "wrong_length",
    "garbage",
    "trailing",
)
"""What can go wrong: a rule gives exactly one of these."""

BEFORE_ACTING: Final = frozenset({"status", "storm", "limit", "refuse", "drop"})
"""Faults that come before the service has done anything."""

_ANSWERED: Final = frozenset({"status", "storm", "limit"})
_GATEWAY: Final = (502, 503, 504)

FaultBody = Literal["error", "message", "code", "html", "empty"]
Ending = Literal["reset", "close"]


class FaultFields(TypedDict, total=False):
    """The keywords of a rule but its route, as `FaultRule` describes them."""

    nth: int | None
    times: int | None
    probability: float | None
    seed: int | None
    status: int | None
    body: FaultBody | None
    retry_after: int | str | None
    storm: float | None
    limit: int | None
    window: float | None
    delay: float | None
    slow_headers: float | None
    slow_body: float | None
    refuse: bool
    drop: Ending | Literal[True] | None
    lose_answer: Ending | Literal[True] | None
    truncate: int | None
    wrong_length: int | None
    garbage: int | None
    trailing: str | None


def _operation_of(route: Route[Any, Any] | str | None) -> str | None:
    return route.operation if isinstance(route, Route) else route


def _ending_of(ending: Ending | Literal[True] | None) -> Ending | None:
    return "reset" if ending is True else ending


_seconds: Final = number(LONGEST_WAIT, "seconds")
_ending: Final = one_of("reset", "close")


@frozen(kw_only=True)
class FaultRule:
    """Which requests something goes wrong with, and what.

    Give exactly one fault: `status`, `storm` (and `status`, for one of the three), `limit`,
    `delay`, `slow_headers`, `slow_body`, `refuse`, `drop`, `lose_answer`, `truncate`,
    `wrong_length`, `garbage` or `trailing`. Except for `status`, `storm`, `limit`, `refuse` and
    `drop`, the service has acted on the request before anything goes wrong.

    Attributes:
        route: The operation that it is for, by its route or its name; None for any request.
        nth: The request, counted from 1, that it begins with; only that one, unless `times` is
            given.
        times: How many requests it strikes.
        probability: How likely it strikes each request.
        seed: Of the randomness; the same seed strikes the same requests.
        status: The answer's status, 200 to 599.
        body: The answer's body with `status`, `storm` or `limit`: one of the service's three error
            bodies ("error", "message", "code"), an "html" page as of a gateway, or "empty". Left
            out, it is the one that the service or its gateway uses with the status.
        retry_after: The Retry-After header. With `status`, in seconds; with `storm` and `limit`,
            how to write what is left of them: "seconds", "date" or "nonsense".
        storm: For so many seconds of the emulator's clock, beginning with the first request that it
            strikes, a gateway answers with 502, 503 and 504.
        limit: So many requests are let through in each `window`; further ones get a 429.
        window: Seconds of the emulator's clock; 1 unless given.
        delay: Seconds before the answer begins.
        slow_headers: Seconds that the answer's head takes, in small pieces.
        slow_body: Seconds that the answer's body takes, in small pieces.
        refuse: Refuse the connection. Over TCP it is there already, so it is reset.
        drop: End the connection before acting, by a "reset" or a plain "close"; True for a reset.
        lose_answer: Act, and end the connection in place of the answer, in the same ways.
        truncate: Bytes of the answer's body that come before the connection is closed. Of an answer
            that has no more than that, half the head comes.
        wrong_length: What is added to the answer's Content-Length.
        garbage: So many bytes that are no HTTP come in place of the answer.
        trailing: Text that comes right after the complete answer.

    Raises:
        ValueError: A value cannot be, or two do not go together; the text names the field.
    """

    route: str | None = field(default=None, converter=_operation_of, validator=is_operation)
    nth: int | None = field(default=None, validator=whole(1))
    times: int | None = field(default=None, validator=whole(1))
    probability: float | None = field(default=None, validator=number(1, "a number"))
    seed: int | None = field(default=None, validator=whole(0))
    status: int | None = field(default=None, validator=whole(200, 599))
    body: FaultBody | None = field(
        default=None, validator=one_of("error", "message", "code", "html", "empty")
    )
    retry_after: int | str | None = None
    storm: float | None = field(default=None, validator=_seconds)
    limit: int | None = field(default=None, validator=whole(0))
    window: float | None = field(default=None, validator=_seconds)
    delay: float | None = field(default=None, validator=_seconds)
    slow_headers: float | None = field(default=None, validator=_seconds)
    slow_body: float | None = field(default=None, validator=_seconds)
    refuse: bool = field(default=False, validator=is_flag)
    drop: Ending | None = field(default=None, converter=_ending_of, validator=_ending)
    lose_answer: Ending | None = field(default=None, converter=_ending_of, validator=_ending)
    truncate: int | None = field(default=None, validator=whole(0))
    wrong_length: int | None = field(default=None, validator=whole(-MOST_BYTES, MOST_BYTES))
    garbage: int | None = field(default=None, validator=whole(1, MOST_BYTES))
    trailing: str | None = field(default=None, validator=is_text)

    def __attrs_post_init__(self) -> None:
        given = self._faults_given()
        if not given:
            raise ValueError(f"A fault is missing: give exactly one of {', '.join(FAULTS)}.")
        if len(given) > 1:
            raise ValueError(
                f"{' and '.join(given)} are {len(given)} faults: make a rule for each."
            )
        self._check_company(given[0])
        self._check_retry_after(given[0])

    @property
    def fault(self) -> str:
        """Which of `FAULTS` it is."""
        return self._faults_given()[0]

    @property
    def acts(self) -> bool:
        """Whether the service acts on a request that is struck."""
        return self.fault not in BEFORE_ACTING

    @property
    def hides_answer(self) -> bool:
        """Whether nobody sees even the status of the service's answer."""
        return self.fault in {"refuse", "drop", "lose_answer", "garbage"}

    @property
    def wait(self) -> float:
        """Seconds that it makes an answer take longer."""
        return self.delay or self.slow_headers or self.slow_body or 0.0

    def picture(self) -> dict[str, object]:
        """Return what is given, as JSON's values; `read_rule` makes the same rule of it."""
        blank = {each.name: each.default for each in fields(FaultRule)}
        return {name: value for name, value in asdict(self).items() if value != blank[name]}

    def __str__(self) -> str:
        value = getattr(self, self.fault)
        return self.fault if value is True else f"{self.fault} {value}"

    def _faults_given(self) -> list[str]:
        # Not by equality: 0 is given, and equal to False.
        given = [
            name
            for name in FAULTS
            if (value := getattr(self, name)) is not None and value is not False
        ]
        return given[1:] if given[:2] == ["status", "storm"] else given

    def _check_company(self, fault: str) -> None:
        forbidden = {
            "body": fault not in _ANSWERED,
            "retry_after": fault not in _ANSWERED,
            "window": fault != "limit",
            "nth": fault == "limit",
            "times": fault in {"limit", "storm"},
            "probability": fault in {"limit", "storm"},
        }
        for name, is_forbidden in forbidden.items():
            if is_forbidden and getattr(self, name) is not None:
                raise ValueError(f"{name} does not go together with {fault}.")
        if self.nth is not None and self.probability is not None:
            raise ValueError("nth does not go together with probability.")
        if self.seed is not None and fault != "storm" and self.probability is None:
            raise ValueError("seed goes together with probability or storm only.")
        if fault == "storm" and self.status not in {None, *_GATEWAY}:
            raise ValueError(f"status must be 502, 503 or 504 in a storm, not {self.status}.")
        if self.wrong_length == 0:
            raise ValueError("wrong_length must not be 0, which would be right.")

    def _check_retry_after(self, fault: str) -> None:
        if self.retry_after is None:
            return
        if fault == "status":
            if type(self.retry_after) is not int or self.retry_after < 0:
                raise ValueError("retry_after must be whole seconds together with status.")
        elif self.retry_after not in ("seconds", "date", "nonsense"):
            raise ValueError(
                f"retry_after must be one of seconds, date, nonsense together with {fault}."
            )


def read_rule(mapping: object) -> FaultRule:
    """Return the rule that a mapping of JSON's values is.

    Raises:
        ValueError: It is no rule; the text names the field.
    """
    if not isinstance(mapping, Mapping):
        raise ValueError("A fault rule is an object, such as {status: 503}.")  # noqa: TRY004
    given = cast("Mapping[object, object]", mapping)
    known = {each.name for each in fields(FaultRule)}
    for name in given:
        if name not in known:
            raise ValueError(f"{shown(name)} is no field of a fault rule.")
    return FaultRule(**cast("dict[str, Any]", {**given}))
