"""`@endpoint(ROUTE)`: a coroutine function from a declared signature and its route."""

import re
from collections.abc import Callable, Coroutine, Iterator, Mapping
from functools import wraps
from inspect import Parameter, iscoroutinefunction, signature
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, get_type_hints

from webrtc_async._protocol.route import Route
from webrtc_async.errors import RouteMismatchError


class Caller(Protocol):
    """An object whose endpoints can be called, such as a client."""

    def call(
        self, route: Route[Any, Any], path_values: Mapping[str, object], body: object
    ) -> Coroutine[Any, Any, Any]:
        """Return a coroutine that makes the call and returns its result."""
        ...


CallerT = TypeVar("CallerT", bound=Caller)
P = ParamSpec("P")
ResultT = TypeVar("ResultT")
Declared = Callable[Concatenate[CallerT, P], Coroutine[Any, Any, ResultT]]


def endpoint(
    route: Route[Any, ResultT],
) -> Callable[[Declared[CallerT, P, ResultT]], Declared[CallerT, P, ResultT]]:
    """Turn a declared signature into the coroutine function that calls a route.

    Raises:
        RouteMismatchError: The signature disagrees with the route.
    """

    def build(declared: Declared[CallerT, P, ResultT]) -> Declared[CallerT, P, ResultT]:
        names, shape = check_fits(route, declared), signature(declared)
        required, known = frozenset(route.caller_names), frozenset(names)
        # Two ids are keyword-only, and then nothing is positional.
        positional = names if len(required) < 2 else ()
        body_name = names[-1] if route.takes_body else ""

        def refuse(*args: object, **kwargs: object) -> None:
            if len(args) > 1 and not positional:
                by_name = ", ".join(f"{name}=…" for name in names)
                raise TypeError(
                    f"too many positional arguments: write {declared.__name__}({by_name})"
                )
            shape.bind(*args, **kwargs)  # raises the TypeError of a plain function

        @wraps(declared)
        async def call(self: CallerT, /, *args: P.args, **kwargs: P.kwargs) -> ResultT:
            given: dict[str, object] = dict(zip(positional, args, strict=False)) | kwargs
            if len(given) != len(args) + len(kwargs) or not required <= given.keys() <= known:
                refuse(self, *args, **kwargs)
            body = given.pop(body_name, None)
            result: ResultT = await self.call(route, given, body)
            return result

        return call

    return build


def check_fits(route: Route[Any, Any], declared: Callable[..., Any]) -> tuple[str, ...]:
    """Return the parameter names of a declared signature that agrees with its route.

    Raises:
        RouteMismatchError: A name, the order, a kind, a default, the body or the result disagrees.
    """
    parameters = list(signature(declared).parameters.values())[1:]
    for problem in _mismatches(route, declared, parameters):
        raise RouteMismatchError(f"{declared.__qualname__} for {route!r}: {problem}")
    return tuple(each.name for each in parameters)


def _mismatches(
    route: Route[Any, Any], declared: Callable[..., Any], parameters: list[Parameter]
) -> Iterator[str]:
    if not iscoroutinefunction(declared):
        yield "it is not declared with async def"
    if (expected := re.sub(r"(?=[A-Z])", "_", route.operation).lower()) != declared.__name__:
        yield f"it should be named {expected}"
    hints, count = get_type_hints(declared), len(route.caller_names)
    yield from _id_mismatches(route, parameters[:count], hints)
    # A caller could swap two ids that are positional.
    kind = Parameter.KEYWORD_ONLY if count > 1 else Parameter.POSITIONAL_OR_KEYWORD
    for each in parameters:
        if each.kind is not kind:
            yield f"{each.name} should be {kind.description}"
    yield from _body_mismatches(route, parameters[count:], hints)
    if hints.get("return") != route.result:
        yield f"it should return {route.result}"


def _id_mismatches(
    route: Route[Any, Any], ids: list[Parameter], hints: Mapping[str, Any]
) -> Iterator[str]:
    if tuple(each.name for each in ids) != route.caller_names:
        yield f"its ids should be {route.caller_names}, in this order"
    for each in ids:
        if each.default is not Parameter.empty or hints.get(each.name) is not str:
            yield f"{each.name} should be a str without a default"


def _body_mismatches(
    route: Route[Any, Any], rest: list[Parameter], hints: Mapping[str, Any]
) -> Iterator[str]:
    if len(rest) != int(route.takes_body):
        yield f"it should take {'one body' if route.takes_body else 'no body'}"
    for each in rest:
        if each.default is not None or hints.get(each.name) != route.body | None:
            yield f"{each.name} should be {route.body.__name__} | None = None"
