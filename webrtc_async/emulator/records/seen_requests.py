"""What requests held, kept to be searched by tests for what should not have been in them."""

import base64
import json
from collections import deque
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from attrs import define, field

from webrtc_async._protocol.wire import WireRequest

MOST_BYTES: Final = 16 * 1024 * 1024
"""Bytes of requests that are kept; older requests fall out."""

SHORTEST_SECRET: Final = 4
"""Characters that a secret has at least; shorter text would be found by chance."""

_OVERHEAD: Final = 1000
"""Bytes that Python needs for a request, about."""


@define(eq=False)
class Evidence:
    """The last requests, without their Authorization, whose contents show nowhere."""

    most_bytes: int = MOST_BYTES
    # Never shown: a request may hold a secret, which is what is looked for.
    _kept: deque[tuple[str, bytes]] = field(
        factory=deque[tuple[str, bytes]], init=False, repr=False
    )
    _size: int = field(default=0, init=False, repr=False)
    _is_whole: bool = field(default=True, init=False, repr=False)

    def keep(self, request: WireRequest) -> None:
        """Keep a request, but not its Authorization."""
        lines = [
            f"{name}: {value}"
            for name, value in request.headers.items()
            if name.lower() != "authorization"
        ]
        head = "\n".join([request.method, request.target, *lines])
        self._kept.append((head, request.content))
        self._size += _size_of(head, request.content)
        while self._size > self.most_bytes:
            self._size -= _size_of(*self._kept.popleft())
            self._is_whole = False

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()
        self._size, self._is_whole = 0, True

    def holds(self, secret: str) -> bool:
        """Whether a text stands in a method, path, query, body or header but Authorization.

        It is found plain, percent-encoded, as JSON escapes it, and in base64.

        Raises:
            ValueError: It has under 4 characters.
            LookupError: It was not found, and older requests have fallen out of what is kept.
        """
        if len(secret) < SHORTEST_SECRET:
            raise ValueError(f"The secret has under {SHORTEST_SECRET} characters.")
        forms = tuple(_forms(secret))
        for head, content in self._kept:
            for text in (head.encode("utf-8", "surrogatepass"), content):
                for decoded in (text, unquote_to_bytes(text)):
                    if any(form in decoded for form in forms):
                        return True
        if not self._is_whole:
            raise LookupError(
                "The secret was not found in the last requests, and older ones are not kept: "
                "ask more often, and reset in between."
            )
        return False

    def __len__(self) -> int:
        return len(self._kept)


def _size_of(head: str, content: bytes) -> int:
    return _OVERHEAD + len(head) + len(content)


def _forms(secret: str) -> Iterator[bytes]:
    plain = secret.encode("utf-8", "surrogatepass")
    yield plain
    yield quote(plain, safe="").encode()
    yield json.dumps(secret)[1:-1].encode()
    # In base64, what comes before moves it by 0, 1 or 2 bytes; the characters at its ends are
    # shared with its neighbours and left out.
    for before, skipped in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(bytes(before) + plain).rstrip(b"=")
        last = len(encoded) - 1 if (before + len(plain)) % 3 else len(encoded)
        for form in (encoded, encoded.translate(bytes.maketrans(b"+/", b"-_"))):
            yield form[skipped:last]
