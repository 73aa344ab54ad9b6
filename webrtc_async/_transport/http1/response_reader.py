"""A reader that turns the bytes of a connection into one response; no I/O."""

from typing import TYPE_CHECKING

from webrtc_async._transport.http1.response_head import (
    CUT_OFF,
    ResponseError,
    ResponseHead,
    read_common_head,
)

if TYPE_CHECKING:
    from webrtc_async._transport.http1.h11_parser import H11Parser


class ResponseReader:
    """A reader of one response: a pattern reads the common head, h11 everything else.

    Attributes:
        received_head: The final head; None until it is complete.
        has_begun: True once a byte of the response was received.
        is_complete: True once the whole response was received.
        is_reusable: True if the connection can carry another request.
    """

    __slots__ = (
        "_left",
        "_method",
        "_parser",
        "has_begun",
        "is_complete",
        "is_reusable",
        "received_head",
    )

    def __init__(self, method: str) -> None:
        self.received_head: ResponseHead | None = None
        self.has_begun = self.is_complete = self.is_reusable = False
        self._method = method
        self._left = 0
        self._parser: H11Parser | None = None

    def feed(self, received: bytes) -> bytes:
        """Read bytes, at least one, and return the part of the body among them.

        Raises:
            ResponseError: The bytes are not a valid response.
        """
        if not self.has_begun:
            self.has_begun = True
            common = None if self._method == "HEAD" else read_common_head(received)
            if common is None:
                # Most responses need no parser, so most programs do not load one.
                from webrtc_async._transport.http1.h11_parser import H11Parser

                self._parser = H11Parser(self._method)
            else:
                self.received_head, size, self._left = common
                received = received[size:]
        if self._parser is not None:
            return self._parse(self._parser, received)
        self._left -= len(received)
        if self._left > 0:
            return received
        self.is_complete = True
        self.is_reusable = self._left == 0
        return received if self.is_reusable else received[: self._left]

    def take_parsed(self) -> bytes:
        """Return the part of the body that was parsed before `feed` failed."""
        return b"" if self._parser is None else self._parser.take()

    def feed_end(self, *, is_certain: bool = True) -> None:
        """Read the end of the connection.

        Args:
            is_certain: False if a TLS connection ended without close_notify.

        Raises:
            ResponseError: The response is not complete.
        """
        if not self.has_begun:
            raise ResponseError("the server closed the connection before sending a response")
        if self._parser is None:
            raise ResponseError(f"the server closed the connection {self._left} bytes too early")
        if not is_certain:
            raise ResponseError(CUT_OFF)
        self._parse(self._parser, b"")

    def _parse(self, parser: "H11Parser", received: bytes) -> bytes:
        try:
            parser.feed(received)
        finally:
            self.received_head = parser.head
            self.is_complete, self.is_reusable = parser.is_complete, parser.is_reusable
        return parser.take()
