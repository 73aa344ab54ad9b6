"""Checks of what was requested, with errors that show what was requested instead."""

from collections.abc import Iterable, Sequence
from typing import Final

from webrtc_async._codec.model_codec import write_json
from webrtc_async.emulator.records.exchanges import Exchange

MAX_SHOWN: Final = 10
"""Maximum number of requests in an error."""


ANY_JSON: Final = object()
"""Stands for any body."""


def check_requested(
    exchanges: Sequence[Exchange], operation: str, *, times: int | None, json: object
) -> None:
    """Check that an operation was requested.

    Args:
        exchanges: The operation's exchanges.
        operation: Name of the operation.
        times: The exact number of fitting requests; at least one by default.
        json: The body of a fitting request; `ANY_JSON` for any.

    Raises:
        AssertionError: Another number of requests fits; the text lists the operation's requests.
    """
    fitting = [each for each in exchanges if json is ANY_JSON or _json_of(each) == json]
    if len(fitting) == times or (times is None and fitting):
        return
    wanted = "at least once" if times is None else f"{times} times"
    body = "" if json is ANY_JSON else " with this body"
    lines = [f"{operation} was to be requested {wanted}{body}, and was {len(fitting)} times."]
    if exchanges:
        lines.append("Its last requests, without secrets:")
    lines += [_line(each) for each in exchanges[-MAX_SHOWN:]]
    raise AssertionError("\n".join(lines))


def check_no_unknown_routes(exchanges: Iterable[Exchange]) -> None:
    """Check that every request was for an operation of the API.

    Args:
        exchanges: The exchanges of all operations and of none.

    Raises:
        AssertionError: Some were for no operation; the text lists the last ones.
    """
    unknown = [each for each in exchanges if each.operation is None]
    if not unknown:
        return
    lines = [f"{len(unknown)} not for an operation of the API; the last ones:"]
    lines += [f"  {each.method} {each.target}" for each in unknown[-MAX_SHOWN:]]
    raise AssertionError("\n".join(lines))


def _json_of(exchange: Exchange) -> object:
    try:
        return exchange.json
    except ValueError:
        return ANY_JSON


def _line(exchange: Exchange) -> str:
    shown = write_json(exchange.request.as_json()["body"]).decode("utf-8")
    return f"  {exchange.method} {exchange.target} {shown} -> {exchange.status or 'no response'}"
