"""Redaction of the service's texts before an error holds them.

A gateway may echo the Authorization header, a debug page the whole request, and a broken response
may hold a device token.
"""

import base64
import contextlib
import re
from collections.abc import Iterable, Mapping
from typing import Final

LONGEST_EXCERPT: Final = 500
"""Most characters of a body in an error."""

_SECRET_HEADERS: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "set-cookie2", "x-api-key"}
)
# Secrets are JWTs, credentials behind their scheme, and values of keys that hold tokens.
_JWT: Final = re.compile(r"eyJ[\w-]+\.[\w.-]+")
# Prose behind a scheme's name has no digit and, after a first letter, no capital.
_CREDENTIALS: Final = re.compile(
    r"\b((?i:basic|bearer))(\s+)(?=.[\w.~+/-]*[A-Z0-9+/=])[\w.~+/=-]{6,}"
)
# Each pattern needs one of these, so any other text has nothing to hide.
_SUSPECT: Final = re.compile(r"eyJ|token|basic|bearer", re.IGNORECASE)
_TOKEN_FIELD: Final = re.compile(r"""("\w*token"\s*:\s*"|\b\w*token=)[^"&\s]{4,}""", re.IGNORECASE)


class HiddenStr(str):
    """A text whose repr hides it from debuggers and from tracebacks with local variables."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<hidden>"


class HiddenBytes(bytes):
    """Bytes whose repr hides the secret in them."""

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


def excerpt(text: str, secrets: Iterable[str] = (), longest: int = LONGEST_EXCERPT) -> str:
    """Return the start of a text without secrets and control characters.

    Args:
        text: The service's text.
        secrets: Texts to hide.
        longest: Most characters of the result.
    """
    secrets = tuple(secrets)
    if not secrets and len(text) <= longest and text.isprintable() and not _SUSPECT.search(text):
        return text
    # The patterns take quadratic time on a hostile text, so it is cut first. A secret that the cut
    # divides is in the last characters, which are dropped below.
    edge = max(map(len, secrets), default=0)
    is_cut = len(text) > 4 * longest
    text = text[: 4 * longest]
    for secret in secrets:
        text = text.replace(secret, "<hidden>")
    if is_cut and edge:
        text = text[:-edge]
    text = _JWT.sub("<token>", text)
    text = _CREDENTIALS.sub(r"\1\2<hidden>", text)
    text = _TOKEN_FIELD.sub(r"\1<token>", text)
    return "".join(each if each.isprintable() or each == "\n" else "�" for each in text)[:longest]


def public_headers(headers: Mapping[str, str], secrets: Iterable[str] = ()) -> dict[str, str]:
    """Return the headers without those that hold secrets, and without echoes of secrets."""
    return {
        name: excerpt(value, secrets, longest=4 * LONGEST_EXCERPT)
        for name, value in headers.items()
        if name not in _SECRET_HEADERS
    }


def secrets_in(authorization: str) -> tuple[str, ...]:
    """Return the secret texts of an Authorization header, longest first."""
    scheme, _, credentials = authorization.partition(" ")
    found = {authorization, credentials}
    if scheme.lower() == "basic":
        with contextlib.suppress(ValueError):  # a custom Auth may send anything
            pair = base64.b64decode(credentials).decode("utf-8", "surrogatepass")
            found |= {pair, pair.partition(":")[2]}
    # Shorter texts would hide ordinary words.
    hidden = (HiddenStr(each) for each in found if len(each) >= 4)
    return tuple(sorted(hidden, key=len, reverse=True))
