"""The interface of response parsers, and what they share."""

from typing import Final, Protocol

from webrtc_async._transport.http1.response_head import ResponseHead

MAX_HEAD: Final = 100 * 1024
"""Bytes that an incomplete head, or an incomplete chunk header, may have."""


class ResponseError(ValueError):
    """Bytes that are not an HTTP response, or a response that breaks off."""


class Parser(Protocol):
    """A parser of one response of any shape.

    Attributes:
        head: The final head; None until it is complete.
        is_complete: True once the whole response was received.
        is_reusable: True if the connection can carry another request.
    """

    head: ResponseHead | None
    is_complete: bool
    is_reusable: bool

    def feed(self, received: bytes) -> bytes:
        """Parse bytes and return the part of the body among them.

        Args:
            received: Bytes of the server; empty for the end of the connection.

        Raises:
            ResponseError: The bytes are not a valid response.
        """
        ...
