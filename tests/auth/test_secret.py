"""Rotating secrets: from a provider or the environment, pickled by reference."""

import pickle
from typing import Any

import pytest
from support.scripted import ScriptedSend, wire_answer

from webrtc_async._auth.oauth2 import OAuth2ClientCredentials
from webrtc_async._auth.schemes import Auth, BasicAuth, BearerAuth
from webrtc_async._auth.secret import EnvironmentSecret, RotatingSecret, Secret, as_secret
from webrtc_async.errors import ConfigurationError, InvalidArgumentError

pytestmark = pytest.mark.anyio

VARIABLE = "WEBRTC_ASYNC_TEST_SECRET"
TOKEN = wire_answer(200, {"access_token": "abc.def", "expires_in": 3600})


def provided() -> str:
    """Return a secret from a function that pickle can find by name."""
    return "canary"


async def provided_later() -> str:
    """Return the secret from a coroutine function."""
    return "canary"


@pytest.mark.parametrize("provider", [provided, provided_later, lambda: "canary"])
async def test_a_provider_is_called_each_time(provider: Any) -> None:
    """A function, coroutine function or lambda returns the secret, and no repr shows it."""
    secret = as_secret("password", provider)
    assert isinstance(secret, RotatingSecret)
    assert secret.rotates
    assert await secret.read() == "canary"
    assert "canary" not in repr(secret)
    assert repr(secret).startswith("<password from ")


async def test_a_fixed_secret_does_not_rotate() -> None:
    """A text is returned unchanged each time."""
    secret = as_secret("password", "canary")
    assert isinstance(secret, Secret)
    assert not secret.rotates
    assert await secret.read() == "canary"


@pytest.mark.parametrize("given", ["", "a\nb", None, 5])
async def test_an_invalid_provided_secret_is_refused(given: Any) -> None:
    """The error names a secret with a text that credentials cannot hold."""
    with pytest.raises(ConfigurationError, match=r"^The password "):
        await as_secret("password", lambda: given).read()


async def test_our_own_errors_pass_through() -> None:
    """A provider may raise one of our errors, which passes through unchanged."""

    def refuse() -> str:
        raise InvalidArgumentError("ask the vault")

    with pytest.raises(InvalidArgumentError, match="ask the vault"):
        await as_secret("password", refuse).read()


async def test_a_secret_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is read when it is needed, and the error names a missing one."""
    secret = as_secret("password", EnvironmentSecret(VARIABLE))
    with pytest.raises(ConfigurationError, match=f"variable {VARIABLE} is not set"):
        await secret.read()
    monkeypatch.setenv(VARIABLE, "canary")
    assert await secret.read() == "canary"
    assert repr(secret) == f"<password from {VARIABLE}>"


AUTHS = {
    "Basic": lambda secret: BasicAuth("user", secret),
    "Bearer": BearerAuth,
    "OAuth2": lambda secret: OAuth2ClientCredentials("id", secret, token_url="https://t.example"),
}


@pytest.mark.parametrize("secret", [EnvironmentSecret(VARIABLE), provided, provided_later])
@pytest.mark.parametrize("name", AUTHS)
async def test_credentials_by_reference_are_pickled(
    name: str, secret: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pickle has the reference, without the secret and without a token."""
    monkeypatch.setenv(VARIABLE, "canary")
    auth: Auth = AUTHS[name](secret)
    header = await auth.authorization(ScriptedSend(TOKEN))
    pickled = pickle.dumps(auth)
    assert b"canary" not in pickled
    assert b"abc.def" not in pickled
    assert await pickle.loads(pickled).authorization(ScriptedSend(TOKEN)) == header


async def test_form_encoding_is_pickled() -> None:
    """Client credentials of another process form-encode their secret, too."""
    auth = OAuth2ClientCredentials("a:b", provided, form_encoded=True)
    assert pickle.loads(pickle.dumps(auth)).form_encoded


async def test_a_rotated_client_secret_is_used_for_the_next_token() -> None:
    """Client credentials read their secret for each token request."""
    secrets = iter(["old", "new"])
    auth = OAuth2ClientCredentials("id", lambda: next(secrets))
    send = ScriptedSend(TOKEN)
    for _ in range(2):
        assert auth.forget(await auth.authorization(send))
    headers = [request.headers["Authorization"] for request in send.requests]
    assert headers == ["Basic aWQ6b2xk", "Basic aWQ6bmV3"]


async def test_a_rotated_bearer_token_is_checked() -> None:
    """A provider's token is checked like a fixed one."""
    with pytest.raises(ConfigurationError, match="bearer token"):
        await BearerAuth(lambda: "two words").authorization(ScriptedSend())
