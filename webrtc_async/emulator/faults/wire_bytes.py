"""What a fault makes of the bytes of an answer."""

import random
import re
from typing import Final

PIECES: Final = 10
"""Pieces in which something slow comes."""

KEEP_ALIVE: Final = 5
"""Seconds after which the server gives up a connection on which nothing happens."""


def pieces(content: bytes) -> list[bytes]:
    """Cut bytes into about equal pieces, none of them empty."""
    size = max(1, -(-len(content) // PIECES))
    return [content[start : start + size] for start in range(0, len(content), size)]


def garbage(count: int) -> bytes:
    """Return bytes that are no HTTP, the same ones every time."""
    # NUL begins no status line.
    return b"\0" + random.Random(count).randbytes(count - 1)  # noqa: S311  # not for secrets


def split(answer: bytes) -> tuple[bytes, bytes]:
    """Return an answer's head, with the empty line at its end, and its body."""
    head, end, body = answer.partition(b"\r\n\r\n")
    return head + end, body


def truncated(answer: bytes, count: int) -> bytes:
    """Return an answer with so many bytes of its body; if they are all, half of its head."""
    head, body = split(answer)
    return head + body[:count] if count < len(body) else head[: len(head) // 2]


def with_wrong_length(answer: bytes, difference: int) -> bytes:
    """Return an answer whose Content-Length is wrong; one without any gets one."""
    head, body = split(answer)
    line = b"content-length: %d\r\n" % max(0, len(body) + difference)
    head, replaced = re.subn(rb"(?im)^content-length:[^\n]*\n", line, head)
    if not replaced:
        head = head[: -len(b"\r\n")] + line + b"\r\n"
    return head + body
