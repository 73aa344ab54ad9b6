"""What the BW_ environment variables say, refused by the names of those that are wrong."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final

from webrtc_async._auth.schemes import Auth, BasicAuth
from webrtc_async._config.validation import check_base_url, check_url
from webrtc_async._protocol.route import check_id
from webrtc_async.errors import ConfigurationError, InvalidArgumentError

PRODUCTION: Final = "https://api.webrtc.bandwidth.com/v1"
"""Where the service is."""


def account_from_env(environ: Mapping[str, str]) -> str:
    """Return the account.

    Raises:
        ConfigurationError: It is missing or cannot be one.
    """
    _check(environ)
    try:
        return check_id("BW_ACCOUNT_ID", _variable(environ, "BW_ACCOUNT_ID"))
    except InvalidArgumentError as error:
        raise ConfigurationError(error.message) from None


def base_url_from_env(environ: Mapping[str, str]) -> str:
    """Return where the service is: the public one, unless the environment says otherwise.

    Raises:
        ConfigurationError: It is empty, or no URL to send requests below.
    """
    _check(environ)
    return check_base_url(_url(environ, "BW_WEBRTC_BASE_URL", PRODUCTION), "BW_WEBRTC_BASE_URL")


def auth_from_env(environ: Mapping[str, str]) -> Auth:
    """Return the credentials that the environment holds; client credentials go before Basic.

    Raises:
        ConfigurationError: Neither pair is there, half of one, or one that cannot be used; the
            error names the variables.
    """
    _check(environ)
    if environ.get("BW_CLIENT_ID") or environ.get("BW_CLIENT_SECRET"):
        # Loaded by whoever has such credentials.
        from webrtc_async._auth.oauth2 import TOKEN_URL, OAuth2ClientCredentials

        token_url = _url(environ, "BW_TOKEN_URL", TOKEN_URL)
        check_url(token_url, "BW_TOKEN_URL")
        client_id = _variable(environ, "BW_CLIENT_ID")
        client_secret = _variable(environ, "BW_CLIENT_SECRET")
        with _read_from("BW_CLIENT_ID and BW_CLIENT_SECRET"):
            return OAuth2ClientCredentials(client_id, client_secret, token_url=token_url)
    if environ.get("BW_USERNAME") or environ.get("BW_PASSWORD"):
        username, password = _variable(environ, "BW_USERNAME"), _variable(environ, "BW_PASSWORD")
        with _read_from("BW_USERNAME and BW_PASSWORD"):
            return BasicAuth(username, password)
    raise ConfigurationError(
        "No credentials in the environment: set BW_CLIENT_ID and BW_CLIENT_SECRET, or BW_USERNAME "
        "and BW_PASSWORD."
    )


def _check(environ: object) -> None:
    if not isinstance(environ, Mapping):
        raise ConfigurationError(f"environ must be a mapping, not {type(environ).__name__}.")


def _variable(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise ConfigurationError(f"The environment variable {name} is not set.")
    return value


def _url(environ: Mapping[str, str], name: str, public: str) -> str:
    url = environ.get(name, public)
    if not url:
        # Whoever names the variable may mean a service of tests, and its value got lost.
        raise ConfigurationError(
            f"The environment variable {name} is empty: give it a URL, or unset it for {public}."
        )
    return url


@contextmanager
def _read_from(variables: str) -> Generator[None]:
    try:
        yield
    except ConfigurationError as error:
        raise ConfigurationError(f"{error.message} It was read from {variables}.") from None
