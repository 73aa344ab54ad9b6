"""JSON by msgspec, where it is installed, taken only if it reads just what json would.

msgspec passes over a key that is there twice, which is refused here. So what it has read is written
again, and only if that gives the same bytes is nothing of them lost. Anything else is left to the
reader that can say why it is refused.
"""

from collections.abc import Callable
from typing import Final

UNPROVEN: Final = object()
"""Stands for bytes that another reader must look at."""

Read = Callable[[bytes], object]
"""Returns what bytes say, or UNPROVEN if it cannot be proved to be all of it."""


def proven_reader() -> Read | None:
    """Return a reader, or None if msgspec is not installed, which the extra `fast` brings."""
    try:
        from msgspec.json import decode, encode
    except ImportError:
        return None

    def read(content: bytes) -> object:
        try:
            found: object = decode(content)
            return found if encode(found) == content else UNPROVEN
        except (ValueError, RecursionError):
            return UNPROVEN

    return read
