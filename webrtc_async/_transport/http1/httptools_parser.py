"""Responses by httptools, which stands on llhttp, and by h11 from where they are not plain.

llhttp takes some of what h11 refuses, refuses some of what h11 takes, and reads some of it in its
own way. So it is given only bytes that both read alike, and those are what servers send.
"""

import re
import sys
from typing import Final, NamedTuple

from httptools import HttpParserError, HttpResponseParser

from webrtc_async._transport.http1.response_head import FIELDS, ResponseHead, parsed_head
from webrtc_async._transport.http1.response_reader import Parser, ResponseError

if not hasattr(HttpResponseParser, "set_dangerous_leniencies"):
    raise ImportError("httptools before 0.6.3 takes any two bytes for the end of a chunk")

_HEAD: Final = re.compile(rb"HTTP/1\.1 (?!101)[1-5][0-9][0-9] [\t -~]*" + FIELDS)
_DECIDING: Final = re.compile(
    rb"\r\n(?:(?:connection: ?(?:keep-alive|(close))"
    rb"|content-length: ?([0-9]{1,18})|transfer-encoding: ?((?-i:chunked)))(?=\r)"
    rb"|(connection:|content-length:|transfer-encoding:))",
    re.IGNORECASE,
)
"""A header that says something of the body or the connection; plain, or else odd."""
_CHUNK_LINE: Final = re.compile(rb"(?:(?!0+\r)([0-9A-Fa-f]{1,8})|0{1,8}\r\n)\r\n")
"""What comes before a chunk's bytes, or what ends a body without trailers."""


class HttptoolsParser:
    """Reads one response; a `Parser`.

    Args:
        method: The request's method.
    """

    def __init__(self, method: str) -> None:
        self.head: ResponseHead | None = None
        self.is_complete = self.is_reusable = False
        self._method = method
        self._llhttp: HttpResponseParser
        self._seen: _Seen
        self._plain: _PlainHead
        self._left = 0
        self._is_chunked = False
        self._h11: Parser | None = None

    def feed(self, received: bytes) -> bytes:
        """Take bytes, or none for the connection's end, and return what they have of the body."""
        if self._h11 is not None:
            return self._feed_h11(self._h11, received)
        if not received:
            self._end()
            return b""
        start = 0
        while self.head is None and start < len(received):
            plain = _plain_head(received, start)
            if plain is None:
                return self._hand_over(received[start:])
            self._read_head(plain)
            start += len(plain.raw)
        return b"" if self.head is None else self._read_body(received[start:])

    def _read_head(self, plain: "_PlainHead") -> None:
        seen = self._seen = _Seen()
        self._llhttp = HttpResponseParser(seen)
        self._feed_llhttp(plain.raw)
        status = self._llhttp.get_status_code()
        if status < 200:
            return
        self.head = parsed_head(status, seen.reason, seen.fields)
        self._plain = plain
        # RFC 9112, 6.3. llhttp does not know the method.
        if self._method == "HEAD" or status in (204, 304):
            seen.is_complete = True
        elif plain.is_chunked:
            self._is_chunked = True
        else:
            self._left = sys.maxsize if plain.length is None else plain.length

    def _read_body(self, received: bytes) -> bytes:
        end = self._end_of_plain(received)
        self._feed_llhttp(received[:end])
        body = b"".join(self._seen.body)
        self._seen.body.clear()
        if self._seen.is_complete:
            self.is_complete = True
            self.is_reusable = end == len(received) and not self._plain.closes
        elif end < len(received):
            # Between two chunks, a response is as it was after its head.
            body += self._hand_over(self._plain.raw + received[end:])
        return body

    def _end(self) -> None:
        if self.head is None or self._is_chunked or self._plain.length is not None:
            raise ResponseError("the server closed the connection before its answer ended")
        self.is_complete = True

    def _end_of_plain(self, received: bytes) -> int:
        """Return where the plain part of these bytes of a body ends."""
        end = self._left
        while self._is_chunked and end < len(received):
            line = _CHUNK_LINE.match(received, end)
            if line is None:
                return end
            end = line.end()
            if line[1] is None:
                self._is_chunked = False
            else:
                end += int(line[1], 16) + len(b"\r\n")
        self._left = max(0, end - len(received))
        return min(end, len(received))

    def _feed_llhttp(self, received: bytes) -> None:
        try:
            self._llhttp.feed_data(received)
        except HttpParserError as error:
            raise ResponseError(str(error)) from error

    def _hand_over(self, received: bytes) -> bytes:
        from webrtc_async._transport.http1.h11_parser import H11Parser  # few responses need it

        self._h11 = H11Parser(self._method)
        return self._feed_h11(self._h11, received)

    def _feed_h11(self, parser: Parser, received: bytes) -> bytes:
        try:
            return parser.feed(received)
        finally:
            self.head, self.is_complete = parser.head, parser.is_complete
            self.is_reusable = parser.is_reusable


class _PlainHead(NamedTuple):
    """A head that both read alike, and what it says of the connection and the body."""

    raw: bytes
    closes: bool
    is_chunked: bool
    length: int | None


def _plain_head(received: bytes, start: int) -> _PlainHead | None:
    """Return the head that begins here, or None if it is not whole or not plain."""
    found = _HEAD.match(received, start)
    if found is None:
        return None
    closes, coding, length = False, b"", b""
    for close, digits, chunked, odd in _DECIDING.findall(found[1]):
        if odd or ((digits or chunked) and (coding or length)):
            return None
        closes, coding, length = closes or bool(close), coding or chunked, length or digits
    return _PlainHead(found[0], closes, bool(coding), int(length) if length else None)


class _Seen:
    """What llhttp has told of a message."""

    __slots__ = ("body", "fields", "is_complete", "on_body", "reason")

    def __init__(self) -> None:
        self.reason = b""
        self.fields: list[tuple[bytes, bytes]] = []
        self.body: list[bytes] = []
        self.on_body = self.body.append
        self.is_complete = False

    def on_status(self, reason: bytes) -> None:
        self.reason = reason

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))

    def on_message_complete(self) -> None:
        self.is_complete = True
