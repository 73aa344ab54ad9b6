"""A request's head as bytes, checked before a byte of it is sent."""

import re
from collections.abc import Iterable
from typing import Final

from httpx import LocalProtocolError

_MOST_KEPT: Final = 64

_METHOD: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET: Final = re.compile(r"[!-~]+")
# RFC 9110, 5.5, as strict as h11: no controls but tabs within, no space around.
_FIELD: Final = re.compile(
    r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: (?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?\r\n"
)

Fields = tuple[tuple[str, str], ...]


class RequestHeads:
    """Writes heads, and keeps the header blocks that it wrote last.

    The calls of a client differ in their targets and in few headers, so most blocks are had ready.
    """

    def __init__(self) -> None:
        self._blocks: dict[Fields, bytes] = {}

    def write(self, method: str, target: str, fields: Fields) -> bytes:
        """Return a request line and headers.

        Raises:
            LocalProtocolError: A part of it cannot be sent.
        """
        if _METHOD.fullmatch(method) is None or _TARGET.fullmatch(target) is None:
            raise LocalProtocolError("the method or the target cannot be sent")
        block = self._blocks.get(fields)
        if block is None:
            block = _block(fields)
            if len(self._blocks) >= _MOST_KEPT:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[fields] = block
        return f"{method} {target} HTTP/1.1\r\n".encode("ascii") + block

    def forget(self) -> None:
        """Give up what was kept, credentials among it."""
        self._blocks.clear()


def _block(fields: Iterable[tuple[str, str]]) -> bytes:
    lines = [f"{name}: {value}\r\n" for name, value in fields]
    for line in lines:
        if _FIELD.fullmatch(line) is None:
            raise LocalProtocolError(f"the header {line.partition(':')[0]!r} cannot be sent")
    return "".join([*lines, "\r\n"]).encode("latin-1")
