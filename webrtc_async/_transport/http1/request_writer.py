"""Requests as bytes, checked before the first one is sent."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from httpx import LocalProtocolError

from webrtc_async._protocol.redaction import HiddenBytes
from webrtc_async._protocol.wire import WireRequest

MAX_KEPT: Final = 64
"""Header mappings whose lines are kept."""

_USUAL_METHODS: Final = frozenset({"GET", "POST", "PUT", "DELETE"})
_WITH_LENGTH: Final = frozenset({"POST", "PUT", "PATCH"})
"""Methods whose requests have a Content-Length even if it is 0 (RFC 9110, 8.6)."""

_METHOD: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET: Final = re.compile(r"[!-~]+")
# RFC 9110, 5.5, as strict as h11: no controls but tabs within, no space around.
_FIELD: Final = re.compile(
    r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: (?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?\r\n"
)


class _Lines(NamedTuple):
    """Header lines, and the headers and host that they were written from."""

    headers: Mapping[str, str]
    host: str
    written: bytes


class RequestWriter:
    """A writer of a client's requests.

    They share one read-only mapping of headers, so its lines are kept. They differ in target and
    body, and now and then in credentials.
    """

    def __init__(self) -> None:
        # By the id of the headers; each entry holds them, so that no other object gets the id.
        self._kept: dict[int, _Lines] = {}
        self._authorization = ""
        self._authorization_line = HiddenBytes()

    def write(self, request: WireRequest, target: str, host: str) -> HiddenBytes:
        """Return a request with the headers that HTTP needs.

        The target is its path and query, checked by `check_target`.

        Raises:
            LocalProtocolError: The method, the target or a header is not valid.
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
        return HiddenBytes(b"".join((start, kept.written, credentials, end, content)))

    def forget(self) -> None:
        """Forget the kept lines and credentials."""
        self._kept.clear()
        self._authorize("")

    def _lines(self, headers: Mapping[str, str], host: str) -> _Lines:
        # The service's responses are small, and what is not compressed cannot swell.
        own = (("Host", host), ("Accept-Encoding", "identity"))
        lines = _Lines(headers, host, _written((*own, *headers.items())))
        if isinstance(headers, MappingProxyType):
            if len(self._kept) >= MAX_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[id(headers)] = lines
        return lines

    def _authorize(self, authorization: str) -> None:
        fields = [("Authorization", authorization)] if authorization else []
        self._authorization_line = HiddenBytes(_written(fields))
        self._authorization = authorization


def write_request(
    method: str, target: str, fields: Iterable[tuple[str, str]], content: bytes
) -> HiddenBytes:
    """Return a request with exactly these headers.

    Raises:
        LocalProtocolError: The method, the target or a header is not valid.
    """
    start = _start(method, check_target(target))
    return HiddenBytes(b"".join((start, _written(fields), b"\r\n", content)))


def check_target(target: str) -> str:
    """Return a request target, once it is known not to end its line.

    Raises:
        LocalProtocolError: The target is not valid.
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
