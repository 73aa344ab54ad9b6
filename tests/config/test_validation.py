"""Checks of settings."""

import math
from typing import Any

import pytest

from webrtc_async._config.validation import (
    check_base_url,
    check_count,
    check_headers,
    check_kind,
    check_seconds,
    check_text,
    check_url,
)
from webrtc_async.errors import ConfigurationError


@pytest.mark.parametrize(
    ("url", "checked"),
    [
        ("https://api.webrtc.bandwidth.com/v1", "https://api.webrtc.bandwidth.com/v1"),
        ("https://api.example/v1/", "https://api.example/v1"),
        ("https://api.example//", "https://api.example"),
        ("https://api.example", "https://api.example"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1:1/a/b", "http://127.0.0.1:1/a/b"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
        ("HTTPS://API.example/%41", "https://api.example/%41"),
        ("https://\u00c4pi.example:8443/V1", "https://\u00e4pi.example:8443/V1"),
        ("https://api.example./v1", "https://api.example./v1"),
        ("https://api.example/.well-known/..v1", "https://api.example/.well-known/..v1"),
    ],
)
def test_base_urls(url: str, checked: str) -> None:
    """A valid base URL is accepted, and its trailing slashes are removed."""
    assert check_base_url(url) == checked


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        (None, "must be a str, not NoneType"),
        (b"https://api.example", "must be a str, not bytes"),
        ("", "must look like"),
        ("api.example/v1", "must look like"),
        ("ftp://api.example/v1", "must look like"),
        ("file:///v1", "must look like"),
        ("https://", "must look like"),
        ("https:///v1", "must look like"),
        ("https://:443/v1", "must look like"),
        ("//api.example/v1", "must look like"),
        ("https://me@api.example", "must not hold credentials"),
        ("https://me:s3cret@api.example/v1", "must not hold credentials"),
        ("https://@api.example", "must not hold credentials"),
        ("https://api.example/v1?key=s3cret", "query or a fragment"),
        ("https://api.example/v1#s3cret", "query or a fragment"),
        ("https://api.example/v1?", "query or a fragment"),
        ("https://api.example/v1#", "query or a fragment"),
        ("https://api.example:0/v1", "a usable port"),
        ("https://api.example:99999/v1", "check its host and port"),
        ("https://api.example:-1/v1", "check its host and port"),
        ("https://me:s3cret", "check its host and port"),
        ("https://me:s3cret@ap\u2100.example", "check its host and port"),
        ("https://[::1/v1", "check its host and port"),
        (" https://api.example/v1", "plain ASCII"),
        ("https://api.example/v 1", "plain ASCII"),
        ("https://api.example/v1\n", "plain ASCII"),
        ("https://api.exa\tmple/v1", "plain ASCII"),
        ("https://api.example/é", "plain ASCII"),
        ("https://äpi.example/é", "plain ASCII"),
        ("https://äpi example/v1", "plain ASCII|characters that no host"),
        ("https://api.example/v1/../v2", "dot segments"),
        ("https://api.example/./v1", "dot segments"),
        ("https://api.example/..", "dot segments"),
    ],
)
def test_base_urls_that_cannot_work(url: object, problem: str) -> None:
    """A URL that would misdirect requests is refused, and the error does not repeat it."""
    with pytest.raises(ConfigurationError, match=f"^base_url .*{problem}") as caught:
        check_base_url(url)
    assert "s3cret" not in str(caught.value)


def test_extra_headers() -> None:
    """Valid headers are copied, with any characters that a name may have."""
    headers = {"X-Team": "a b\tc~", "x!#$%&'*+.^_`|~9": "", "User-Agent": "mine/1"}
    checked = check_headers(headers)
    assert checked == headers
    assert checked is not headers
    assert check_headers({}) == {}


@pytest.mark.parametrize("name", ["", "X A", "X:A", "X\r\nA", "Ä", "X\x00", "(x)", "X\n"])
def test_header_names_that_cannot_be_sent(name: str) -> None:
    """A header name must be an HTTP token."""
    with pytest.raises(ConfigurationError, match="is not a header name"):
        check_headers({name: "value"})


@pytest.mark.parametrize(
    "value", ["a\r\nX-Evil: 1", "a\n", "\r", "s3cret\x00", "é", "a\x7fb", "\u2028", "\ud800"]
)
def test_header_values_that_cannot_be_sent(value: str) -> None:
    """A value with a line break or non-ASCII text is refused, and the error does not repeat it."""
    with pytest.raises(ConfigurationError, match="The value of the header X-A must be") as caught:
        check_headers({"X-A": value})
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "Host",
        "connection",
        "CONTENT-LENGTH",
        "Content-Type",
        "Accept-Encoding",
        "Transfer-Encoding",
    ],
)
def test_header_names_of_the_client(name: str) -> None:
    """A header that the client sets itself is refused in any case."""
    with pytest.raises(ConfigurationError, match=f"The header {name} is set by the client itself"):
        check_headers({name: "value"})


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({5: "a"}, "The header 5 and its value must be str"),
        ({"X-A": 5}, "The header 'X-A' and its value must be str"),
        ({b"X-A": "a"}, "and its value must be str"),
        ([("X-A", "a")], "headers must be a mapping, not list"),
        ("X-A: a", "headers must be a mapping, not str"),
    ],
)
def test_headers_of_a_wrong_type(headers: Any, said: str) -> None:
    """The error names the type of headers that are not a mapping of text to text."""
    with pytest.raises(ConfigurationError, match=said):
        check_headers(headers)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://idp.exa<mple/token", "characters that no host has"),
        ("https://idp.exa%2fmple/token", "characters that no host has"),
        ("https://[v1.x]/token", "check its host and port|characters that no host has"),
        ("https://user@idp.example/token", "must not hold credentials"),
    ],
)
def test_every_url_is_checked_alike(url: str, said: str) -> None:
    """The URL of every setting needs a host and must not have credentials."""
    with pytest.raises(ConfigurationError, match=f"^token_url .*({said})"):
        check_url(url, "token_url")


def test_a_url_may_have_a_query() -> None:
    """Only a base URL has no query, because a path is appended to it."""
    assert check_url("https://idp.example/token?tenant=1", "token_url").query == "tenant=1"


@pytest.mark.parametrize("value", [0, -1, math.nan, "1", None, True, 1 + 1j, 1e10, 10**400])
def test_invalid_times(value: Any) -> None:
    """A time is a number above 0 that clocks can count."""
    with pytest.raises(ConfigurationError, match=r"^deadline "):
        check_seconds("deadline", value)


def test_times() -> None:
    """Any positive number is a time, and infinity sets no limit; from_zero allows 0."""
    for value in (0.001, 1, 30.0, math.inf, 1e9):
        check_seconds("deadline", value)
    check_seconds("pause", 0, from_zero=True)
    with pytest.raises(ConfigurationError, match="of at least 0"):
        check_seconds("pause", -0.1, from_zero=True)


@pytest.mark.parametrize("value", [0, -1, 1.0, "1", None, True])
def test_invalid_counts(value: Any) -> None:
    """A count is a whole number of at least 1, and no bool."""
    with pytest.raises(ConfigurationError, match="max_connections must be a whole number"):
        check_count("max_connections", value)


def test_kinds() -> None:
    """A value is an instance of its class, or None for the default."""
    check_kind("retry", None, dict)
    check_kind("retry", {}, dict)
    with pytest.raises(ConfigurationError, match=r"retry must be an instance of builtins\.dict"):
        check_kind("retry", [], dict)


@pytest.mark.parametrize("value", ["", None, 5, b"x", "a\n", "a\x00b", "\x7f"])
def test_texts_that_cannot_be_credentials(value: Any) -> None:
    """A text of credentials is not empty and has no control character."""
    with pytest.raises(ConfigurationError, match=r"^The password "):
        check_text("password", value)
