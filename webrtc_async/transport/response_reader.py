"""One response out of the bytes of a connection; no I/O."""

from typing import TYPE_CHECKING, Final

from webrtc_async.transport.response_head import Headers, ResponseHead, read_common_head

if TYPE_CHECKING:
    import h11

LONGEST_HEAD: Final = 100 * 1024
"""Bytes of a head, or of a chunk's, that may come before it is whole."""


class ResponseError(ValueError):
    """Bytes that are not an HTTP response, or that break off."""


class ResponseReader:
    """Reads one response, by the pattern for the common head or else by h11.

    Attributes:
        head: The final head, once it is whole.
        is_complete: Whether the response has come to its end.
        is_reusable: Whether the connection may carry another exchange after this one.
    """

    __slots__ = ("_h11", "_left", "_method", "has_begun", "head", "is_complete", "is_reusable")

    def __init__(self, method: str) -> None:
        self.head: ResponseHead | None = None
        self.has_begun = self.is_complete = self.is_reusable = False
        self._method = method
        self._left = 0
        self._h11: h11.Connection | None = None

    def feed(self, received: bytes) -> bytes:
        """Take bytes, at least one, and return the part of the body that is among them.

        Raises:
            ResponseError: They are not what a response has here.
        """
        if not self.has_begun:
            self.has_begun = True
            common = None if self._method == "HEAD" else read_common_head(received)
            if common is None:
                self._h11 = _reader(self._method)
            else:
                self.head, size, self._left = common
                received = received[size:]
        if self._h11 is not None:
            return self._feed_h11(self._h11, received)
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
        if self._h11 is not None:
            self._feed_h11(self._h11, b"")
        else:
            raise ResponseError(f"the server closed the connection {self._left} bytes too early")

    def _feed_h11(self, connection: "h11.Connection", received: bytes) -> bytes:
        import h11  # loaded with the first response that needs it

        body: list[bytes] = []
        try:
            connection.receive_data(received)
            while not self.is_complete:
                event = connection.next_event()
                if isinstance(event, h11.Response):
                    self.head = _head(event)
                elif isinstance(event, h11.Data):
                    body.append(bytes(event.data))
                elif isinstance(event, h11.EndOfMessage):
                    self.is_complete = True
                    self.is_reusable = (
                        connection.their_state is h11.DONE
                        and connection.our_state is h11.DONE
                        and connection.trailing_data == (b"", False)
                    )
                elif not isinstance(event, h11.InformationalResponse):
                    break
        except h11.RemoteProtocolError as error:
            raise ResponseError(str(error)) from error
        return b"".join(body)


def _reader(method: str) -> "h11.Connection":
    """Return a reader of the response to a request of this method."""
    import h11

    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)
    # The request is on its way already: this one only tells h11 which response may follow.
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    return connection


def _head(event: "h11.Response") -> ResponseHead:
    raw = event.headers.raw_items()
    encoding = _encoding(raw)
    lines = [f"{name.decode('ascii')}:{value.decode(encoding)}\r\n" for name, value in raw]
    headers = Headers("".join(["\r\n", *lines]))
    reason = event.reason.decode("latin-1")
    return ResponseHead(event.status_code, reason, headers, headers.get("content-encoding", ""))


def _encoding(raw: list[tuple[bytes, bytes]]) -> str:
    """Return the encoding of header values: UTF-8 where all of them are, else Latin-1."""
    try:
        for _, value in raw:
            value.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"
