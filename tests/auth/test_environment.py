"""The BW_ environment variables."""

import pydoc
import re
from typing import Any

import pytest

from webrtc_async._auth.from_environment import auth_from
from webrtc_async._auth.schemes import BasicAuth
from webrtc_async._config.environment import Environment
from webrtc_async.client import AsyncWebRtcClient
from webrtc_async.errors import ConfigurationError

BASIC = {"BW_ACCOUNT_ID": "9900000", "BW_USERNAME": "user", "BW_PASSWORD": "canary-secret"}
OAUTH = {
    "BW_ACCOUNT_ID": "9900000",
    "BW_CLIENT_ID": "id",
    "BW_CLIENT_SECRET": "canary-secret",
}


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({}, "BW_ACCOUNT_ID"),
        ({**BASIC, "BW_ACCOUNT_ID": ""}, "BW_ACCOUNT_ID"),
        ({**BASIC, "BW_ACCOUNT_ID": ".."}, "BW_ACCOUNT_ID"),
        ({**BASIC, "BW_ACCOUNT_ID": "99\n"}, "BW_ACCOUNT_ID"),
        ({"BW_ACCOUNT_ID": "9900000"}, "BW_CLIENT_ID and BW_CLIENT_SECRET, or BW_USERNAME"),
        ({**BASIC, "BW_PASSWORD": ""}, "BW_PASSWORD"),
        ({**BASIC, "BW_USERNAME": "a:b"}, "colon.* It was read from BW_USERNAME"),
        ({**BASIC, "BW_PASSWORD": "canary-secret\n"}, "line end.* It was read from BW_USERNAME"),
        ({**OAUTH, "BW_CLIENT_SECRET": ""}, "BW_CLIENT_SECRET"),
        ({**OAUTH, "BW_CLIENT_ID": "a\n"}, "It was read from BW_CLIENT_ID"),
        ({**OAUTH, "BW_TOKEN_URL": "idp.example"}, "BW_TOKEN_URL"),
        ({**OAUTH, "BW_TOKEN_URL": "https://u:canary-secret@idp.example"}, "BW_TOKEN_URL"),
        ({**OAUTH, "BW_TOKEN_URL": ""}, "BW_TOKEN_URL is empty.* unset it to use https://api"),
        (
            {**BASIC, "BW_WEBRTC_BASE_URL": ""},
            "BW_WEBRTC_BASE_URL is empty.* unset it to use https",
        ),
        ({**BASIC, "BW_WEBRTC_BASE_URL": " "}, "BW_WEBRTC_BASE_URL"),
        ({**BASIC, "BW_WEBRTC_BASE_URL": "localhost:8080"}, "BW_WEBRTC_BASE_URL"),
        ({**BASIC, "BW_WEBRTC_BASE_URL": "http://a/v1?x=1"}, "BW_WEBRTC_BASE_URL"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(environ: dict[str, str], named: str) -> None:
    """The error names a missing or invalid variable, without its value."""
    with pytest.raises(ConfigurationError, match=named) as caught:
        AsyncWebRtcClient.from_env(environ)
    assert "canary-secret" not in str(caught.value)


@pytest.mark.parametrize("environ", [None, "BW_ACCOUNT_ID=1", 5])
def test_an_environment_is_a_mapping(environ: Any) -> None:
    """The error names the argument if it is not a mapping."""
    with pytest.raises(ConfigurationError, match="environ must be a mapping"):
        Environment(environ)


def test_a_whole_environment_is_read() -> None:
    """Account, credentials and base URL come from the variables."""
    environment = Environment({**BASIC, "BW_WEBRTC_BASE_URL": "http://127.0.0.1:8080/v1/"})
    assert environment.account_id == "9900000"
    assert auth_from(environment) == BasicAuth("user", "canary-secret")
    assert environment.base_url == "http://127.0.0.1:8080/v1"


def test_the_repr_shows_no_value() -> None:
    """The repr of an environment has no variable's value."""
    assert "canary-secret" not in repr(Environment(BASIC))


def test_unused_credentials_may_be_empty() -> None:
    """An environment may list both kinds of credentials and leave one of them empty."""
    unused = {"BW_CLIENT_ID": "", "BW_CLIENT_SECRET": "", "BW_TOKEN_URL": ""}
    assert auth_from(Environment({**BASIC, **unused})) == BasicAuth("user", "canary-secret")


def test_a_given_base_url_takes_precedence() -> None:
    """An argument takes precedence over its variable, which is not read."""
    environ = {**BASIC, "BW_WEBRTC_BASE_URL": "not a URL"}
    client = AsyncWebRtcClient.from_env(environ, base_url="http://127.0.0.1:1/v1", deadline=3)
    assert "http://127.0.0.1:1/v1" in repr(client)


def test_the_public_service_is_the_default() -> None:
    """Without variables, requests go to the public service."""
    assert Environment(BASIC).base_url is None
    assert "at https://api.webrtc.bandwidth.com/v1" in repr(AsyncWebRtcClient.from_env(BASIC))


def test_help_shows_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The output of help(), which documentation tools publish, has no variable's value."""
    monkeypatch.setenv("BW_PASSWORD", "canary-secret")
    shown = pydoc.plain(pydoc.render_doc(AsyncWebRtcClient))
    assert re.search(r"from_env\([\s|]*environ: ", shown)
    assert "canary-secret" not in shown


def test_from_env_reads_the_current_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an argument, from_env reads os.environ at the time of the call."""
    for name, value in BASIC.items():
        monkeypatch.setenv(name, value)
    for name in ("BW_CLIENT_ID", "BW_CLIENT_SECRET", "BW_WEBRTC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    assert AsyncWebRtcClient.from_env().account_id == "9900000"
