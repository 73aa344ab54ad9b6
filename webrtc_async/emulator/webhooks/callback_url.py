"""Callback URLs: which may be posted to, and what of one may be shown."""

import re
from ipaddress import ip_address, ip_network
from typing import Final

LONGEST_URL: Final = 2048
"""Characters of a callback URL that is used."""

# Stricter than any parser, so that no other parser can read another host out of a URL: no
# userinfo, no backslash, and nothing that is dropped or escaped on the way.
_URL: Final = re.compile(
    r"(?:http|https)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?(?:[/?#][!-~]*)?",
    re.IGNORECASE | re.ASCII,
)
_LOOPBACK: Final = ip_network("127.0.0.0/8")


def url_problem(url: str, *, allow_any_host: bool) -> str | None:
    """Return why nothing is posted to a URL; None if it may be posted to."""
    if len(url) > LONGEST_URL:
        return f"not sent: the URL has over {LONGEST_URL} characters"
    found = _URL.fullmatch(url)
    if found is None:
        return "not sent: not a full http or https URL without userinfo"
    if not allow_any_host and not _is_loopback(found["host"].lower()):
        return "not sent: not a URL of this machine, and other hosts are not allowed"
    return None


def public_url(url: str) -> str:
    """Return a URL without its query, its userinfo, and what cannot be printed."""
    if "@" in url and _URL.fullmatch(url) is None:
        # Which part of it is somebody's password depends on who reads it.
        scheme = re.match(r"[a-z]{0,16}:", url, re.IGNORECASE | re.ASCII)
        return f"{scheme[0] if scheme else ''}//..."
    before = re.split(r"[?#]", url[:LONGEST_URL], maxsplit=1)[0]
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in before)
    return shown if before == url else f"{shown}?..."


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return False
    # Not is_loopback: that takes IPv6 forms of foreign notations in some versions of Python.
    return address in _LOOPBACK if address.version == 4 else host == "[::1]"
