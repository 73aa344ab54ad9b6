"""Requests cut out of the bytes of a connection: whole, pipelined or in pieces."""

import re

from benchmarks.servers.answers import find_answer

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class RequestStream:
    """What has come on one connection, up to the last whole request.

    A body has a Content-Length, as those of all contestants do.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the answers to the requests that are complete now, in their order."""
        data = self._rest + data
        begins, answers = 0, []
        while (head_ends := data.find(b"\r\n\r\n", begins)) >= 0:
            length = LENGTH.search(data, begins, head_ends)
            ends = head_ends + 4 + (int(length[1]) if length else 0)
            if ends > len(data):
                break
            answers.append(find_answer(data[begins : data.index(b"\r\n", begins)]))
            begins = ends
        self._rest = data[begins:]
        return answers
