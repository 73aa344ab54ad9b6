"""The one common shape of a response's head, read by a pattern; anything else is h11's to read.

The pattern takes less than h11 does and never more, so that what it takes, h11 reads alike.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final, NamedTuple


class Headers(Mapping[str, str]):
    """Header values by lower-case name; those of one name are joined by commas.

    Few calls ask for any, so they are told apart when one does.

    Args:
        lines: Header lines that were found good, each with its end.
    """

    def __init__(self, lines: str) -> None:
        self._lines = lines

    @cached_property
    def fields(self) -> list[tuple[str, str]]:
        """Names as they were spelt, and values, in their order."""
        split = (line.partition(":") for line in self._lines.split("\r\n")[:-1])
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


class ResponseHead(NamedTuple):
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
_HEAD: Final = re.compile(
    rb"HTTP/1\.1 ([2-5][0-9][0-9]) ([\t -~]*)"
    rb"(\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~]*\r\n)*+)\r\n"
)
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[\t ]*([0-9]{1,18})[\t ]*\r\n")
_CONNECTION: Final = re.compile(rb"\r\nconnection:[\t ]*keep-alive[\t ]*\r\n")


def read_common_head(received: bytes) -> CommonHead | None:
    """Return the head that bytes start with, or None if it is not whole or not of the common shape.

    The common shape is HTTP/1.1 with a plain body of a known length, on a connection that is kept.
    """
    found = _HEAD.match(received)
    if found is None:
        return None
    code, reason, lines = found.groups()
    status = int(code)
    length = _length(status, lines.lower())
    if length is None:
        return None
    head = ResponseHead(status, reason.decode("ascii"), Headers(lines[2:].decode("ascii")))
    return CommonHead(head, found.end(), length)


def joined(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return header values by lower-case name, those of one name joined by commas."""
    headers: dict[str, str] = {}
    for name, value in fields:
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def _length(status: int, lines: bytes) -> int | None:
    """Return the length of the body, or None if the head leaves anything else to say of it.

    Args:
        status: The status.
        lines: The header lines in lower case, with a line's end before the first.
    """
    if b"\r\ntransfer-encoding:" in lines or b"\r\ncontent-encoding:" in lines or status == 304:
        return None
    connections = lines.count(b"\r\nconnection:")
    if connections and (connections > 1 or _CONNECTION.search(lines) is None):
        return None
    lengths = lines.count(b"\r\ncontent-length:")
    if not lengths:
        return 0 if status == 204 else None
    found = _LENGTH.search(lines)
    if lengths > 1 or found is None:
        return None
    # RFC 9110, 15.3.5: a 204 has no body, whatever its headers say.
    return 0 if status == 204 else int(found[1])
