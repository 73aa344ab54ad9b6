"""A parser of responses of any shape, by h11."""

from http import HTTPStatus
from typing import Final

import h11

from webrtc_async._transport.http1.response_head import ResponseError, ResponseHead, parsed_head

_BODILESS: Final = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)

_MAX_HEAD: Final = 100 * 1024
"""Bytes that an incomplete head, or an incomplete chunk header, may have."""


class H11Parser:
    """A parser of one response, with the attributes of a `ResponseReader`."""

    def __init__(self, method: str) -> None:
        self.head: ResponseHead | None = None
        self.is_complete = self.is_reusable = self._is_ambiguous = False
        self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
        # The real request is written elsewhere. This one tells h11 which response can follow.
        self._connection.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
        self._connection.send(h11.EndOfMessage())

    def feed(self, received: bytes) -> bytes:
        """Parse bytes and return the part of the body among them; empty bytes end the response.

        Raises:
            ResponseError: The bytes are not a valid response.
        """
        connection = self._connection
        body: list[bytes] = []
        try:
            connection.receive_data(received)
            while not self.is_complete:
                event = connection.next_event()
                if isinstance(event, h11.Response):
                    fields = event.headers.raw_items()
                    self.head = parsed_head(event.status_code, event.reason, fields)
                    self._is_ambiguous = _is_ambiguous(event)
                elif isinstance(event, h11.Data):
                    body.append(bytes(event.data))
                elif isinstance(event, h11.EndOfMessage):
                    self.is_complete = True
                    self.is_reusable = (
                        not self._is_ambiguous
                        and connection.their_state is h11.DONE
                        and connection.our_state is h11.DONE
                        and connection.trailing_data == (b"", False)
                    )
                elif not isinstance(event, h11.InformationalResponse):
                    break
        except h11.RemoteProtocolError as error:
            # The frames of its traceback hold bytes of the response, and tokens among them.
            raise ResponseError(str(error)) from error.with_traceback(None)
        return b"".join(body)


def _is_ambiguous(head: h11.Response) -> bool:
    """Return True if servers may disagree on where a response ends.

    The bytes behind such a response may be its own or another's (RFC 9112, 6.3).
    """
    headers = dict(head.headers)
    length, is_chunked = headers.get(b"content-length"), b"transfer-encoding" in headers
    if head.status_code in _BODILESS:
        return is_chunked or length not in (None, b"0")
    return is_chunked and length is not None
