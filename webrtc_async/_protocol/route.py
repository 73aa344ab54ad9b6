"""`Route`: one operation of the API, its path template, models and idempotency."""

import enum
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, Generic, Literal, TypeVar
from urllib.parse import quote, unquote

from attrs import field, frozen

from webrtc_async._config.validation import LONGEST_ID, check_id
from webrtc_async.errors import InvalidArgumentError

ACCOUNT: Final = "account_id"
"""The path value that the client fills in itself."""

# RFC 3986, 3.3: the characters of a path, and the places of its values.
_TEMPLATE: Final = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|\{\w+\}|%[0-9A-Fa-f]{2})*)*")

_USUAL_ID: Final = re.compile(rf"[A-Za-z0-9_~-][A-Za-z0-9._~-]{{0,{LONGEST_ID - 1}}}")
"""An id that percent-encoding does not change (RFC 3986, 2.3)."""

BodyT = TypeVar("BodyT")
ResultT = TypeVar("ResultT")


class Idempotency(enum.Enum):
    """The effect of a request that arrives twice."""

    SAFE = enum.auto()
    """The request only reads."""
    REPLACE = enum.auto()
    """The second request writes the same as the first."""
    ENSURE = enum.auto()
    """The second request finds its work done."""
    ENSURE_GONE = enum.auto()
    """The second request finds nothing, as intended: its 404 is a success."""
    CREATE = enum.auto()
    """The second request creates a second resource: the service has no idempotency key."""


def check_route(route: object) -> None:
    """Check that a value is a row of the route table.

    Raises:
        InvalidArgumentError: It is not.
    """
    if not isinstance(route, Route):
        raise InvalidArgumentError(
            f"route must be a Route, such as route_table.GET_SESSION, not {type(route).__name__}."
        )


class PathTemplate:
    """A path with named places for values; it expands to a path and matches one.

    Args:
        template: The path, percent-encoded, with places such as {session_id}.

    Raises:
        InvalidArgumentError: It is no path.
    """

    def __init__(self, template: str) -> None:
        if _TEMPLATE.fullmatch(template) is None:
            raise InvalidArgumentError(f"{template!r} is not a path that can be sent.")
        self.template = template
        self.names: tuple[str, ...] = tuple(re.findall(r"{(\w+)}", template))
        self.known_names = frozenset(self.names)
        self._form = re.sub(r"{\w+}", "%s", template.replace("%", "%%"))
        self._pattern = re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", template))

    def __repr__(self) -> str:
        return f"PathTemplate({self.template!r})"

    def expand(self, values: Mapping[str, object]) -> str:
        """Return the path with its values, each checked by `check_id` and percent-encoded once."""
        return self._form % tuple([_segment(name, values.get(name)) for name in self.names])

    def match(self, raw_path: str) -> dict[str, str] | None:
        """Return the values in a percent-encoded path; None if it does not match."""
        found = self._pattern.fullmatch(raw_path)
        if found is None:
            return None
        return {name: unquote(value) for name, value in found.groupdict().items()}


def _segment(name: str, value: object) -> str:
    # Every path repeats ids, at least the account's.
    return _quoted(name, value) if type(value) is str else quote(check_id(name, value), safe="")


@lru_cache(maxsize=256)
def _quoted(name: str, value: str) -> str:
    return value if _USUAL_ID.fullmatch(value) else quote(check_id(name, value), safe="")


@frozen(kw_only=True, eq=False)
class Route(Generic[BodyT, ResultT]):
    """One operation of the API.

    Attributes:
        operation: The API's name of the operation, such as "createSession".
        method: The HTTP method.
        path: The path below the base URL.
        body: The model of the request body, which callers may omit; NoneType for no body.
        result: The model of the response; NoneType if a success has no body.
        when_empty: Makes the result of a success without a body, where a body is usual.
        errors: The documented error statuses.
        idempotency: The effect of a request that arrives twice.
    """

    operation: str
    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: PathTemplate = field(converter=PathTemplate)
    body: type[BodyT]
    result: type[ResultT]
    when_empty: Callable[[], ResultT] | None = None
    errors: frozenset[int]
    idempotency: Idempotency

    def __repr__(self) -> str:
        return f"<Route {self.operation}: {self.method} {self.path.template}>"

    @property
    def creates(self) -> bool:
        """True if a request that arrives twice creates two resources."""
        return self.idempotency is Idempotency.CREATE

    @property
    def takes_body(self) -> bool:
        """True if a request may carry a body."""
        return self.body is not type(None)

    @property
    def success(self) -> frozenset[int]:
        """The documented success statuses, derived from the result."""
        if self.result is type(None):
            return frozenset({204})
        return frozenset({200} if self.when_empty is None else {200, 204})

    @property
    def caller_names(self) -> tuple[str, ...]:
        """The path values that the caller gives: all but the account."""
        return tuple(name for name in self.path.names if name != ACCOUNT)
