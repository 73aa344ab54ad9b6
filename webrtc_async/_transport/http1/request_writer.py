"""Requests as bytes, checked before a byte of them is sent."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from attrs import frozen
from httpx import LocalProtocolError

from webrtc_async._protocol.redaction import UnshownBytes
from webrtc_async._protocol.wire import WireRequest

MOST_KEPT: Final = 64

_USUAL_METHODS: Final = frozenset({"GET", "POST", "PUT", "DELETE"})
_WITH_LENGTH: Final = frozenset({"POST", "PUT", "PATCH"})
"""Methods whose requests say their length even where it is 0 (RFC 9110, 8.6)."""

_METHOD: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET: Final = re.compile(r"[!-~]+")
# RFC 9110, 5.5, as strict as h11: no controls but tabs within, no space around.
_FIELD: Final = re.compile(
    r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: (?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?\r\n"
)


@frozen
class _Lines:
    """Header lines that were written before, and what of."""

    headers: Mapping[str, str]
    host: str
    written: bytes


class RequestWriter:
    """Writes the requests of a client.

    What they have in common is one read-only mapping of headers, so its lines are kept; they differ
    in their targets, bodies and at times in their credentials.
    """

    def __init__(self) -> None:
        # By the identity of the headers, which each entry holds so that no other has it.
        self._kept: dict[int, _Lines] = {}
        self._authorization = ""
        self._authorization_line = UnshownBytes()

    def write(self, request: WireRequest, target: str, host: str) -> UnshownBytes:
        """Return a request with the headers that HTTP needs.

        Args:
            request: The request.
            target: Its path and query, which `check_target` has seen.
            host: The host and port that it is for.

        Raises:
            LocalProtocolError: A part of it cannot be sent.
        """
        method, headers, content = request.method, request.headers, request.content
        kept = self._kept.get(id(headers))
        if kept is None or kept.host != host:
            kept = self._lines(headers, host)
        if request.authorization != self._authorization:
            self._authorize(request.authorization)
        end = b"\r\n"
        if content or method in _WITH_LENGTH:
            end = b"Content-Length: %d\r\n\r\n" % len(content)
        start, credentials = _start(method, target), self._authorization_line
        return UnshownBytes(b"".join((start, kept.written, credentials, end, content)))

    def forget(self) -> None:
        """Give up what was kept, credentials among it."""
        self._kept.clear()
        self._authorize("")

    def _lines(self, headers: Mapping[str, str], host: str) -> _Lines:
        # The service's answers are small, and what is not compressed cannot swell.
        own = (("Host", host), ("Accept-Encoding", "identity"))
        lines = _Lines(headers, host, _written((*own, *headers.items())))
        if isinstance(headers, MappingProxyType):
            if len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[id(headers)] = lines
        return lines

    def _authorize(self, authorization: str) -> None:
        fields = [("Authorization", authorization)] if authorization else []
        self._authorization_line = UnshownBytes(_written(fields))
        self._authorization = authorization


def write_request(
    method: str, target: str, fields: Iterable[tuple[str, str]], content: bytes
) -> UnshownBytes:
    """Return a request whose headers are all given.

    Raises:
        LocalProtocolError: A part of it cannot be sent.
    """
    start = _start(method, check_target(target))
    return UnshownBytes(b"".join((start, _written(fields), b"\r\n", content)))


def check_target(target: str) -> str:
    """Return a request target that cannot end its line.

    Raises:
        LocalProtocolError: It cannot be sent.
    """
    if _TARGET.fullmatch(target) is None:
        raise LocalProtocolError("the target cannot be sent")
    return target


def _start(method: str, target: str) -> bytes:
    if method not in _USUAL_METHODS and _METHOD.fullmatch(method) is None:
        raise LocalProtocolError("the method cannot be sent")
    return f"{method} {target} HTTP/1.1\r\n".encode("ascii")


def _written(fields: Iterable[tuple[str, str]]) -> bytes:
    lines = [f"{name}: {value}\r\n" for name, value in fields]
    for line in lines:
        if _FIELD.fullmatch(line) is None:
            raise LocalProtocolError(f"the header {line.partition(':')[0]!r} cannot be sent")
    return "".join(lines).encode("latin-1")
