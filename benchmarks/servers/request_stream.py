"""Requests parsed from the bytes of a connection: whole, pipelined or in pieces."""

import re

from benchmarks.servers.canned_responses import find_response

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class RequestStream:
    """The requests of one connection; every body has a Content-Length."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the responses to the requests that are complete now, in order."""
        data = self._rest + data
        start, responses = 0, []
        while (head_end := data.find(b"\r\n\r\n", start)) >= 0:
            length = LENGTH.search(data, start, head_end)
            end = head_end + 4 + (int(length[1]) if length else 0)
            if end > len(data):
                break
            responses.append(find_response(data[start : data.index(b"\r\n", start)]))
            start = end
        self._rest = data[start:]
        return responses
