"""A choice among the logged exchanges, from the query of a control call."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from webrtc_async.emulator.faults.check import OPERATIONS
from webrtc_async.emulator.records.exchanges import Exchange

NAMES: Final = ("operation", "status", "session", "participant", "tag", "since")
"""Names that a query can have."""


def chosen(exchanges: Iterable[Exchange], query: Mapping[str, str]) -> Iterator[Exchange]:
    """Yield the exchanges that fit all values of a query.

    Args:
        exchanges: The exchanges.
        query: Values by name: an operation; a status such as 404 or 4xx, or none for a hidden
            one; ids of a session or participant; the tag in the request; the number of an
            exchange, for those after it.

    Raises:
        ValueError: A name or value is unknown; the text names it.
    """
    for name in query:
        if name not in NAMES:
            raise ValueError(f"{name[:64]}: unknown, only {', '.join(NAMES)}")
    operation = query.get("operation")
    if operation is not None and operation not in OPERATIONS:
        raise ValueError(f"operation: {operation[:64]!r} is no operation, such as createSession")
    low, high = _statuses(query["status"]) if "status" in query else (-1, 999)
    since = _number(query.get("since", "0"))
    by_field = {
        "session_id": query.get("session"),
        "participant_id": query.get("participant"),
        "tag": query.get("tag"),
    }
    for each in exchanges:
        if (
            each.number > since
            and operation in {None, each.operation}
            and low <= (each.status or -1) <= high
            and all(
                wanted is None or getattr(each, name) == wanted for name, wanted in by_field.items()
            )
        ):
            yield each


def _statuses(text: str) -> tuple[int, int]:
    if text == "none":
        return -1, -1
    if len(text) == 3 and text.isascii() and text[0] in "12345":
        if text[1:].lower() == "xx":
            return int(text[0]) * 100, int(text[0]) * 100 + 99
        if text.isdecimal():
            return int(text), int(text)
    raise ValueError(f"status: {text[:64]!r} is not a status such as 404, 4xx or none")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise ValueError(f"since: {text[:64]!r} is not the number of an exchange")
    return int(text)
