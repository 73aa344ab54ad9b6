"""Redaction of the service's texts before an error holds them.

A gateway may echo the Authorization header, a debug page the whole request, and a broken response
may hold a device token.
"""

import base64
import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import unquote_plus

from webrtc_async._protocol.decoded_text import ESCAPES, hide_patterns, hide_texts

LONGEST_EXCERPT: Final = 500
"""Most characters of a body in an error."""

_SECRET_HEADERS: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "set-cookie2", "x-api-key"}
)
# Secrets are JWTs, credentials behind their scheme, and values of keys that hold tokens or URLs
# with secrets. In each pattern, the last group is the secret.
_JWT: Final = re.compile(r"eyJ[\w-]+\.[\w.-]+")
# Prose behind a scheme's name has no digit and, after a first letter, no capital.
_CREDENTIALS: Final = re.compile(
    r"\b(?i:basic|bearer)\s+(?=.[\w.~+/|:!$@#*-]*[A-Z0-9+/=|])([\w.~+/=|:!$@#*-]{6,})"
)
_TOKEN_FIELD: Final = re.compile(
    r"""(?:["']\w*token["'][\s+]*:[\s+]*["']|\b\w*token=)([^"'&\s]{4,})""", re.IGNORECASE
)
_URL_FIELD: Final = re.compile(r"""["']callbackUrl["'][\s+]*:[\s+]*["']([^"'\s]+)""")
_BY_FORM: Final = (
    (_JWT, "<token>"),
    (_CREDENTIALS, "<hidden>"),
    (_TOKEN_FIELD, "<token>"),
    (_URL_FIELD, "<hidden>"),
)
# Each pattern needs one of these, so any other text has nothing to hide.
_SUSPECT: Final = re.compile(rf"eyJ|token|basic|bearer|callbackUrl|[{re.escape(ESCAPES)}]", re.I)
_LONGEST_ESCAPE: Final = 6
"""Characters of an escape, such as a backslash and u0041, for one character of a secret."""


class HiddenStr(str):
    """A text whose repr hides it from debuggers and from tracebacks with local variables."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<hidden>"


class HiddenBytes(bytes):
    """Bytes whose repr hides the secret in them."""

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


def hidden(value: object) -> object:
    """Return a text or bytes whose repr hides them, and any other value as it is."""
    if isinstance(value, str):
        return HiddenStr(value)
    return HiddenBytes(value) if isinstance(value, bytes) else value


def excerpt(text: str, secrets: Iterable[str] = (), longest: int = LONGEST_EXCERPT) -> str:
    """Return the start of a text without secrets and control characters.

    Args:
        text: The service's text.
        secrets: Texts to hide.
        longest: Most characters of the result.
    """
    secrets = tuple(secrets)
    is_plain = len(text) <= longest and text.isprintable() and not _SUSPECT.search(text)
    if is_plain and not any(secret in text for secret in secrets):
        return text
    # The patterns take quadratic time on a hostile text, so it is cut first. A secret that the cut
    # divides is in the last characters, which are dropped below.
    edge = _LONGEST_ESCAPE * max(map(len, secrets), default=0)
    is_cut = len(text) > 4 * longest + edge
    text = text[: 4 * longest + edge]
    if secrets:
        text = hide_texts(text, secrets, "<hidden>")
    if is_cut and edge:
        text = text[:-edge]
    text = hide_patterns(text[: 4 * longest], _BY_FORM)
    return "".join(each if each.isprintable() or each == "\n" else "�" for each in text)[:longest]


def without_quotes(text: str) -> str:
    """Return the message of a parser without the bytes that it quotes; they may hold a token."""
    return re.sub(r"""(?::? )?(?:bytearray\()?\bb(['"]).*\1\)?""", "", text, flags=re.DOTALL)


def public_headers(headers: Mapping[str, str], secrets: Iterable[str] = ()) -> dict[str, str]:
    """Return the headers without those that hold secrets, and without echoes of secrets."""
    return {
        name: excerpt(value, secrets, longest=4 * LONGEST_EXCERPT)
        for name, value in headers.items()
        if name not in _SECRET_HEADERS
    }


def secrets_in(authorization: str) -> tuple[str, ...]:
    """Return the secret texts of an Authorization header, longest first.

    Escapes are not among them, because `excerpt` undoes them.
    """
    scheme, _, credentials = authorization.partition(" ")
    found = {authorization, credentials, credentials.rstrip("=")}
    if scheme.lower() == "basic":
        with contextlib.suppress(ValueError):  # a custom Auth may send anything
            pair = base64.b64decode(credentials).decode("utf-8", "surrogatepass")
            password = pair.partition(":")[2]
            found |= {pair, password, unquote_plus(pair), unquote_plus(password)}
    for secret in tuple(found):
        found |= set(base64_forms(secret))
        if not secret.isascii():
            # As a reader of another encoding shows it.
            found.add(secret.encode("utf-8", "surrogatepass").decode("latin-1"))
            found.add(re.sub("[^\0-\x7f]", "\ufffd", secret))
    # Shorter texts would hide ordinary words.
    hidden = (HiddenStr(each) for each in found if len(each) >= 4)
    return tuple(sorted(hidden, key=len, reverse=True))


def base64_forms(secret: str) -> Iterator[str]:
    """Yield the text that base64 of any text with a secret has, whatever stands around it."""
    plain = secret.encode("utf-8", "surrogatepass")
    # Preceding bytes shift the secret by 0, 1 or 2 bytes; the characters at its ends also encode
    # neighbouring bytes, so they are cut off.
    for before, skipped in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(bytes(before) + plain).decode("ascii").rstrip("=")
        last = len(encoded) - 1 if (before + len(plain)) % 3 else len(encoded)
        for form in (encoded, encoded.translate(str.maketrans("+/", "-_"))):
            yield form[skipped:last]
