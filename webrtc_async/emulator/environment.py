"""The environment variables that point an app at an emulator."""

import shlex
from collections.abc import Mapping

from webrtc_async.emulator.core.access_tokens import TOKEN_PATH
from webrtc_async.emulator.core.credentials import Credentials
from webrtc_async.emulator.core.service import BASE_PATH


def environment_of(url: str, account_id: str, credentials: Credentials) -> dict[str, str]:
    """Return the variables that `AsyncWebRtcClient.from_env()` and the command line read.

    Args:
        url: The emulator's URL without a path.
        account_id: The account.
        credentials: Those of the account; the variables have its OAuth2 client.
    """
    return {
        "BW_ACCOUNT_ID": account_id,
        "BW_CLIENT_ID": credentials.client_id,
        "BW_CLIENT_SECRET": credentials.client_secret,
        "BW_WEBRTC_BASE_URL": url + BASE_PATH,
        "BW_TOKEN_URL": url + TOKEN_PATH,
    }


def as_env_file(environment: Mapping[str, str]) -> str:
    """Return variables as the lines of a `.env` file, which a shell can read, too."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in environment.items())
