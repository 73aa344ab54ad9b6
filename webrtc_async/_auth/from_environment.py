"""The credentials in the BW_ environment variables."""

from collections.abc import Generator
from contextlib import contextmanager

from webrtc_async._auth.schemes import Auth, BasicAuth
from webrtc_async._config.environment import Environment
from webrtc_async.errors import ConfigurationError


def auth_from(environment: Environment) -> Auth:
    """Return the credentials of an environment; client credentials win over Basic.

    Raises:
        ConfigurationError: The variables are missing or cannot be used; the error names them.
    """
    if pair := environment.client_credentials:
        # Loaded by its first use: programs with other credentials do without.
        from webrtc_async._auth.oauth2 import OAuth2ClientCredentials  # noqa: PLC0415

        token_url = environment.token_url
        with _errors_name("BW_CLIENT_ID and BW_CLIENT_SECRET"):
            return OAuth2ClientCredentials(*pair, token_url=token_url)
    if pair := environment.user:
        with _errors_name("BW_USERNAME and BW_PASSWORD"):
            return BasicAuth(*pair)
    raise ConfigurationError(
        "No credentials in the environment. Set BW_CLIENT_ID and BW_CLIENT_SECRET, or BW_USERNAME "
        "and BW_PASSWORD."
    )


@contextmanager
def _errors_name(variables: str) -> Generator[None]:
    try:
        yield
    except ConfigurationError as error:
        raise ConfigurationError(f"{error.message} It was read from {variables}.") from None
