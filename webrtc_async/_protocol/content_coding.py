"""Decoding of a body's content encoding (RFC 9110, 8.4), up to a limit."""

import zlib
from typing import Final

_INFLATED: Final = frozenset({"gzip", "x-gzip", "deflate"})
_MAX_MEMBERS: Final = 64


class ContentError(ValueError):
    """A body is too long or cannot be decoded."""

    def __init__(self, problem: str, *, is_too_long: bool = False) -> None:
        super().__init__(problem)
        self.is_too_long = is_too_long


def decode(content: bytes, encoding: str, limit: int) -> bytes:
    """Return a body without its content encoding.

    Args:
        content: The encoded body.
        encoding: The Content-Encoding header; empty for none.
        limit: Most bytes of the decoded body.

    Raises:
        ContentError: The body is too long, broken, cut off, or has an unsupported encoding.
    """
    name = encoding.strip().lower()
    if not content or name in {"", "identity"}:
        return content
    if name not in _INFLATED:
        raise ContentError(f"its content encoding {name[:40]!r} was not asked for")
    decoded = b""
    # RFC 1952, 2.2: a gzip file has one or more members.
    for _ in range(_MAX_MEMBERS):
        inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        try:
            # One byte above the limit shows that a body is too long, without inflating all of it.
            decoded += inflater.decompress(content, limit + 1 - len(decoded))
        except zlib.error:
            raise ContentError(f"its {name} encoding is broken") from None
        check_length(len(decoded), limit)
        if not inflater.eof:
            raise ContentError(f"its {name} encoding is cut off")
        content = inflater.unused_data
        if not content:
            return decoded
    raise ContentError(f"its {name} encoding has over {_MAX_MEMBERS} members")


def check_length(length: int, limit: int) -> None:
    """Check the length of a body.

    Raises:
        ContentError: It is longer than the limit.
    """
    if length > limit:
        raise ContentError(f"it is longer than max_response_bytes, {limit}", is_too_long=True)
