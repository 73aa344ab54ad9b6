"""The last requests, in which tests search for secrets."""

import json
from collections import deque
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from attrs import define, field

from webrtc_async._protocol.redaction import base64_forms
from webrtc_async._protocol.wire import WireRequest

MAX_BYTES: Final = 16 * 1024 * 1024
"""Maximum size of the kept requests in bytes; older requests are dropped."""

MIN_SECRET_LENGTH: Final = 4
"""Minimum length of a secret in characters; shorter text could match by chance."""

_OVERHEAD: Final = 1000
"""Approximate memory of a request's Python objects in bytes."""


@define(eq=False)
class SeenRequests:
    """The last requests without their Authorization headers; its repr shows none of them."""

    max_bytes: int = MAX_BYTES
    # Not in the repr: a request can hold a secret.
    _kept: deque[tuple[str, bytes]] = field(
        factory=deque[tuple[str, bytes]], init=False, repr=False
    )
    _size: int = field(default=0, init=False, repr=False)
    _is_whole: bool = field(default=True, init=False, repr=False)

    def keep(self, request: WireRequest) -> None:
        """Keep a request without its Authorization."""
        lines = [
            f"{name}: {value}"
            for name, value in request.headers.items()
            if name.lower() != "authorization"
        ]
        head = "\n".join([request.method, request.target, *lines])
        self._kept.append((head, request.content))
        self._size += _size_of(head, request.content)
        while self._size > self.max_bytes:
            self._size -= _size_of(*self._kept.popleft())
            self._is_whole = False

    def clear(self) -> None:
        """Drop all requests."""
        self._kept.clear()
        self._size, self._is_whole = 0, True

    def contain(self, secret: str) -> bool:
        """Return True if a request holds the secret anywhere but in its Authorization.

        The search covers the plain, percent-encoded, JSON-escaped and base64 forms of the text.

        Raises:
            ValueError: The secret has fewer than 4 characters.
            LookupError: It was not found, but older requests were dropped.
        """
        if len(secret) < MIN_SECRET_LENGTH:
            raise ValueError(f"The secret has fewer than {MIN_SECRET_LENGTH} characters.")
        forms = tuple(_forms(secret))
        for head, content in self._kept:
            for text in (head.encode("utf-8", "surrogatepass"), content):
                for decoded in (text, unquote_to_bytes(text)):
                    if any(form in decoded for form in forms):
                        return True
        if not self._is_whole:
            raise LookupError(
                "The secret was not found in the last requests, and older ones were dropped. "
                "Search more often, and reset in between."
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
    for form in base64_forms(secret):
        yield form.encode()
