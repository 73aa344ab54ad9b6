"""Which handler answers which route, refused at import where the two disagree."""

import inspect
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Concatenate, Final, Generic, TypeVar

from attrs import frozen

from webrtc_async._codec import model_codec as codec
from webrtc_async._protocol.route import ACCOUNT, Route
from webrtc_async.emulator.core.refusal import bad_request
from webrtc_async.errors import RouteMismatchError

Answer = dict[str, object] | list[dict[str, object]] | None
"""What a handler returns: a body for a 200, or None for a 204."""

ServiceT = TypeVar("ServiceT")
HandlerT = TypeVar("HandlerT", bound=Callable[..., Answer])

_JSON_WHITESPACE: Final = b" \t\n\r"


@frozen
class Match(Generic[ServiceT]):
    """A route that a request is for, its handler, the account in the path and the ids after it."""

    route: Route[Any, Any]
    handler: Callable[Concatenate[ServiceT, ...], Answer]
    account_id: str
    ids: list[str]

    def answer(self, service: ServiceT, content: bytes) -> Answer:
        """Have the handler answer a request with this content.

        Raises:
            Refusal: The content is not the route's body, or the handler refuses.
        """
        if not self.route.takes_body:
            return self.handler(service, *self.ids)
        return self.handler(service, *self.ids, _read_body(self.route, content))


class HandlerTable(Generic[ServiceT]):
    """The handlers of a service, a method for each route."""

    def __init__(self) -> None:
        self._handlers: dict[Route[Any, Any], Callable[Concatenate[ServiceT, ...], Answer]] = {}
        # By method and number of slashes: a value in a path has none, so only those can match.
        self._candidates = defaultdict[tuple[str, int], list[Route[Any, Any]]](list)

    @property
    def routes(self) -> tuple[Route[Any, Any], ...]:
        """The routes that have a handler."""
        return tuple(self._handlers)

    def answers(self, route: Route[Any, Any]) -> Callable[[HandlerT], HandlerT]:
        """Make the decorated method the handler of a route.

        Its parameters are the route's path values but the account, in order, and then the body
        where the route takes one.

        Raises:
            RouteMismatchError: The parameters are others, the method is a coroutine function, or
                the route has a handler already.
        """

        def tie(handler: HandlerT) -> HandlerT:
            _check_fits(route, handler)
            if route in self._handlers:
                raise _misfit(route, handler, "the route has a handler already")
            self._handlers[route] = handler
            self._candidates[route.method, route.path.template.count("/")].append(route)
            return handler

        return tie

    def match(self, method: str, raw_path: str) -> Match[ServiceT] | None:
        """Find the handler for a method and a path that is still percent-encoded."""
        for route in self._candidates.get((method, raw_path.count("/")), ()):
            path_values = route.path.match(raw_path)
            if path_values is not None:
                account_id = path_values.pop(ACCOUNT)
                # In the template's order, which is the handler's.
                return Match(route, self._handlers[route], account_id, [*path_values.values()])
        return None


def _check_fits(route: Route[Any, Any], handler: Callable[..., object]) -> None:
    parameters = list(inspect.signature(handler).parameters.values())[1:]
    names = tuple(each.name for each in parameters)
    count = len(route.caller_names)
    if inspect.iscoroutinefunction(handler):
        raise _misfit(route, handler, "it should be a plain method, not async def")
    if names[:count] != route.caller_names:
        raise _misfit(route, handler, f"its ids should be {route.caller_names}, in this order")
    if len(names) - count != int(route.takes_body):
        expected = "one body" if route.takes_body else "no body"
        raise _misfit(route, handler, f"it should take {expected} after its ids")
    for each in parameters:
        if each.kind is not each.POSITIONAL_OR_KEYWORD or each.default is not each.empty:
            raise _misfit(route, handler, f"{each.name} should be a plain parameter")


def _misfit(
    route: Route[Any, Any], handler: Callable[..., object], problem: str
) -> RouteMismatchError:
    return RouteMismatchError(f"{handler.__qualname__} for {route!r}: {problem}")


def _read_body(route: Route[Any, Any], content: bytes) -> Any:
    # The vendor's own SDKs send a JSON content type and no content when a body is left out.
    # inferred: null is no body, as a null property is an unset one.
    if not content or content.strip(_JSON_WHITESPACE) == b"null":
        content = b"{}"
    try:
        return codec.read_request(content, route.body)
    except codec.ValidationError as misfit:
        raise bad_request(*misfit.problems) from misfit
