"""Responses by h11, which reads every shape of them."""

import h11

from webrtc_async._transport.http1.response_head import ResponseHead, parsed_head
from webrtc_async._transport.http1.response_reader import LONGEST_HEAD, ResponseError


class H11Parser:
    """Reads one response; a `Parser`.

    Args:
        method: The request's method.
    """

    def __init__(self, method: str) -> None:
        self.head: ResponseHead | None = None
        self.is_complete = self.is_reusable = False
        self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)
        # The request is on its way already: this one only tells h11 which response may follow.
        self._connection.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
        self._connection.send(h11.EndOfMessage())

    def feed(self, received: bytes) -> bytes:
        """Take bytes, or none for the connection's end, and return what they have of the body."""
        connection = self._connection
        body: list[bytes] = []
        try:
            connection.receive_data(received)
            while not self.is_complete:
                event = connection.next_event()
                if isinstance(event, h11.Response):
                    fields = event.headers.raw_items()
                    self.head = parsed_head(event.status_code, event.reason, fields)
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
            # h11 raises some in a method of theirs, whose frame holds them.
            raise ResponseError(str(error)) from error.with_traceback(None)
        return b"".join(body)
