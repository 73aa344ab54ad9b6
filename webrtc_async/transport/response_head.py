"""The one common shape of a response's head, read by a pattern; anything else is h11's to read.

The pattern takes less than h11 does and never more, so that what it takes, h11 reads alike.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple


class ResponseHead(NamedTuple):
    """A response's status line and headers.

    Attributes:
        status: The HTTP status.
        reason: The reason phrase.
        fields: Header names, as they were spelt, and values, in their order.
        headers: Header values by lower-case name; those of one name are joined by commas.
    """

    status: int
    reason: str
    fields: list[tuple[str, str]]
    headers: dict[str, str]


class CommonHead(NamedTuple):
    """A head of the common shape, and where it leaves the reader.

    Attributes:
        head: The head.
        size: Bytes that it takes, its empty line included.
        length: Bytes of the body that follows.
    """

    head: ResponseHead
    size: int
    length: int


# RFC 9112, 4 and 5, without obsolete folding and bytes over 127.
_STATUS_LINE: Final = re.compile(r"HTTP/1\.1 ([2-5][0-9][0-9]) ([\t -~]*)")
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LENGTH: Final = re.compile(r"[0-9]{1,18}")
_IN_LINES: Final = bytes([9, *range(32, 127)])

_known: dict[str, str] = {}
"""Names that were found good, in lower case; a server sends the same ones every time."""
_MOST_KNOWN: Final = 256


def read_common_head(received: bytes) -> CommonHead | None:
    """Return the head that bytes start with, or None if it is not whole or not of the common shape.

    The common shape is HTTP/1.1 with a body of a known length, on a connection that is kept.
    """
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = received[:end]
    line_ends = head.translate(None, _IN_LINES)
    status_line, *lines = head.decode("latin-1").split("\r\n")
    # Every other byte is one of a line's end: none stands alone, and none is a control or over 127.
    if line_ends != b"\r\n" * len(lines):
        return None
    found = _STATUS_LINE.fullmatch(status_line)
    if found is None:
        return None
    fields: list[tuple[str, str]] = []
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        key = _known.get(name) or _checked(name)
        if key is None or len(name) == len(line):
            return None
        value = value.strip("\t ")
        fields.append((name, value))
        headers[key] = value
    if len(headers) != len(fields):
        headers = joined(fields)
    status = int(found[1])
    length = _length(status, headers)
    if length is None:
        return None
    return CommonHead(ResponseHead(status, found[2], fields, headers), end + 4, length)


def joined(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return header values by lower-case name, those of one name joined by commas."""
    headers: dict[str, str] = {}
    for name, value in fields:
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def _checked(name: str) -> str | None:
    """Return a header's name in lower case, if it is one."""
    if _NAME.fullmatch(name) is None:
        return None
    if len(_known) < _MOST_KNOWN and len(name) < _MOST_KNOWN:
        _known[name] = name.lower()
    return name.lower()


def _length(status: int, headers: dict[str, str]) -> int | None:
    """Return the length of the body, or None if the head leaves anything else to say of it."""
    if "transfer-encoding" in headers or headers.get("connection", "keep-alive") not in _KEPT:
        return None
    length = headers.get("content-length")
    if status == 304 or (length is None and status != 204):
        return None
    if length is not None and _LENGTH.fullmatch(length) is None:
        return None
    # RFC 9110, 15.3.5: a 204 has no body, whatever its headers say.
    return 0 if status == 204 or length is None else int(length)


_KEPT: Final = frozenset({"keep-alive", "Keep-Alive"})
