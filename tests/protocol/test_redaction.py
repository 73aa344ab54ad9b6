"""Redaction of a service's texts."""

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
def test_secrets_are_known_by_their_looks(text: str, shown: str) -> None:
    """Tokens and credentials are cut out wherever they stand, and prose is left alone."""
    assert excerpt(text) == shown


@pytest.mark.parametrize("authorization", [BASIC, "Bearer opaque.token_1", "Custom opaque-key-1"])
def test_what_was_sent_is_never_shown(authorization: str) -> None:
    """No part of the Authorization header that was sent, decoded or not, comes back in a text."""
    scheme, _, credentials = authorization.partition(" ")
    echo = json.dumps({"headers": {"authorization": authorization}, "got": credentials})
    secrets = secrets_in(authorization)
    for text in (echo, f"<p>{credentials}</p>", credentials):
        assert credentials not in excerpt(text, secrets)
    assert scheme in excerpt(f"{scheme} is not supported", secrets)


def test_a_password_is_never_shown() -> None:
    """The decoded parts of Basic credentials are hidden too."""
    secrets = secrets_in(BASIC)
    assert excerpt(f"user:{CANARY} is unknown", secrets) == "<hidden> is unknown"
    assert excerpt(f"the password {CANARY} is wrong", secrets) == "the password <hidden> is wrong"


@pytest.mark.parametrize("authorization", ["", "Basic", "Basic !!!", "Basic /w==", "x"])
def test_any_header_may_be_asked_for_its_secrets(authorization: str) -> None:
    """A header that is no real one has no secrets worth the name."""
    assert all(len(each) >= 4 for each in secrets_in(authorization))


@USUALLY
@given(before=st.integers(0, 2600), longest=st.sampled_from([50, 500]))
def test_a_cut_shows_no_part_of_a_secret(before: int, longest: int) -> None:
    """Wherever a long text is cut, no beginning of a secret is left at its end."""
    shown = excerpt(f"{JWT}{'.' * before}{CANARY}{'.' * 3000}", secrets_in(BASIC), longest)
    assert len(shown) <= longest
    assert CANARY[:4] not in shown


def test_what_is_sent_does_not_show_itself() -> None:
    """In a debugger, or a traceback with local variables, a secret is not to be seen."""
    shown = repr([HiddenStr(CANARY), HiddenBytes(CANARY.encode())])
    assert shown == f"[<hidden>, <{len(CANARY)} bytes>]"


def test_control_characters_are_not_shown() -> None:
    """A text cannot forge a line of a log, move a cursor or turn its direction."""
    assert excerpt("a\x1b[2Jb\r\x00c\u202ed\ne") == "a�[2Jb��c�d\ne"


def test_headers_are_cut_too() -> None:
    """Headers that carry secrets are left out, and an echo in any other is cut."""
    headers = {"set-cookie": CANARY, "x-echo": BASIC, "content-type": "text/html"}
    assert public_headers(headers, secrets_in(BASIC)) == {
        "x-echo": "<hidden>",
        "content-type": "text/html",
    }
