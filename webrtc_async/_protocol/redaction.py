"""What is cut out of every text that a service sent, before an error carries it.

A gateway may echo the Authorization header, a debug page the request, and a broken answer the
device token that it was to hand over.
"""

import base64
import contextlib
import re
from collections.abc import Iterable, Mapping
from typing import Final

LONGEST_EXCERPT: Final = 500
"""Characters of a body that an error shows."""

_SECRET_HEADERS: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "set-cookie2", "x-api-key"}
)
# Each is a JWT, credentials behind their scheme, or the value of a key that holds a token.
_JWT: Final = re.compile(r"eyJ[\w-]+\.[\w.-]+")
# Words of prose behind a scheme's name have no digit, and no capital but their first letter.
_CREDENTIALS: Final = re.compile(
    r"\b((?i:basic|bearer))(\s+)(?=.[\w.~+/-]*[A-Z0-9+/=])[\w.~+/=-]{6,}"
)
# No other text has anything to hide: each pattern needs one of these.
_SUSPECT: Final = re.compile(r"eyJ|token|basic|bearer", re.IGNORECASE)
_TOKEN_FIELD: Final = re.compile(r"""("\w*token"\s*:\s*"|\b\w*token=)[^"&\s]{4,}""", re.IGNORECASE)


class HiddenStr(str):
    """A text that debuggers and tracebacks with local variables do not show."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<hidden>"


class UnshownBytes(bytes):
    """Bytes with a secret among them, which no debugger's view of a frame shows."""

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


def excerpt(text: str, secrets: Iterable[str] = (), longest: int = LONGEST_EXCERPT) -> str:
    """Return the start of a text without secrets and control characters.

    Args:
        text: What the service sent.
        secrets: Texts that must not stand in it, whatever they look like.
        longest: Characters, at most.
    """
    secrets = tuple(secrets)
    if not secrets and len(text) <= longest and text.isprintable() and not _SUSPECT.search(text):
        return text
    # Cut first as well: the patterns take quadratic time on a long text made to hurt them. What
    # is left of a secret that the cut went through stands in the last characters.
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
    """Return lower-case headers without those that carry secrets, and without their echoes."""
    return {
        name: excerpt(value, secrets, longest=4 * LONGEST_EXCERPT)
        for name, value in headers.items()
        if name not in _SECRET_HEADERS
    }


def secrets_in(authorization: str) -> tuple[str, ...]:
    """Return every text by which an Authorization header would give itself away, longest first."""
    scheme, _, credentials = authorization.partition(" ")
    found = {authorization, credentials}
    if scheme.lower() == "basic":
        with contextlib.suppress(ValueError):  # of a user's own Auth, it may be anything
            pair = base64.b64decode(credentials).decode("utf-8", "surrogatepass")
            found |= {pair, pair.partition(":")[2]}
    # Shorter ones would blot out ordinary words, and protect nothing.
    told = (HiddenStr(each) for each in found if len(each) >= 4)
    return tuple(sorted(told, key=len, reverse=True))
