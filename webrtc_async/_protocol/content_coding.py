"""Decoding of a body's content encoding (RFC 9110, 8.4), up to a limit."""

import zlib
from contextlib import suppress
from typing import Final

_INFLATED: Final = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP: Final = 0x1F8B
_NO_CODINGS: Final = frozenset({"", "identity", "none"})
_CHARSETS: Final = ("utf", "iso-8859", "iso8859", "latin", "us-ascii", "ascii", "windows-", "cp125")
"""Beginnings of charset names, which some servers send as an encoding."""

_MAX_CODINGS: Final = 4
_MAX_MEMBERS: Final = 64
_START: Final = 64 * 1024
"""Bytes of a broken body that are decoded."""


class ContentError(ValueError):
    """A body is too long or cannot be decoded."""

    def __init__(self, problem: str, *, is_too_long: bool = False) -> None:
        super().__init__(problem)
        self.is_too_long = is_too_long


def decode(content: bytes, encoding: str, limit: int) -> bytes:
    """Return a body without its content encodings.

    Args:
        content: The encoded body.
        encoding: The Content-Encoding header; empty for none.
        limit: Most bytes of the decoded body.

    Raises:
        ContentError: The body is too long, broken, cut off, or has an unsupported encoding.
    """
    names, last = _codings(encoding), ""
    if len(names) > _MAX_CODINGS:
        raise ContentError(f"it has over {_MAX_CODINGS} content encodings")
    for name in names:
        if not content:
            break
        if name not in _INFLATED:
            raise ContentError(f"its content encoding {name[:40]!r} was not asked for")
        # Two gateways may name an encoding, although only one has encoded.
        if name != last or _is_compressed(content):
            content = _inflate(content, name, limit)
        last = name
    return content


def decode_start(content: bytes, encoding: str, limit: int) -> bytes:
    """Return the start of a body that `decode` refuses, decoded as far as possible."""
    for name in _codings(encoding)[:_MAX_CODINGS]:
        if name not in _INFLATED or not _is_compressed(content):
            break
        inflater, decoded = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32), bytearray()
        with suppress(zlib.error):
            # One by one, because an error loses all that was given with it.
            for at in range(min(len(content), _START)):
                decoded += inflater.decompress(content[at : at + 1], limit + 1 - len(decoded))
                if len(decoded) > limit:
                    break
        content = bytes(decoded)
    return content


def _is_compressed(content: bytes) -> bool:
    """Return True if a body begins as gzip (RFC 1952) or zlib (RFC 1950) do; no JSON does."""
    start = int.from_bytes(content[:2], "big")
    return start == _GZIP or (start >> 8 & 15 == zlib.DEFLATED and start % 31 == 0)


def _codings(encoding: str) -> list[str]:
    """Return the names of encodings that change a body, the outermost first."""
    names = [each.partition(";")[0].strip(" \t\"'").lower() for each in encoding.split(",")]
    found = [name for name in names if name not in _NO_CODINGS and not name.startswith(_CHARSETS)]
    return found[::-1]


def _inflate(content: bytes, name: str, limit: int) -> bytes:
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
