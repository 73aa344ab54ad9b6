"""Redaction of the service's texts."""

import base64
import html
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

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


def every_character(form: str) -> Callable[[str], str]:
    """Return a function that writes each byte or character by its number."""
    return lambda text: "".join(form.format(ord(each)) for each in text)


ESCAPES: dict[str, Callable[[str], str]] = {
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON with escaped slashes": lambda text: json.dumps(text)[1:-1].replace("/", r"\/"),
    "JSON by numbers": every_character("\\u{:04x}"),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "JSON that is safe in HTML": lambda text: json.dumps(text).replace("&", r"\u0026"),
    "HTML": html.escape,
    "HTML by numbers": every_character("&#{};"),
    "HTML by hexadecimal numbers": every_character("&#x{:X};"),
    "HTML around JSON": lambda text: html.escape(json.dumps(text)),
    "percent": lambda text: quote(text, safe=""),
    "percent, in small letters": lambda text: re.sub(
        "%..", lambda found: found[0].lower(), quote(text, safe="")
    ),
    "percent, twice": lambda text: quote(quote(text, safe=""), safe=""),
    "percent, every byte": lambda text: "".join(f"%{each:02X}" for each in text.encode()),
    "a form": quote_plus,
    "JSON around a form": lambda text: json.dumps({"a": quote_plus(text)}),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 without padding": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 of more": lambda text: base64.b64encode(f'{{"a": "{text}"}}'.encode()).decode(),
    "Latin-1": lambda text: text.encode("latin-1").decode("utf-8", "replace"),
    "UTF-8 as Latin-1": lambda text: text.encode().decode("latin-1"),
}


PASSWORDS = ["p\"a&s<s>/w+o%r'd", "simple-Passw0rd", "päss wörd £1", "a\\b\\\\c/"]


@pytest.mark.parametrize("escape", ESCAPES.values(), ids=ESCAPES)
@pytest.mark.parametrize("password", PASSWORDS)
def test_escapes_do_not_show_the_credentials(password: str, escape: Callable[[str], str]) -> None:
    """An echo of the credentials is removed in every escaped form, and its surroundings stay."""
    sent = base64.b64encode(f"user:{password}".encode()).decode()
    encoded = base64.b64encode(f"user:{quote_plus(password)}".encode()).decode()
    for header in (f"Basic {sent}", f"Basic {encoded}", f"Custom {password}"):
        for secret in {password, header.partition(" ")[2], header}:
            shown = excerpt(f"<p>before {escape(secret)} after</p>", secrets_in(header))
            left = shown.removeprefix("<p>before ").removesuffix(" after</p>")
            assert len(left) < len(shown)
            # At most two characters of base64 on either side belong to its surroundings.
            assert len(left.replace("<hidden>", "").replace("<token>", "")) < 22, left
            assert "hidden" in left


@pytest.mark.parametrize("escape", [each for name, each in ESCAPES.items() if "64" not in name])
def test_escapes_do_not_show_a_token(escape: Callable[[str], str]) -> None:
    """A token is recognised by its form or by its key in every escaped form."""
    for text in (f"the token {JWT}", '{"token": "0paque-1"}', "?access_token=0paque-1&b=2"):
        shown = excerpt(f"<p>{escape(text)}</p>")
        assert escape("0paque-1") not in shown
        assert escape(JWT)[:60] not in shown


def test_the_secret_of_a_callback_url_is_not_shown() -> None:
    """A body with a callback URL, which may hold a secret, is shown without it."""
    body = '{"callbackUrl": "https://app.example/hooks/s3cret?a=b", "tag": 5}'
    assert excerpt(body) == '{"callbackUrl": "<hidden>", "tag": 5}'
    assert "s3cret" not in excerpt(json.dumps(body))


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
