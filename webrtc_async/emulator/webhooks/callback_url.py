"""Callback URLs: checks before posting, and a form without secrets."""

import re
from ipaddress import ip_address, ip_network
from typing import Final

from webrtc_async.models import path_without_secrets

MAX_URL_LENGTH: Final = 2048
"""Maximum length of a callback URL in characters."""

# Stricter than URL parsers, so that no parser finds another host in an accepted URL: no userinfo,
# no backslash, and no character that a parser drops or escapes.
_URL: Final = re.compile(
    r"(?:http|https)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?(?:[/?#][!-~]*)?",
    re.IGNORECASE | re.ASCII,
)
_LOOPBACK: Final = ip_network("127.0.0.0/8")


def url_problem(url: str, *, allow_any_host: bool) -> str | None:
    """Return the reason not to post to a URL, or None if posting is allowed."""
    if len(url) > MAX_URL_LENGTH:
        return f"not sent: the URL has more than {MAX_URL_LENGTH} characters"
    found = _URL.fullmatch(url)
    if found is None:
        return "not sent: the URL is not an absolute http or https URL without userinfo"
    if not allow_any_host and not _is_loopback(found["host"].lower()):
        return "not sent: the URL's host is not this machine, and other hosts are not allowed"
    return None


def public_url(url: str) -> str:
    """Return a URL without its query, userinfo, unprintable characters and long path segments."""
    if "@" in url and _URL.fullmatch(url) is None:
        # Parsers disagree on the part that is the password, so all of it is hidden.
        scheme = re.match(r"[a-z]{0,16}:", url, re.IGNORECASE | re.ASCII)
        return f"{scheme[0] if scheme else ''}//..."
    before = re.split(r"[?#]", url[:MAX_URL_LENGTH], maxsplit=1)[0]
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in before)
    origin = re.match(r"[^/]*://[^/]*", shown)
    path = origin.end() if origin else 0
    shown = shown[:path] + path_without_secrets(shown[path:], "...")
    return shown if before == url else f"{shown}?..."


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return False
    # Not is_loopback: some versions of Python accept IPv6 forms of IPv4 addresses.
    return address in _LOOPBACK if address.version == 4 else host == "[::1]"
