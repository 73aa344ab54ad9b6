"""The headers and body of a recorded request or response, and their form without secrets."""

import contextlib
from collections.abc import Mapping
from typing import Final, cast
from urllib.parse import parse_qsl, urlencode

from attrs import field, frozen

from webrtc_async._codec.model_codec import is_object, read_json
from webrtc_async._protocol.redaction import public_headers
from webrtc_async.emulator.webhooks.callback_url import public_url

MAX_BODY: Final = 64 * 1024
"""Maximum size of a recorded body in bytes; the rest of a longer one is dropped."""

HIDDEN: Final = "<hidden>"
"""What stands for a secret."""

MAX_DEPTH: Final = 32
"""Maximum depth of a body that is shown; no request of the API is as deep."""

_SECRET_FIELDS: Final = frozenset({"token", "access_token", "client_secret", "password"})


def _lower_case(headers: Mapping[str, str]) -> Mapping[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@frozen(repr=False)
class RecordedMessage:
    """The headers and body of a request or response; its repr shows neither.

    Attributes:
        headers: Values by name in lower case.
        content: The first 64 KiB of the body.
    """

    headers: Mapping[str, str] = field(converter=_lower_case)
    content: bytes = b""

    def __repr__(self) -> str:
        return f"<{len(self.headers)} headers, {len(self.content)} bytes>"

    @property
    def json(self) -> object:
        """The body as JSON values; None without a body.

        Raises:
            ValueError: The body is not JSON, or it was longer than what is recorded.
        """
        return read_json(self.content) if self.content else None

    def as_json(self) -> dict[str, object]:
        """Return the headers and body as JSON values, without secrets."""
        return {"headers": public_headers(self.headers), "body": self._public_body()}

    def _public_body(self) -> object:
        if not self.content:
            return None
        with contextlib.suppress(ValueError):
            return _public(read_json(self.content), "", MAX_DEPTH)
        if self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            fields = parse_qsl(self.content.decode("utf-8", "replace"), keep_blank_values=True)
            return urlencode(
                [(name, HIDDEN if name in _SECRET_FIELDS else value) for name, value in fields],
                safe="<>",
            )
        # Other text can hold a secret in any form.
        return f"<{len(self.content)} bytes that are not JSON>"


def _public(value: object, name: str, depth: int) -> object:
    if depth == 0:
        return "..."
    if name in _SECRET_FIELDS and value is not None:
        return HIDDEN
    if name == "callbackUrl" and isinstance(value, str):
        return public_url(value)
    if isinstance(value, list):
        return [_public(each, name, depth - 1) for each in cast("list[object]", value)]
    if is_object(value):
        return {key: _public(each, key, depth - 1) for key, each in value.items()}
    return value
