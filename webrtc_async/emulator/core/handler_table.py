"""A table of handlers by route; a handler that does not fit its route fails at import."""

import inspect
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Concatenate, Final, Generic, TypeVar

from attrs import frozen

from webrtc_async._codec import model_codec as codec
from webrtc_async._protocol.route import ACCOUNT, Route
from webrtc_async.emulator.core.refusal import bad_request
from webrtc_async.errors import RouteMismatchError

Body = dict[str, object] | list[dict[str, object]] | None
"""Return value of a handler: the body of a 200, or None for a 204."""

ServiceT = TypeVar("ServiceT")
HandlerT = TypeVar("HandlerT", bound=Callable[..., Body])

_JSON_WHITESPACE: Final = b" \t\n\r"


@frozen
class Match(Generic[ServiceT]):
    """A request's route, its handler, the account in the path, and the ids after the account."""

    route: Route[Any, Any]
    handler: Callable[Concatenate[ServiceT, ...], Body]
    account_id: str
    ids: list[str]

    def call(self, service: ServiceT, content: bytes) -> Body:
        """Call the handler with the request's ids and content.

        Raises:
            Refusal: The content does not fit the route's body, or the handler refuses the request.
        """
        if not self.route.takes_body:
            return self.handler(service, *self.ids)
        return self.handler(service, *self.ids, _read_body(self.route, content))


class HandlerTable(Generic[ServiceT]):
    """The handlers of a service, one method for each route."""

    def __init__(self) -> None:
        self._handlers: dict[Route[Any, Any], Callable[Concatenate[ServiceT, ...], Body]] = {}
        # By method and number of slashes: a path value contains no slash, so no other can match.
        self._candidates = defaultdict[tuple[str, int], list[Route[Any, Any]]](list)

    @property
    def routes(self) -> tuple[Route[Any, Any], ...]:
        """The routes that have a handler."""
        return tuple(self._handlers)

    def handles(self, route: Route[Any, Any]) -> Callable[[HandlerT], HandlerT]:
        """Register the decorated method as the handler of a route.

        Its parameters are the route's path values without the account, in order, followed by the
        body if the route takes one.

        Raises:
            RouteMismatchError: The parameters differ, the method is a coroutine function, or the
                route already has a handler.
        """

        def register(handler: HandlerT) -> HandlerT:
            _check_fits(route, handler)
            if route in self._handlers:
                raise _mismatch(route, handler, "the route already has a handler")
            self._handlers[route] = handler
            self._candidates[route.method, route.path.template.count("/")].append(route)
            return handler

        return register

    def match(self, method: str, raw_path: str) -> Match[ServiceT] | None:
        """Find the handler for a method and a percent-encoded path."""
        for route in self._candidates.get((method, raw_path.count("/")), ()):
            path_values = route.path.match(raw_path)
            if path_values is not None:
                account_id = path_values.pop(ACCOUNT)
                # The template and the handler have the same order.
                return Match(route, self._handlers[route], account_id, [*path_values.values()])
        return None


def _check_fits(route: Route[Any, Any], handler: Callable[..., object]) -> None:
    parameters = list(inspect.signature(handler).parameters.values())[1:]
    names = tuple(each.name for each in parameters)
    count = len(route.caller_names)
    if inspect.iscoroutinefunction(handler):
        raise _mismatch(route, handler, "it should be a plain method, not async def")
    if names[:count] != route.caller_names:
        raise _mismatch(route, handler, f"its ids should be {route.caller_names}, in this order")
    if len(names) - count != int(route.takes_body):
        expected = "one body" if route.takes_body else "no body"
        raise _mismatch(route, handler, f"it should take {expected} after its ids")
    for each in parameters:
        if each.kind is not each.POSITIONAL_OR_KEYWORD or each.default is not each.empty:
            raise _mismatch(route, handler, f"{each.name} should be a plain parameter")


def _mismatch(
    route: Route[Any, Any], handler: Callable[..., object], problem: str
) -> RouteMismatchError:
    return RouteMismatchError(f"{handler.__qualname__} for {route!r}: {problem}")


def _read_body(route: Route[Any, Any], content: bytes) -> Any:
    # The vendor's own SDKs send a JSON content type and no content if a body is omitted.
    # inferred: null means no body, like a null property means an unset one.
    if not content or content.strip(_JSON_WHITESPACE) == b"null":
        content = b"{}"
    try:
        return codec.read_request(content, route.body)
    except codec.ValidationError as error:
        raise bad_request(*error.problems) from error
