"""The bytes of a faulty response."""

import random
import re
from typing import Final

PIECES: Final = 10
"""Number of pieces in a slow head or body."""

KEEP_ALIVE: Final = 5
"""Seconds after which the server closes an idle connection."""


def pieces(content: bytes) -> list[bytes]:
    """Split bytes into pieces of about equal size, none of them empty."""
    size = max(1, -(-len(content) // PIECES))
    return [content[start : start + size] for start in range(0, len(content), size)]


def garbage(count: int) -> bytes:
    """Return bytes that are not HTTP, the same for each count."""
    # No status line starts with NUL.
    return b"\0" + random.Random(count).randbytes(count - 1)  # noqa: S311  # not for secrets


def truncated(response: bytes, count: int) -> bytes:
    """Return a response with `count` bytes of its body, or half its head if that is all."""
    head, body = _split(response)
    return head + body[:count] if count < len(body) else head[: len(head) // 2]


def with_wrong_length(response: bytes, difference: int) -> bytes:
    """Return a response whose Content-Length is off by a difference."""
    head, body = _split(response)
    line = b"content-length: %d\r\n" % max(0, len(body) + difference)
    head, replaced = re.subn(rb"(?im)^content-length:[^\n]*\n", line, head)
    if not replaced:
        head = head[: -len(b"\r\n")] + line + b"\r\n"
    return head + body


def _split(response: bytes) -> tuple[bytes, bytes]:
    head, end, body = response.partition(b"\r\n\r\n")
    return head + end, body
