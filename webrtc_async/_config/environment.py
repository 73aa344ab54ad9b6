"""`Environment`: the settings in the BW_ environment variables."""

from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

from webrtc_async._config.validation import check_account_id, check_base_url, check_url
from webrtc_async.errors import ConfigurationError

PRODUCTION: Final = "https://api.webrtc.bandwidth.com/v1"
"""Base URL of Bandwidth's service."""

TOKEN_URL: Final = "https://api.bandwidth.com/api/v1/oauth2/token"  # noqa: S105  # not a secret
"""URL of Bandwidth's access tokens, as its current PHP SDK has it."""


def _check(variables: object) -> Mapping[str, str]:
    if not isinstance(variables, Mapping):
        raise ConfigurationError(f"environ must be a mapping, not {type(variables).__name__}.")
    return variables  # pyright: ignore[reportUnknownVariableType]


@frozen
class Environment:
    """The BW_ variables of an environment; its repr shows none of them.

    A variable is read and checked when it is needed: an argument that replaces it needs none.

    Raises:
        ConfigurationError: A variable is missing or cannot be used; the error names it.
    """

    _variables: Mapping[str, str] = field(converter=_check, repr=False)

    @property
    def account_id(self) -> str:
        """The account."""
        return check_account_id("BW_ACCOUNT_ID", self._required("BW_ACCOUNT_ID"))

    @property
    def base_url(self) -> str | None:
        """Base URL of the service; None if the variable is not set."""
        if "BW_WEBRTC_BASE_URL" not in self._variables:
            return None
        return check_base_url(self._url("BW_WEBRTC_BASE_URL", PRODUCTION), "BW_WEBRTC_BASE_URL")

    @property
    def token_url(self) -> str:
        """URL of the access tokens, Bandwidth's by default."""
        url = self._url("BW_TOKEN_URL", TOKEN_URL)
        check_url(url, "BW_TOKEN_URL")
        return url

    @property
    def client_credentials(self) -> tuple[str, str] | None:
        """Client id and secret; None if neither is set."""
        return self._pair("BW_CLIENT_ID", "BW_CLIENT_SECRET")

    @property
    def user(self) -> tuple[str, str] | None:
        """Username and password; None if neither is set."""
        return self._pair("BW_USERNAME", "BW_PASSWORD")

    def _pair(self, first: str, second: str) -> tuple[str, str] | None:
        if not (self._variables.get(first) or self._variables.get(second)):
            return None
        return self._required(first), self._required(second)

    def _required(self, name: str) -> str:
        value = self._variables.get(name, "")
        if not value:
            raise ConfigurationError(f"The environment variable {name} is not set.")
        return value

    def _url(self, name: str, default: str) -> str:
        url = self._variables.get(name, default)
        if not url:
            # Bandwidth's service would be wrong if the variable was to name a test server.
            raise ConfigurationError(
                f"The environment variable {name} is empty. Set it to a URL, or unset it to use "
                f"{default}."
            )
        return url
