"""Redaction of the service's texts."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import USUALLY

from webrtc_async._protocol.redaction import (
    HiddenBytes,
    HiddenStr,
    excerpt,
    public_headers,
    secrets_in,
)

CANARY = "canary-7f3a-canary"
BASIC = "Basic " + base64.b64encode(f"user:{CANARY}".encode()).decode()
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwLTEifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Basic dXNlcjpwYXNz was refused", "Basic <hidden> was refused"),
        ("BEARER  abc.DEF-123", "BEARER  <hidden>"),
        ("bearer abcdefghijkl", "bearer abcdefghijkl"),
        ("Basic authentication is needed", "Basic authentication is needed"),
        ("Basic Authentication is needed", "Basic Authentication is needed"),
        (f"the token {JWT} is old", "the token <token> is old"),
        ('{"token": "opaque-1"}', '{"token": "<token>"}'),
        ('{"access_token":"opaque-1","a":1}', '{"access_token":"<token>","a":1}'),
        ("?access_token=opaque-1&b=2", "?access_token=<token>&b=2"),
        ("token: expected text, found null", "token: expected text, found null"),
        ("Missing Authentication Token", "Missing Authentication Token"),
    ],
)
def test_secrets_are_recognised_by_their_form(text: str, shown: str) -> None:
    """Tokens and credentials are removed anywhere in a text, and prose is kept."""
    assert excerpt(text) == shown


@pytest.mark.parametrize("authorization", [BASIC, "Bearer opaque.token_1", "Custom opaque-key-1"])
def test_the_sent_credentials_are_never_shown(authorization: str) -> None:
    """No text shows a part of the Authorization header, decoded or not."""
    scheme, _, credentials = authorization.partition(" ")
    echo = json.dumps({"headers": {"authorization": authorization}, "got": credentials})
    secrets = secrets_in(authorization)
    for text in (echo, f"<p>{credentials}</p>", credentials):
        assert credentials not in excerpt(text, secrets)
    assert scheme in excerpt(f"{scheme} is not supported", secrets)


def test_a_password_is_never_shown() -> None:
    """The decoded parts of Basic credentials are removed too."""
    secrets = secrets_in(BASIC)
    assert excerpt(f"user:{CANARY} is unknown", secrets) == "<hidden> is unknown"
    assert excerpt(f"the password {CANARY} is wrong", secrets) == "the password <hidden> is wrong"


@pytest.mark.parametrize("authorization", ["", "Basic", "Basic !!!", "Basic /w==", "x"])
def test_a_short_text_is_no_secret(authorization: str) -> None:
    """The secrets of any Authorization header have at least four characters."""
    assert all(len(each) >= 4 for each in secrets_in(authorization))


@USUALLY
@given(before=st.integers(0, 2600), longest=st.sampled_from([50, 500]))
def test_a_cut_shows_no_part_of_a_secret(before: int, longest: int) -> None:
    """No truncation of a long text leaves the start of a secret at its end."""
    shown = excerpt(f"{JWT}{'.' * before}{CANARY}{'.' * 3000}", secrets_in(BASIC), longest)
    assert len(shown) <= longest
    assert CANARY[:4] not in shown


def test_the_repr_of_a_sent_secret_hides_it() -> None:
    """Debuggers and tracebacks with local variables do not show a secret."""
    shown = repr([HiddenStr(CANARY), HiddenBytes(CANARY.encode())])
    assert shown == f"[<hidden>, <{len(CANARY)} bytes>]"


def test_control_characters_are_not_shown() -> None:
    """A text cannot forge a log line, move the cursor or reverse the direction."""
    assert excerpt("a\x1b[2Jb\r\x00c\u202ed\ne") == "a�[2Jb��c�d\ne"


def test_headers_are_redacted_too() -> None:
    """Secret headers are left out, and an echo in another header is removed."""
    headers = {"set-cookie": CANARY, "x-echo": BASIC, "content-type": "text/html"}
    assert public_headers(headers, secrets_in(BASIC)) == {
        "x-echo": "<hidden>",
        "content-type": "text/html",
    }
