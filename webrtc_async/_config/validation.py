"""Checks of settings and ids, before any I/O; each error names the setting."""

import math
import re
import unicodedata
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from webrtc_async.errors import ConfigurationError, InvalidArgumentError

LONGEST_WAIT: Final = 1e9
"""Most seconds that a setting may have, about thirty years; clocks overflow beyond."""

LONGEST_ID: Final = 256
"""Most characters of an id in a request; the service's own ids have 36."""

_SOCKS: Final = ("socks5", "socks5h")

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
    """Return a base URL without its trailing slash.

    Raises:
        ConfigurationError: It is no http or https URL, or has credentials, a query or a fragment.
    """
    parts = check_url(url, name)
    # Even an empty query or fragment would swallow the path that follows.
    if "?" in parts.geturl() or "#" in str(url) or "?" in str(url):
        raise ConfigurationError(f"{name} must not have a query or a fragment.")
    if any(segment in {".", ".."} for segment in unquote(parts.path).split("/")):
        raise ConfigurationError(f"{name} must not have dot segments in its path.")
    # Schemes and hosts are the same in upper case, and compared as text elsewhere.
    return parts._replace(netloc=parts.netloc.lower()).geturl().rstrip("/")


def check_url(url: object, name: str) -> SplitResult:
    """Return the parts of a URL that requests can be sent to.

    The errors do not show the URL, because a wrong one may hold a password anywhere.

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
        # Python's own message would repeat a password that stands in place of a port.
        raise ConfigurationError(f"{name} cannot be read: check its host and port.") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(
            f"{name} must look like https://api.webrtc.bandwidth.com/v1: scheme, host and path."
        )
    if "@" in parts.netloc:
        raise ConfigurationError(f"{name} must not hold credentials.")
    host = parts.netloc if port is None else parts.netloc.rpartition(":")[0]
    # The HTTP library writes a host of other letters as DNS has it (IDNA).
    if port == 0 or not re.fullmatch(r"[!-~]+", url.replace(host, "", 1)):
        raise ConfigurationError(
            f"{name} must be plain ASCII behind its host, without spaces, with a usable port."
        )
    if not re.fullmatch(r"\[[0-9A-Fa-f:.%]+\]|(?:[A-Za-z0-9._-]|[^\x00-\x7f\s])+", host):
        raise ConfigurationError(f"{name} has a host with characters that no host has.")
    return parts


def check_proxy(proxy: object, name: str = "proxy") -> None:
    """Check a proxy's URL.

    The errors do not show the URL, because it may hold the proxy's password.

    Raises:
        ConfigurationError: It is not a URL, or has a scheme that needs a package or is unknown.
    """
    if not isinstance(proxy, str):
        raise ConfigurationError(f"{name} must be a str, not {type(proxy).__name__}.")
    scheme, separator, rest = proxy.partition("://")
    if not separator:
        raise ConfigurationError(f"{name} must look like http://proxy.example:3128.")
    if scheme.lower() not in {"http", "https", *_SOCKS}:
        raise ConfigurationError(
            f"{name} has a scheme that the HTTP libraries do not know. They know http, https, "
            "socks5 and socks5h."
        )
    if scheme.lower() in _SOCKS and find_spec("socksio") is None:
        raise ConfigurationError(
            f"{name} is a SOCKS proxy, for which a package is missing: pip install 'httpx[socks]'."
        )
    check_url(f"http://{rest.rpartition('@')[2]}", name)


def check_headers(headers: object) -> dict[str, str]:
    """Return extra request headers that a caller may set.

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
    """Return an Authorization header that can be sent.

    Raises:
        ConfigurationError: It is not printable ASCII text on one line.
    """
    if not isinstance(value, str) or not re.fullmatch(r"[!-~]+( +[!-~]+)*", value):
        raise ConfigurationError("the auth returned an Authorization header that cannot be sent.")
    return value


def check_id(name: str, value: object) -> str:
    """Return an id that can stand in a path.

    Args:
        name: The argument's name, for the error.
        value: The caller's id.

    Raises:
        InvalidArgumentError: It is not text, empty, a dot segment, over 256 characters long, or
            has control characters.
    """
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{name} must be a str, not {type(value).__name__}.")
    if not value:
        raise InvalidArgumentError(f"{name} is empty.")
    if value in {".", ".."}:
        raise InvalidArgumentError(f"{name} is {value!r}, which would name another resource.")
    if len(value) > LONGEST_ID:
        raise InvalidArgumentError(
            f"{name} has {len(value)} characters; at most {LONGEST_ID} are sent."
        )
    if value.isascii() and value.isprintable():
        return value
    # Cc controls, Cs lone surrogates (no UTF-8), Zl and Zp line breaks: none can be part of an id.
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in value):
        raise InvalidArgumentError(f"{name} has a control character in it: {value!r}.")
    return value


def check_account_id(name: str, value: object) -> str:
    """Return an account id that can stand in a path.

    Raises:
        ConfigurationError: It cannot.
    """
    try:
        return check_id(name, value)
    except InvalidArgumentError as error:
        raise ConfigurationError(error.message) from None


def check_kind(name: str, value: object, kind: type) -> None:
    """Check that a value is an instance of a class, or None for the default.

    Raises:
        ConfigurationError: It is neither.
    """
    if value is not None and not isinstance(value, kind):
        raise ConfigurationError(
            f"{name} must be an instance of {kind.__module__.partition('.')[0]}.{kind.__name__}, "
            f"not {type(value).__name__}."
        )


def check_count(name: str, value: object) -> None:
    """Check that a value is a whole number of at least 1.

    Raises:
        ConfigurationError: It is not.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigurationError(f"{name} must be a whole number of at least 1.")


def check_amount(name: str, value: object) -> None:
    """Check that a value is a number of at least 0; math.inf is one.

    Raises:
        ConfigurationError: It is not.
    """
    if not isinstance(value, int | float) or isinstance(value, bool) or not value >= 0:
        raise ConfigurationError(f"{name} must be a number of at least 0.")


def check_seconds(name: str, value: object, *, from_zero: bool = False) -> None:
    """Check that a value is a number of seconds above 0, or from 0 on with from_zero.

    Raises:
        ConfigurationError: It is not a number, out of its range, or finite and over LONGEST_WAIT.
    """
    bound = "of at least 0" if from_zero else "above 0"
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ConfigurationError(f"{name} must be a number of seconds {bound}.")
    if not (value > 0 or (from_zero and value == 0)):
        raise ConfigurationError(f"{name} must be a number of seconds {bound}.")
    if LONGEST_WAIT < value < math.inf:
        raise ConfigurationError(
            f"{name} is over {LONGEST_WAIT:g} seconds; use math.inf for no bound."
        )


def check_text(name: str, value: object) -> str:
    """Return a text that can stand in credentials.

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
