"""What a setting may be; every refusal is a ConfigurationError that names it, before any I/O."""

import math
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from webrtc_async.errors import ConfigurationError

LONGEST_WAIT: Final = 1e9
"""Seconds that any setting of a time may be, about thirty years; beyond, clocks overflow."""

_OWN_HEADERS: Final = frozenset(
    {
        "authorization",
        "host",
        "connection",
        "content-length",
        "content-type",
        "accept-encoding",
        "transfer-encoding",
    }
)


def check_base_url(url: object, name: str = "base_url") -> str:
    """Return a base URL without its trailing slash, if requests can be sent below it.

    Raises:
        ConfigurationError: It is no http or https URL, or has credentials, a query or a fragment.
    """
    parts = check_url(url, name)
    # Even an empty query or fragment would swallow the path that is put behind it.
    if "?" in parts.geturl() or "#" in str(url) or "?" in str(url):
        raise ConfigurationError(f"{name} must not have a query or a fragment.")
    if any(segment in {".", ".."} for segment in unquote(parts.path).split("/")):
        raise ConfigurationError(f"{name} must not have dot segments in its path.")
    return str(url).rstrip("/")


def check_url(url: object, name: str) -> SplitResult:
    """Return the parts of a URL that requests can be sent to.

    The refusals do not show the URL, because a password may stand anywhere in a wrong one.

    Raises:
        ConfigurationError: It is not text, not http or https, has no usable host or port, has
            credentials, or characters that a URL cannot have.
    """
    if not isinstance(url, str):
        raise ConfigurationError(f"{name} must be a str, not {type(url).__name__}.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # Python's own message would repeat a password that stands where a port should.
        raise ConfigurationError(f"{name} cannot be read: check its host and port.") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(
            f"{name} must look like https://api.webrtc.bandwidth.com/v1: scheme, host and path."
        )
    if "@" in parts.netloc:
        raise ConfigurationError(f"{name} must not hold credentials.")
    if port == 0 or not re.fullmatch(r"[!-~]+", url):
        raise ConfigurationError(f"{name} must be plain ASCII without spaces, with a usable port.")
    if not re.fullmatch(r"\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]+", _host(parts)):
        raise ConfigurationError(f"{name} has a host with characters that no host has.")
    return parts


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine."""
    host = urlsplit(url).hostname or ""
    return host == "localhost" or host.startswith("127.") or host == "::1"


def check_proxy(proxy: object) -> None:
    """Refuse what is no proxy's URL; None is for none.

    The value is not shown, because a proxy's URL may hold its password, and here it may.

    Raises:
        ConfigurationError: It is not.
    """
    if isinstance(proxy, str):
        scheme, separator, rest = proxy.partition("://")
        check_url(f"{scheme}{separator}{rest.rpartition('@')[2]}", "proxy")
    check_kind("proxy", proxy, str)


def check_headers(headers: object) -> dict[str, str]:
    """Return extra request headers, if they can be sent and are the caller's to set.

    Raises:
        ConfigurationError: A name or value cannot be sent, or the client itself sets that header.
    """
    if not isinstance(headers, Mapping):
        raise ConfigurationError(f"headers must be a mapping, not {type(headers).__name__}.")
    given: Mapping[Any, Any] = headers  # pyright: ignore[reportUnknownVariableType]
    for name, value in given.items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise ConfigurationError(f"The header {name!r} and its value must be str.")
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise ConfigurationError(f"{name!r} is not a header name.")
        if name.lower() in _OWN_HEADERS:
            raise ConfigurationError(f"The header {name} is set by the client itself.")
        if not re.fullmatch(r"[\t -~]*", value):
            raise ConfigurationError(
                f"The value of the header {name} must be printable ASCII on one line."
            )
    return dict(given)


def check_authorization(value: object) -> str:
    """Return an Authorization header, if it can be sent.

    Raises:
        ConfigurationError: It is not printable ASCII text on one line.
    """
    if not isinstance(value, str) or not re.fullmatch(r"[!-~]+( +[!-~]+)*", value):
        raise ConfigurationError("the auth gave an Authorization header that cannot be sent.")
    return value


def check_kind(name: str, value: object, kind: type) -> None:
    """Refuse a value of another class; None is for the default.

    Raises:
        ConfigurationError: It is neither.
    """
    if value is not None and not isinstance(value, kind):
        raise ConfigurationError(
            f"{name} must be an instance of {kind.__module__.partition('.')[0]}.{kind.__name__}, "
            f"not {type(value).__name__}."
        )


def check_count(name: str, value: object) -> None:
    """Refuse what is not a whole number of at least 1.

    Raises:
        ConfigurationError: It is not.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigurationError(f"{name} must be a whole number of at least 1.")


def check_amount(name: str, value: object) -> None:
    """Refuse what is not a number of at least 0; math.inf is one.

    Raises:
        ConfigurationError: It is not.
    """
    if not isinstance(value, int | float) or isinstance(value, bool) or not value >= 0:
        raise ConfigurationError(f"{name} must be a number of at least 0.")


def check_seconds(name: str, value: object, *, from_zero: bool = False) -> None:
    """Refuse what is not a time: above 0, or with from_zero not below it.

    Raises:
        ConfigurationError: It is not a number, out of its range, or finite and over LONGEST_WAIT.
    """
    bound = "of at least 0" if from_zero else "above 0"
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ConfigurationError(f"{name} must be a number of seconds {bound}.")
    if not (value > 0 or (from_zero and value == 0)):
        raise ConfigurationError(f"{name} must be a number of seconds {bound}.")
    if LONGEST_WAIT < value < math.inf:
        raise ConfigurationError(f"{name} is over {LONGEST_WAIT:g} seconds; math.inf is no bound.")


def check_text(name: str, value: object) -> str:
    """Return a value that must be text and can stand in credentials.

    Raises:
        ConfigurationError: It is not text, empty, or has control characters.
    """
    if not isinstance(value, str):
        raise ConfigurationError(f"The {name} must be a str, not {type(value).__name__}.")
    if not value:
        raise ConfigurationError(f"The {name} is empty.")
    # RFC 7617, section 2: neither half of Basic credentials may have control characters.
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise ConfigurationError(f"The {name} has a control character in it, perhaps a line end.")
    return value


def _host(parts: SplitResult) -> str:
    return parts.netloc if parts.port is None else parts.netloc.rpartition(":")[0]
