"""The one common shape of a response's head, read by a pattern; the rest is a parser's to read.

The pattern takes less than a parser does and never more, so that what it takes, h11 reads alike.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import Final

from attrs import define


class Headers(Mapping[str, str]):
    """Header values by lower-case name; those of one name are joined by commas.

    Few calls ask for any, so they are told apart when one does.

    Args:
        lines: Header lines that were found good, each between two lines' ends.
    """

    def __init__(self, lines: str) -> None:
        self._lines = lines

    @cached_property
    def fields(self) -> list[tuple[str, str]]:
        """Names as they were spelt, and values, in their order."""
        split = (line.partition(":") for line in self._lines.split("\r\n")[1:-1])
        return [(name, value.strip("\t ")) for name, _, value in split]

    @cached_property
    def _by_name(self) -> dict[str, str]:
        return joined(self.fields)

    def __getitem__(self, name: str) -> str:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)


@define
class ResponseHead:
    """A response's status line and headers.

    Attributes:
        status: The HTTP status.
        reason: The reason phrase.
        headers: Header values by lower-case name.
        encoding: The Content-Encoding; empty for none.
    """

    status: int
    reason: str
    headers: Headers
    encoding: str = ""


# RFC 9112, 4 and 5, without obsolete folding and bytes over 127.
_FIELD: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t -~]*+\r\n"
FIELDS: Final = rb"(\r\n(?:" + _FIELD + rb")*+)\r\n"
"""A pattern's part for what follows a status line; its group has the lines and their ends."""

# Of what says something of the body or the connection, one length and keep-alive are common. A line
# takes the first branch that fits, so that most are decided by one letter.
_COMMON: Final = re.compile(
    rb"HTTP/1\.1 ([2-5][0-9][0-9]) ([\t -~]*+)(\r\n"
    rb"(?:(?![CcTt])" + _FIELD + rb"|(?(4)(?!))(?i:content-length):[\t ]*+([0-9]{1,18})[\t ]*+\r\n"
    rb"|(?i:connection):[\t ]*+(?i:keep-alive)[\t ]*+\r\n"
    rb"|(?!(?i:connection|content-length|content-encoding|transfer-encoding):)"
    + _FIELD
    + rb")*+)\r\n"
)

_NO_CONTENT: Final = HTTPStatus.NO_CONTENT.value
_NOT_MODIFIED: Final = HTTPStatus.NOT_MODIFIED.value


def read_common_head(received: bytes) -> tuple[ResponseHead, int, int] | None:
    """Return the head that bytes start with, or None if it is not whole or not of the common shape.

    The common shape is HTTP/1.1 with a plain body of a known length, on a connection that is kept.

    Returns:
        The head, how many bytes it takes, and how many bytes of body follow.
    """
    found = _COMMON.match(received)
    if found is None:
        return None
    code, reason, lines, digits = found.groups()
    status = int(code)
    # RFC 9110, 15.3.5: a 204 has no body, whatever its headers say.
    if status == _NO_CONTENT:
        digits = b"0"
    if digits is None or status == _NOT_MODIFIED:
        return None
    head = ResponseHead(status, reason.decode("ascii"), Headers(lines.decode("ascii")))
    return head, found.end(), int(digits)


def parsed_head(status: int, reason: bytes, fields: list[tuple[bytes, bytes]]) -> ResponseHead:
    """Return the head that a parser has read."""
    headers = _ParsedHeaders(fields)
    is_coded = any(name.lower() == b"content-encoding" for name, _ in fields)
    coding = headers["content-encoding"] if is_coded else ""
    return ResponseHead(status, reason.decode("latin-1"), headers, coding)


def joined(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return header values by lower-case name, those of one name joined by commas."""
    headers: dict[str, str] = {}
    for name, value in fields:
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


class _ParsedHeaders(Headers):
    """What a parser has read; values are UTF-8 where all of them are, else Latin-1."""

    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        self._raw = raw

    @cached_property
    def fields(self) -> list[tuple[str, str]]:
        try:
            return self._decoded("utf-8")
        except UnicodeDecodeError:
            return self._decoded("latin-1")

    def _decoded(self, encoding: str) -> list[tuple[str, str]]:
        return [
            (name.decode("ascii"), value.decode(encoding).strip("\t ")) for name, value in self._raw
        ]
