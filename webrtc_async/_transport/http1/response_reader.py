"""One response out of the bytes of a connection; no I/O."""

from collections.abc import Callable
from typing import Final, Protocol

from webrtc_async._transport.http1.response_head import ResponseHead, read_common_head

LONGEST_HEAD: Final = 100 * 1024
"""Bytes of a head, or of a chunk's, that may come before it is whole."""


class ResponseError(ValueError):
    """Bytes that are not an HTTP response, or that break off."""


class Parser(Protocol):
    """Reads one response of any shape; its attributes are a `ResponseReader`'s."""

    head: ResponseHead | None
    is_complete: bool
    is_reusable: bool

    def feed(self, received: bytes) -> bytes:
        """Take bytes, or none for the connection's end, and return what they have of the body.

        Raises:
            ResponseError: They are not what a response has here.
        """
        ...


def h11_parser(method: str) -> Parser:
    """Return a parser of the response to a request of this method."""
    # Most responses need no parser, and so most programs load none.
    from webrtc_async._transport.http1.h11_parser import H11Parser

    return H11Parser(method)


class ResponseReader:
    """Reads one response, by the pattern for the common head or else by a parser.

    Args:
        method: The request's method.
        parser_for: Makes the parser for a method.

    Attributes:
        head: The final head, once it is whole.
        is_complete: Whether the response has come to its end.
        is_reusable: Whether the connection may carry another exchange after this one.
    """

    __slots__ = (
        "_left",
        "_method",
        "_parser",
        "_parser_for",
        "has_begun",
        "head",
        "is_complete",
        "is_reusable",
    )

    def __init__(self, method: str, parser_for: Callable[[str], Parser] = h11_parser) -> None:
        self.head: ResponseHead | None = None
        self.has_begun = self.is_complete = self.is_reusable = False
        self._method = method
        self._left = 0
        self._parser: Parser | None = None
        self._parser_for = parser_for

    def feed(self, received: bytes) -> bytes:
        """Take bytes, at least one, and return the part of the body that is among them.

        Raises:
            ResponseError: They are not what a response has here.
        """
        if not self.has_begun:
            self.has_begun = True
            common = None if self._method == "HEAD" else read_common_head(received)
            if common is None:
                self._parser = self._parser_for(self._method)
            else:
                self.head, size, self._left = common
                received = received[size:]
        if self._parser is not None:
            return self._parse(self._parser, received)
        self._left -= len(received)
        if self._left > 0:
            return received
        self.is_complete = True
        self.is_reusable = self._left == 0
        return received if self.is_reusable else received[: self._left]

    def feed_end(self) -> None:
        """Take the end of the connection.

        Raises:
            ResponseError: The response had not come to its end.
        """
        if not self.has_begun:
            raise ResponseError("the server closed the connection without an answer")
        if self._parser is not None:
            self._parse(self._parser, b"")
        else:
            raise ResponseError(f"the server closed the connection {self._left} bytes too early")

    def _parse(self, parser: Parser, received: bytes) -> bytes:
        try:
            return parser.feed(received)
        finally:
            self.head = parser.head
            self.is_complete, self.is_reusable = parser.is_complete, parser.is_reusable
