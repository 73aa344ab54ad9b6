"""The secret of a callback URL. The service does not sign its events, so the URL has one."""

import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from attrs import field, frozen

from webrtc_async._protocol.hidden_frames import hide_init_frames
from webrtc_async.errors import ConfigurationError
from webrtc_async.models import SHORTEST_SECRET

MIN_LENGTH: Final = SHORTEST_SECRET
"""Characters of a secret that is hard to guess, at least."""


@hide_init_frames
@frozen(kw_only=True)
class SharedSecret:
    """A secret that every request has in the path of the callback URL, or in a header.

    The service posts to the callback URL of `create_participant` and adds no header, so the last
    segment of the path is the secret: `https://app.example/webhooks/<secret>`. A header is for a
    gateway of yours that adds one.

    Attributes:
        value: The secret, at least 16 characters; `secrets.token_urlsafe()` makes a good one.
        header: The name of the header with the secret; None for the last segment of the path.

    Raises:
        ConfigurationError: The secret is too short, not ASCII, or cannot be a segment of a path.
    """

    value: str = field(repr=False)
    header: str | None = None

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.value, str) or len(self.value) < MIN_LENGTH:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(
                f"A shared secret must have at least {MIN_LENGTH} characters. "
                "secrets.token_urlsafe() makes a good one."
            )
        if not self.value.isascii() or not self.value.isprintable() or "/" in unquote(self.value):
            raise ConfigurationError("A shared secret must be printable ASCII without a slash.")

    def matches(self, path: str, headers: Mapping[str, str]) -> bool:
        """Return True if a request has the secret.

        Args:
            path: The path of the request, percent-encoded or not.
            headers: The headers of the request, by lower-case name.
        """
        if self.header is not None:
            return _is_equal(headers.get(self.header.lower(), ""), self.value)
        # Some frameworks decode the path, and a secret with a percent sign may stand in the URL
        # encoded or as it is.
        given = path.rstrip("/").rpartition("/")[2]
        return any(
            _is_equal(form, value)
            for form in (given, unquote(given))
            for value in (self.value, unquote(self.value))
        )


def _is_equal(given: str, value: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), value.encode("utf-8", "replace"))
