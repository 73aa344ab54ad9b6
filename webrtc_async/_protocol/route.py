"""What a route is: a path template, its models, and when a request for it may be repeated."""

import enum
import inspect
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, Generic, Literal, TypeVar, get_type_hints
from urllib.parse import quote, unquote

from attrs import Factory, field, frozen

from webrtc_async.errors import InvalidArgumentError, RouteMismatchError

LONGEST_ID: Final = 256
"""Longest id that is sent, in characters; the service's own have 36."""

ACCOUNT: Final = "account_id"
"""The path value that the client fills in itself."""

# RFC 3986, 3.3: what a path may have as it is, and the places of its values.
_TEMPLATE: Final = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|\{\w+\}|%[0-9A-Fa-f]{2})*)*")

_USUAL_ID: Final = re.compile(rf"[A-Za-z0-9_~-][A-Za-z0-9._~-]{{0,{LONGEST_ID - 1}}}")
"""An id of characters that percent-encoding leaves as they are (RFC 3986, 2.3)."""

BodyT = TypeVar("BodyT")
ResultT = TypeVar("ResultT")


class Idempotency(enum.Enum):
    """What happens when a request arrives twice."""

    SAFE = enum.auto()
    """It only reads."""
    REPLACE = enum.auto()
    """The second arrival writes what the first wrote."""
    ENSURE = enum.auto()
    """The second arrival finds its work done."""
    ENSURE_GONE = enum.auto()
    """The second arrival finds nothing, which is what was wanted: its 404 is a success."""
    CREATE = enum.auto()
    """The second arrival creates a second thing: the service knows no idempotency key."""


def check_id(name: str, value: object) -> str:
    """Return the id if it may stand in a path.

    Args:
        name: The argument's name, for the error.
        value: What the caller gave.

    Raises:
        InvalidArgumentError: It is not text, empty, a dot segment, over 256 characters long, or
            has control characters.
    """
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{name} must be a str, not {type(value).__name__}.")
    if not value:
        raise InvalidArgumentError(f"{name} is empty.")
    if value in {".", ".."}:
        raise InvalidArgumentError(f"{name} is {value!r}, which would name another resource.")
    if len(value) > LONGEST_ID:
        raise InvalidArgumentError(
            f"{name} has {len(value)} characters; at most {LONGEST_ID} are sent."
        )
    if value.isascii() and value.isprintable():
        return value
    # Cc controls, Cs lone surrogates (no UTF-8), Zl and Zp line breaks: none can be part of an id.
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in value):
        raise InvalidArgumentError(f"{name} has a control character in it: {value!r}.")
    return value


def check_route(route: object) -> None:
    """Refuse what is not a row of the route table.

    Raises:
        InvalidArgumentError: It is something else.
    """
    if not isinstance(route, Route):
        raise InvalidArgumentError(
            f"route must be a Route, such as route_table.GET_SESSION, not {type(route).__name__}."
        )


class PathTemplate:
    """A path with named places, read in both directions.

    Args:
        template: Percent-encoded, so that whatever it is filled with is a path as it is sent.

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
        """Fill the places, each value checked by `check_id` and percent-encoded exactly once."""
        return self._form % tuple([_segment(name, values.get(name)) for name in self.names])

    def match(self, raw_path: str) -> dict[str, str] | None:
        """Read the values back from a path that is still percent-encoded."""
        found = self._pattern.fullmatch(raw_path)
        if found is None:
            return None
        return {name: unquote(value) for name, value in found.groupdict().items()}


def _segment(name: str, value: object) -> str:
    # Ids come again and again, the account's in every path.
    return _quoted(name, value) if type(value) is str else quote(check_id(name, value), safe="")


@lru_cache(maxsize=256)
def _quoted(name: str, value: str) -> str:
    # Most are what percent-encoding leaves as it is.
    return value if _USUAL_ID.fullmatch(value) else quote(check_id(name, value), safe="")


def _creates(route: "Route[Any, Any]") -> bool:
    return route.idempotency is Idempotency.CREATE


@frozen(kw_only=True, eq=False)
class Route(Generic[BodyT, ResultT]):
    """One operation of the API.

    Attributes:
        operation: Its name in the published description.
        method: The HTTP method.
        path: The path below the base URL.
        body: The model of the request body, always optional to the caller; NoneType for none.
        result: The model of the answer; NoneType when a success has no body.
        when_empty: What a success without a body means where one with a body is usual.
        errors: The documented refusals.
        idempotency: What happens when a request arrives twice.
        creates: Whether the second arrival creates a second thing.
    """

    operation: str
    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: PathTemplate = field(converter=PathTemplate)
    body: type[BodyT]
    result: type[ResultT]
    when_empty: Callable[[], ResultT] | None = None
    errors: frozenset[int]
    idempotency: Idempotency

    creates: bool = field(init=False, default=Factory(_creates, takes_self=True))

    def __repr__(self) -> str:
        return f"<Route {self.operation}: {self.method} {self.path.template}>"

    @property
    def takes_body(self) -> bool:
        """Whether a request may carry a body."""
        return self.body is not type(None)

    @property
    def success(self) -> frozenset[int]:
        """The documented success statuses: they follow from the result and what empty means."""
        if self.result is type(None):
            return frozenset({204})
        return frozenset({200} if self.when_empty is None else {200, 204})

    @property
    def caller_names(self) -> tuple[str, ...]:
        """The path values that the caller gives: all but the account."""
        return tuple(name for name in self.path.names if name != ACCOUNT)

    def check_fits(self, declared: Callable[..., Any]) -> tuple[str, ...]:
        """Return the parameter names of a declared endpoint, if it agrees with this route.

        Raises:
            RouteMismatchError: A name, the order, a kind, a default, the body or the result
                disagrees.
        """
        parameters = list(inspect.signature(declared).parameters.values())[1:]
        hints = get_type_hints(declared)

        def refuse(problem: str) -> RouteMismatchError:
            return RouteMismatchError(f"{declared.__qualname__} for {self!r}: {problem}")

        if not inspect.iscoroutinefunction(declared):
            raise refuse("it is not declared with async def")
        if (expected := _snake_case(self.operation)) != declared.__name__:
            raise refuse(f"it should be named {expected}")
        ids, rest = parameters[: len(self.caller_names)], parameters[len(self.caller_names) :]
        if tuple(each.name for each in ids) != self.caller_names:
            raise refuse(f"its ids should be {self.caller_names}, in this order")
        kind = (
            inspect.Parameter.KEYWORD_ONLY
            if len(ids) > 1
            else inspect.Parameter.POSITIONAL_OR_KEYWORD
        )
        for each in parameters:
            if each.kind is not kind:
                raise refuse(f"{each.name} should be {kind.description}")
        for each in ids:
            if each.default is not inspect.Parameter.empty or hints.get(each.name) is not str:
                raise refuse(f"{each.name} should be a str without a default")
        if len(rest) != int(self.takes_body):
            raise refuse(f"it should take {'one body' if self.takes_body else 'no body'}")
        for each in rest:
            if each.default is not None or hints.get(each.name) != self.body | None:
                raise refuse(f"{each.name} should be {self.body.__name__} | None = None")
        if hints.get("return") != self.result:
            raise refuse(f"it should return {self.result}")
        return tuple(each.name for each in parameters)


def _snake_case(operation: str) -> str:
    return re.sub(r"(?=[A-Z])", "_", operation).lower()
