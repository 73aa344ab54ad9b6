"""Who may post events: the service signs nothing, so a secret in the URL has to do."""

import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from attrs import field, frozen

from webrtc_async.errors import ConfigurationError

SHORTEST_SECRET: Final = 16
"""Characters below which a secret is guessed too easily."""


@frozen(kw_only=True)
class SharedSecret:
    """A text that whoever posts must know: in the path of the callback URL, or in a header.

    The service posts to the callback URL as it was given at `create_participant` and adds no
    header of its own, so it brings the secret as the path's last segment:
    `https://app.example/webhooks/<secret>`. A header is for a gateway of yours that adds one.

    Attributes:
        value: The secret, at least 16 characters, such as `secrets.token_urlsafe()` makes.
        header: The header that brings it; None for the last segment of the path.

    Raises:
        ConfigurationError: It is too short, not ASCII, or could not be a path's segment.
    """

    value: str = field(repr=False)
    header: str | None = None

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.value, str) or len(self.value) < SHORTEST_SECRET:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(
                f"A shared secret needs at least {SHORTEST_SECRET} characters: "
                "secrets.token_urlsafe() makes a good one."
            )
        if not self.value.isascii() or not self.value.isprintable() or "/" in self.value:
            raise ConfigurationError("A shared secret is printable ASCII without a slash.")

    def admits(self, path: str, headers: Mapping[str, str]) -> bool:
        """Whether a request knows the secret.

        Args:
            path: Its path, percent-encoded or not.
            headers: Its headers, by lower-case name.
        """
        if self.header is None:
            given = unquote(path.rpartition("/")[2])
        else:
            given = headers.get(self.header.lower(), "")
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.value.encode("ascii"))
