"""Fault rules: a fault, and the requests that it applies to; validated when made."""

from collections.abc import Mapping
from typing import Any, Final, Literal, TypedDict, cast

from attrs import asdict, field, fields, frozen

from webrtc_async._protocol.route import Route
from webrtc_async.emulator.faults.check import (
    MAX_BYTES,
    MAX_WAIT,
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
"""The faults; a rule has exactly one."""

BEFORE_ACTING: Final = frozenset({"status", "storm", "limit", "refuse", "drop"})
"""Faults that happen before the service acts on the request."""

_WITH_STATUS: Final = frozenset({"status", "storm", "limit"})
_GATEWAY: Final = (502, 503, 504)

FaultBody = Literal["error", "message", "code", "html", "empty"]
Ending = Literal["reset", "close"]


class FaultFields(TypedDict, total=False):
    """The fields of a rule without its route, as `FaultRule` describes them."""

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


_seconds: Final = number(MAX_WAIT, "seconds")
_ending: Final = one_of("reset", "close")


@frozen(kw_only=True)
class FaultRule:
    """A fault, and the requests that it applies to.

    Give exactly one fault: `status`, `storm` (with `status` to fix its status), `limit`, `delay`,
    `slow_headers`, `slow_body`, `refuse`, `drop`, `lose_answer`, `truncate`, `wrong_length`,
    `garbage` or `trailing`. With `status`, `storm`, `limit`, `refuse` and `drop` the service does
    not act on the request; with all others it acts first.

    Attributes:
        route: The rule's operation, given as a route or a name; None for every request.
        nth: Number of the first affected request, from 1; the only one unless `times` is given.
        times: Maximum number of affected requests.
        probability: Probability that a request is affected.
        seed: Seed of the randomness; the same seed affects the same requests.
        status: Status of the response, 200 to 599.
        body: Response body with `status`, `storm` or `limit`: one of the service's three error
            bodies ("error", "message", "code"), an "html" page like a gateway's, or "empty". The
            default is the body that the service or its gateway uses with the status.
        retry_after: Retry-After header. With `status`, in seconds; with `storm` and `limit`, the
            format of the remaining time: "seconds", "date" or "nonsense".
        storm: Duration in seconds of the emulator's clock, from the first affected request, in
            which a gateway responds with 502, 503 and 504.
        limit: Number of requests accepted in each `window`; further ones get a 429.
        window: Length in seconds of the emulator's clock; the default is 1.
        delay: Seconds before the response starts.
        slow_headers: Seconds that sending the response head takes, in small pieces.
        slow_body: Seconds that sending the response body takes, in small pieces.
        refuse: Refuse the connection. Over TCP the open connection is reset.
        drop: End the connection before acting, with a "reset" or a plain "close"; True for a reset.
        lose_answer: Act, then end the connection instead of responding, in the same ways.
        truncate: Bytes of the response body before the connection is closed. If the body is not
            longer, half of the response head.
        wrong_length: Difference added to the response's Content-Length.
        garbage: Number of bytes, which are not HTTP, sent instead of the response.
        trailing: Text sent right after the complete response.

    Raises:
        ValueError: A value is invalid, or two fields contradict; the text names the field.
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
    wrong_length: int | None = field(default=None, validator=whole(-MAX_BYTES, MAX_BYTES))
    garbage: int | None = field(default=None, validator=whole(1, MAX_BYTES))
    trailing: str | None = field(default=None, validator=is_text)

    def __attrs_post_init__(self) -> None:
        given = self._faults_given()
        if not given:
            raise ValueError(f"A fault is missing. Give exactly one of {', '.join(FAULTS)}.")
        if len(given) > 1:
            raise ValueError(
                f"{' and '.join(given)} are {len(given)} faults. Make a rule for each."
            )
        self._check_options(given[0])
        self._check_retry_after(given[0])

    @property
    def fault(self) -> str:
        """The rule's fault, one of `FAULTS`."""
        return self._faults_given()[0]

    @property
    def acts(self) -> bool:
        """True if the service acts on an affected request."""
        return self.fault not in BEFORE_ACTING

    @property
    def hides_response(self) -> bool:
        """True if the client does not even see the status of the response."""
        return self.fault in {"refuse", "drop", "lose_answer", "garbage"}

    @property
    def wait(self) -> float:
        """Seconds that the fault adds to the response time."""
        return self.delay or self.slow_headers or self.slow_body or 0.0

    def as_json(self) -> dict[str, object]:
        """Return the fields that are set, as JSON values for `read_rule`."""
        blank = {each.name: each.default for each in fields(FaultRule)}
        return {name: value for name, value in asdict(self).items() if value != blank[name]}

    def __str__(self) -> str:
        value = getattr(self, self.fault)
        return self.fault if value is True else f"{self.fault} {value}"

    def _faults_given(self) -> list[str]:
        # Not by equality: 0 is a given value, and it equals False.
        given = [
            name
            for name in FAULTS
            if (value := getattr(self, name)) is not None and value is not False
        ]
        return given[1:] if given[:2] == ["status", "storm"] else given

    def _check_options(self, fault: str) -> None:
        forbidden = {
            "body": fault not in _WITH_STATUS,
            "retry_after": fault not in _WITH_STATUS,
            "window": fault != "limit",
            "nth": fault == "limit",
            "times": fault in {"limit", "storm"},
            "probability": fault in {"limit", "storm"},
        }
        for name, is_forbidden in forbidden.items():
            if is_forbidden and getattr(self, name) is not None:
                raise ValueError(f"{name} cannot be combined with {fault}.")
        if self.nth is not None and self.probability is not None:
            raise ValueError("nth cannot be combined with probability.")
        if self.seed is not None and fault != "storm" and self.probability is None:
            raise ValueError("seed needs probability or storm.")
        if fault == "storm" and self.status not in {None, *_GATEWAY}:
            raise ValueError(f"status must be 502, 503 or 504 in a storm, not {self.status}.")
        if self.wrong_length == 0:
            raise ValueError("wrong_length must not be 0: that would be the right length.")

    def _check_retry_after(self, fault: str) -> None:
        if self.retry_after is None:
            return
        if fault == "status":
            if type(self.retry_after) is not int or self.retry_after < 0:
                raise ValueError("retry_after must be whole seconds with status.")
        elif self.retry_after not in ("seconds", "date", "nonsense"):
            raise ValueError(f"retry_after must be one of seconds, date, nonsense with {fault}.")


def read_rule(mapping: object) -> FaultRule:
    """Return a rule from a mapping of JSON values.

    Raises:
        ValueError: It is not a fault rule; the text names the field.
    """
    if not isinstance(mapping, Mapping):
        raise ValueError("A fault rule must be an object, such as {status: 503}.")  # noqa: TRY004
    given = cast("Mapping[object, object]", mapping)
    known = {each.name for each in fields(FaultRule)}
    for name in given:
        if name not in known:
            raise ValueError(f"{shown(name)} is not a field of a fault rule.")
    return FaultRule(**cast("dict[str, Any]", {**given}))
