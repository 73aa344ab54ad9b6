"""Removal of secrets from a text that holds them in any escaped form."""

import html
import re
from collections.abc import Iterable, Iterator
from typing import Final

from attrs import frozen

MAX_LEVELS: Final = 5
"""Most levels of escapes: HTML around JSON around a percent-encoded text has three."""

ESCAPES: Final = "\\%&"
"""The characters that escapes begin with."""

# Escapes of JSON, URLs and HTML. A backslash may itself be escaped, any number of times.
_ESCAPE: Final = re.compile(
    r"(?:\\+u[0-9a-fA-F]{4})+|\\+x[0-9a-fA-F]{2}|\\+[bfnrt]?"
    r"|%[0-9a-fA-F]{2}|&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,6});"
)


@frozen
class _DecodedText:
    """The bytes of a text as characters, each with its start and its end in the source."""

    text: str
    starts: list[int]
    ends: list[int]

    @classmethod
    def of(cls, text: str) -> "_DecodedText":
        """Return a text with its escapes."""
        sizes = [1] * len(text) if text.isascii() else [len(_as_bytes(each)) for each in text]
        places = [place for place, size in enumerate(sizes) for _ in range(size)]
        return cls(_as_bytes(text), places, [place + 1 for place in places])

    def levels(self) -> "Iterator[_DecodedText]":
        """Yield the text itself, and then with one level of escapes less each."""
        level = self
        for _ in range(MAX_LEVELS):
            yield level
            if not any(each in level.text for each in ESCAPES):
                return
            level = level._decoded()
        yield level

    def _decoded(self) -> "_DecodedText":
        parts: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        done = 0
        for escape in _ESCAPE.finditer(self.text):
            first, after = escape.span()
            plain = _plain(escape[0])
            parts += self.text[done:first], plain
            starts += [*self.starts[done:first], *[self.starts[first]] * len(plain)]
            ends += [*self.ends[done:first], *[self.ends[after - 1]] * len(plain)]
            done = after
        parts.append(self.text[done:])
        return _DecodedText("".join(parts), starts + self.starts[done:], ends + self.ends[done:])


def hide_texts(text: str, secrets: Iterable[str], mark: str) -> str:
    """Return a text with a mark in place of each secret, in whatever form it is there."""
    # Without any escape, which a secret may look like itself, text and secret are comparable.
    *_, last = _DecodedText.of(text).levels()
    searched = last.text.replace("+", " ")
    found: list[tuple[int, int, str]] = []
    for secret in secrets:
        found += ((first, after, mark) for first, after in _places(text, secret))
        *_, wanted = _DecodedText.of(secret).levels()
        found += (
            (last.starts[first], last.ends[after - 1], mark)
            for first, after in _places(searched, wanted.text.replace("+", " "))
        )
    return _marked(text, found)


def hide_patterns(text: str, patterns: Iterable[tuple[re.Pattern[str], str]]) -> str:
    """Return a text with a mark in place of each match, with its escapes or without.

    Args:
        text: The text.
        patterns: Patterns and their marks. The last group of a pattern is hidden, or all of its
            match without groups.
    """
    patterns = tuple(patterns)
    found = [
        (level.starts[first], level.ends[after - 1], mark)
        for level in _DecodedText.of(text).levels()
        for pattern, mark in patterns
        for first, after in (each.span(pattern.groups) for each in pattern.finditer(level.text))
    ]
    return _marked(text, found)


def _marked(text: str, found: list[tuple[int, int, str]]) -> str:
    shown: list[str] = []
    done = 0
    # The sort is stable: of two places with the same start, the one found first has its mark.
    for first, after, mark in sorted(found, key=lambda each: each[0]):
        if first >= done:
            shown += text[done:first], mark
        done = max(done, after)
    return "".join(shown) + text[done:]


def _places(text: str, wanted: str) -> Iterator[tuple[int, int]]:
    start = text.find(wanted) if wanted else -1
    while start >= 0:
        yield start, start + len(wanted)
        start = text.find(wanted, start + 1)


def _plain(escape: str) -> str:
    if escape[0] == "&":
        return _as_bytes(html.unescape(escape))
    kind = escape.lstrip("\\")[:1]
    if kind == "u":
        units = bytes.fromhex(re.sub(r"\\+u", "", escape))
        return _as_bytes(units.decode("utf-16-be", "replace"))
    if kind in {"%", "x"}:
        return chr(int(escape[-2:], 16))
    # Quotes and slashes stand behind their backslash; the rest is white space.
    return "\n" if kind else ""


def _as_bytes(text: str) -> str:
    """Return the bytes of a text's UTF-8 as characters, because escapes may hold single bytes."""
    return text if text.isascii() else text.encode("utf-8", "surrogatepass").decode("latin-1")
