"""A parser of responses of any shape, by h11."""

import re
from http import HTTPStatus
from typing import Final

import h11

from webrtc_async._transport.http1.response_head import ResponseError, ResponseHead, parsed_head

_BODILESS: Final = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)

_HEAD: Final = re.compile(rb"(?s)(?:HTTP/1\.1 1[0-9]{2}.*?\r\n\r\n)*.*?(?=\r\n\r\n)")
_CHUNKED: Final = re.compile(
    rb"(?i)\r\ntransfer-encoding:[\t ]*+((?:(?:chunked|identity)[\t ]*+(?:,[\t ]*+)?)++)(?=\r\n|\Z)"
)
"""A header that says that a response has chunks, or that it has no encoding."""

_MAX_HEAD: Final = 100 * 1024
"""Bytes that an incomplete head, or an incomplete chunk header, may have."""


class H11Parser:
    """A parser of one response, with the attributes of a `ResponseReader`."""

    def __init__(self, method: str) -> None:
        self.head: ResponseHead | None = None
        self.is_complete = self.is_reusable = self._is_ambiguous = False
        self._method = method
        self._body: list[bytes] = []
        self._begin()

    def feed(self, received: bytes) -> None:
        """Parse bytes; empty bytes end the response.

        Raises:
            ResponseError: The bytes are not a valid response.
        """
        start = b"" if self.head else self._connection.trailing_data[0] + received
        try:
            self._parse(received)
        except h11.RemoteProtocolError as error:
            once = None if self.head else _chunked_once(start)
            if once is None:
                # The frames of its traceback hold bytes of the response, and tokens among them.
                raise ResponseError(str(error)) from error.with_traceback(None)
        else:
            return
        self._is_ambiguous = True
        self._begin()
        self.feed(once)

    def take(self) -> bytes:
        """Return the part of the body that was parsed since the last time."""
        body = b"".join(self._body)
        self._body.clear()
        return body

    def _begin(self) -> None:
        self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
        # The real request is written elsewhere. This one tells h11 which response can follow.
        self._connection.send(h11.Request(method=self._method, target="/", headers=[("Host", "x")]))
        self._connection.send(h11.EndOfMessage())

    def _parse(self, received: bytes) -> None:
        connection = self._connection
        connection.receive_data(received)
        while not self.is_complete:
            event = connection.next_event()
            if isinstance(event, h11.Response):
                fields = event.headers.raw_items()
                self.head = parsed_head(event.status_code, event.reason, fields)
                self._is_ambiguous |= _is_ambiguous(event)
            elif isinstance(event, h11.Data):
                self._body.append(bytes(event.data))
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


def _chunked_once(received: bytes) -> bytes | None:
    """Return a response that names its chunks several times, as if it named them once.

    h11 refuses it; some gateways send it, and nobody sends chunks within chunks. None for any
    other response.
    """
    found = _HEAD.match(received)
    if found is None:
        return None
    head = found.group()
    codings = [name.strip() for line in _CHUNKED.findall(head) for name in line.lower().split(b",")]
    if len(codings) < 2 and b"identity" not in codings:
        return None
    lines = [b"Transfer-Encoding: chunked"] if b"chunked" in codings else []
    return b"\r\n".join([_CHUNKED.sub(b"", head), *lines]) + received[found.end() :]


def _is_ambiguous(head: h11.Response) -> bool:
    """Return True if servers may disagree on where a response ends.

    The bytes behind such a response may be its own or another's (RFC 9112, 6.3).
    """
    headers = dict(head.headers)
    length, is_chunked = headers.get(b"content-length"), b"transfer-encoding" in headers
    if head.status_code in _BODILESS:
        return is_chunked or length not in (None, b"0")
    return is_chunked and length is not None
