"""The head of a response, and a pattern that reads its most common shape.

The pattern accepts less than a parser does and never more: h11 reads every such head alike.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import Final

from attrs import define

CUT_OFF: Final = "the connection ended without TLS's close_notify, so it may have been cut off"
"""The problem of a body that only the end of a TLS connection ends (RFC 9112, 9.8)."""


class ResponseError(ValueError):
    """Bytes that are not an HTTP response, or a response that breaks off."""


class Headers(Mapping[str, str]):
    """Header values by lower-case name; values of the same name are joined by commas.

    They are parsed when first asked for, because few calls need any. The lines are valid, with a
    line end before and after each.
    """

    def __init__(self, lines: str) -> None:
        self._lines = lines

    @cached_property
    def fields(self) -> list[tuple[str, str]]:
        """Names and values in their order; names keep their spelling."""
        split = (line.partition(":") for line in self._lines.split("\r\n")[1:-1])
        return [(name, value.strip("\t ")) for name, _, value in split]

    @cached_property
    def _by_name(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for name, value in self.fields:
            key = name.lower()
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
        return headers

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
"""A pattern for the lines after a status line; its group has them with their ends."""

# Of the headers about the body or the connection, only one length and keep-alive are accepted. The
# first branch that fits a line decides, and for most lines one letter suffices.
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
    """Return the head at the start of some bytes, or None if it is incomplete or not common.

    A common head is HTTP/1.1 with a plain body of a known length, on a connection that is kept.

    Returns:
        The head, the number of its bytes, and the number of bytes of the body.
    """
    found = _COMMON.match(received)
    if found is None:
        return None
    code, reason, lines, digits = found.groups()
    status = int(code)
    if status == _NO_CONTENT and digits is None:
        digits = b"0"
    # A 204 or 304 has no body, even if its headers name a length (RFC 9112, 6.3).
    if digits is None or status == _NOT_MODIFIED or (status == _NO_CONTENT and int(digits)):
        return None
    head = ResponseHead(status, reason.decode("ascii"), Headers(lines.decode("ascii")))
    return head, found.end(), int(digits)


def parsed_head(status: int, reason: bytes, fields: list[tuple[bytes, bytes]]) -> ResponseHead:
    """Return the head with these raw headers; values are UTF-8 if all of them are, else Latin-1."""
    raw = b"\r\n" + b"".join(b"%b:%b\r\n" % field for field in fields)
    try:
        headers = Headers(raw.decode("utf-8"))
    except UnicodeDecodeError:
        headers = Headers(raw.decode("latin-1"))
    is_coded = any(name.lower() == b"content-encoding" for name, _ in fields)
    coding = headers["content-encoding"] if is_coded else ""
    return ResponseHead(status, reason.decode("latin-1"), headers, coding)
