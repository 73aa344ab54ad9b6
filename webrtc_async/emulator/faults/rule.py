"""Fault rules: a fault, and the requests that it applies to; validated when made."""

from collections.abc import Mapping
from random import Random
from typing import Any, Final, Literal, cast

from attrs import asdict, field, fields, frozen

from webrtc_async._protocol.route import Route
from webrtc_async.emulator.core.subject import Subject
from webrtc_async.emulator.faults.check import (
    MAX_BYTES,
    MAX_WAIT,
    is_flag,
    is_header,
    is_operation,
    is_text,
    number,
    one_of,
    shown,
    whole,
)
from webrtc_async.emulator.faults.delay import RandomDelay, is_delay, read_delay
from webrtc_async.emulator.faults.fields import Ending, FaultBody
from webrtc_async.route_table import ROUTES

FAULTS: Final = (
    "status",
    "storm",
    "limit",
    "slow_headers",
    "slow_body",
    "refuse",
    "drop",
    "lose_answer",
    "truncate",
    "wrong_length",
    "garbage",
    "trailing",
    "delay",
)
"""The faults; a rule has exactly one, or one and a delay."""

BEFORE_ACTING: Final = frozenset({"status", "storm", "limit", "refuse", "drop"})
"""Faults that happen before the service acts on the request."""

_WITH_STATUS: Final = frozenset({"status", "storm", "limit"})
_GATEWAY: Final = (502, 503, 504)

WITHOUT_BODY: Final = frozenset({204, 205, 304})
"""Statuses whose responses have no body."""


def _operation_of(route: Route[Any, Any] | str | None) -> str | None:
    return route.operation if isinstance(route, Route) else route


def _ending_of(ending: Ending | Literal[True] | None) -> Ending | None:
    return "reset" if ending is True else ending


def _header_of(header: Mapping[str, str] | None) -> dict[str, str] | None:
    if not isinstance(header, Mapping):
        return header
    # The annotation is a promise of the caller, so the names can have any type.
    pairs = cast("Mapping[Any, Any]", header).items()
    return {name.lower() if isinstance(name, str) else name: value for name, value in pairs}


_seconds: Final = number(MAX_WAIT, "seconds")
_ending: Final = one_of("reset", "close")


@frozen(kw_only=True)
class FaultRule:
    """A fault, and the requests that it applies to.

    Give exactly one fault: `status`, `storm` (with `status` to fix its status), `limit`,
    `slow_headers`, `slow_body`, `refuse`, `drop`, `lose_answer`, `truncate`, `wrong_length`,
    `garbage` or `trailing`. A `delay` can be added to each, or be given alone. With `status`,
    `storm`, `limit`, `refuse` and `drop` the service does not act on the request; with all others
    it acts first.

    Attributes:
        route: The rule's operation, given as a route or a name; None for every request.
        session: Id of the session in the request's path.
        participant: Id of the participant in the request's path.
        tag: Tag of that session or participant; for a create, the tag in its body.
        header: Values of request headers by name; all of them must be equal.
        nth: Number of the first affected request, from 1; the only one unless `times` is given.
        times: Maximum number of affected requests.
        probability: Probability that a request is affected.
        seed: Seed of the randomness; the same seed affects the same requests.
        delay: Seconds before the response, in addition to those of other rules; a number, or a
            mapping of `median` and `sigma` for a log-normal distribution.
        status: Status of the response, 200 to 599.
        body: Response body with `status`, `storm` or `limit`: one of the service's three error
            bodies ("error", "message", "code"), an "html" page like a gateway's, or "empty". The
            default is the body that the service or its gateway uses with the status.
        message: Text of the error in that body, in place of the status's phrase.
        retry_after: Retry-After header. With `status`, in seconds; with `storm` and `limit`, the
            format of the remaining time: "seconds", "date" or "nonsense".
        storm: Duration in seconds of the emulator's clock, from the first affected request, in
            which a gateway responds with 502, 503 and 504.
        limit: Number of requests accepted in each `window`; further ones get a 429.
        window: Length in seconds of the emulator's clock; the default is 1.
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
    session: str | None = field(default=None, validator=is_text)
    participant: str | None = field(default=None, validator=is_text)
    tag: str | None = field(default=None, validator=is_text)
    # A dict has no hash.
    header: dict[str, str] | None = field(
        default=None, converter=_header_of, validator=is_header, hash=False
    )
    nth: int | None = field(default=None, validator=whole(1))
    times: int | None = field(default=None, validator=whole(1))
    probability: float | None = field(default=None, validator=number(1, "a number"))
    seed: int | None = field(default=None, validator=whole(0))
    delay: float | RandomDelay | None = field(
        default=None, converter=read_delay, validator=is_delay
    )
    status: int | None = field(default=None, validator=whole(200, 599))
    body: FaultBody | None = field(
        default=None, validator=one_of("error", "message", "code", "html", "empty")
    )
    message: str | None = field(default=None, validator=is_text)
    retry_after: int | str | None = None
    storm: float | None = field(default=None, validator=_seconds)
    limit: int | None = field(default=None, validator=whole(0))
    window: float | None = field(default=None, validator=_seconds)
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
            raise ValueError(f"A fault is missing. Give one of {', '.join(FAULTS)}.")
        if len(given) > 1:
            raise ValueError(
                f"{' and '.join(given)} are {len(given)} faults. Make a rule for each."
            )
        self._check_path()
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
    def is_random(self) -> bool:
        """True if a seed makes the fault repeatable."""
        draws = (self.probability, self.storm)
        return draws != (None, None) or isinstance(self.delay, RandomDelay)

    @property
    def slowness(self) -> float:
        """Seconds that sending the response takes."""
        return self.slow_headers or self.slow_body or 0.0

    def matches(self, subject: Subject) -> bool:
        """Return True if the rule is for requests of this subject."""
        return (
            self.route in {None, subject.operation}
            and self.session in {None, subject.session_id}
            and self.participant in {None, subject.participant_id}
            and (self.tag is None or self.tag in subject.tags)
            and (self.header is None or self.header.items() <= subject.headers.items())
        )

    def draw_delay(self, source: Random) -> float:
        """Return the seconds to wait before the response to one request."""
        return self.delay.draw(source) if isinstance(self.delay, RandomDelay) else self.delay or 0.0

    def as_json(self) -> dict[str, object]:
        """Return the fields that are set, as JSON values for `read_rule`."""
        blank = {each.name: each.default for each in fields(FaultRule)}
        return {name: value for name, value in asdict(self).items() if value != blank[name]}

    def __str__(self) -> str:
        names = [self.fault] if self.delay is None else dict.fromkeys((self.fault, "delay"))
        values = [(name, getattr(self, name)) for name in names]
        return ", ".join(name if value is True else f"{name} {value}" for name, value in values)

    def _faults_given(self) -> list[str]:
        # Not by equality: 0 is a given value, and it equals False.
        given = [
            name
            for name in FAULTS
            if (value := getattr(self, name)) is not None and value is not False
        ]
        given = given[1:] if given[:2] == ["status", "storm"] else given
        return given[:-1] if given[-1:] == ["delay"] != given else given

    def _check_path(self) -> None:
        if self.route is None:
            return
        in_path = {each.operation: each.caller_names for each in ROUTES}.get(self.route, ())
        for name in ("session", "participant"):
            if getattr(self, name) is not None and f"{name}_id" not in in_path:
                raise ValueError(f"{name} is not in the path of {self.route}.")

    def _check_options(self, fault: str) -> None:
        forbidden = {
            "body": fault not in _WITH_STATUS,
            "message": fault not in _WITH_STATUS,
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
        if self.seed is not None and not self.is_random:
            raise ValueError("seed needs probability, storm, or a delay with a median.")
        if self.message is not None and (self.body == "empty" or self.status in WITHOUT_BODY):
            raise ValueError("message needs a response with a body.")
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
