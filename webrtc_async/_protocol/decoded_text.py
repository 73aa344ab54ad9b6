"""Removal of secrets from a text that holds them in any escaped form."""

import html
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from attrs import frozen

MAX_LEVELS: Final = 4
"""Most levels of escapes: HTML around JSON around a percent-encoded text has three."""

ESCAPES: Final = "\\%&"
"""The characters that every escape begins with."""

_ESCAPE: Final = re.compile(
    r"(?:\\u[0-9a-fA-F]{4})+|\\x[0-9a-fA-F]{2}|\\[\"'\\/bfnrt]"
    r"|%[0-9a-fA-F]{2}|&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,6});"
)
_JSON: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

Find = Callable[[str], Iterable[tuple[int, int]]]
"""Returns the places of secrets in a text, whose characters are the bytes of its UTF-8."""


@frozen
class _DecodedText:
    """A text, and for each of its characters the start and the end in the source."""

    text: str
    starts: list[int]
    ends: list[int]

    def decoded(self) -> "_DecodedText":
        """Return the text with one level of escapes less."""
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


def hide(text: str, finds: Iterable[tuple[Find, str]]) -> str:
    """Return a text with a mark in place of each secret, escaped or not.

    Args:
        text: The text.
        finds: Functions that find secrets, each with its mark; the first one wins.
    """
    finds = tuple(finds)
    found = [
        (level.starts[first], level.ends[after - 1], mark)
        for level in _levels(text)
        for find, mark in finds
        for first, after in find(level.text)
    ]
    shown: list[str] = []
    done = 0
    # The sort is stable: of two secrets with the same start, the first one found wins.
    for first, after, mark in sorted(found, key=lambda each: each[0]):
        if first >= done:
            shown += text[done:first], mark
        done = max(done, after)
    return "".join(shown) + text[done:]


def find_text(secret: str) -> Find:
    """Return a function that finds a secret."""
    wanted = _as_bytes(secret)

    def find(text: str) -> Iterator[tuple[int, int]]:
        start = text.find(wanted)
        while start >= 0:
            yield start, start + len(wanted)
            start = text.find(wanted, start + 1)

    return find


def find_pattern(pattern: re.Pattern[str]) -> Find:
    """Return a function that finds the last group of a pattern, or all of it without groups."""

    def find(text: str) -> Iterator[tuple[int, int]]:
        return (each.span(pattern.groups) for each in pattern.finditer(text))

    return find


def _levels(text: str) -> Iterator[_DecodedText]:
    sizes = [1] * len(text) if text.isascii() else [len(_as_bytes(each)) for each in text]
    places = [place for place, size in enumerate(sizes) for _ in range(size)]
    level = _DecodedText(_as_bytes(text), places, [place + 1 for place in places])
    for _ in range(MAX_LEVELS):
        yield level
        if not any(each in level.text for each in ESCAPES):
            return
        level = level.decoded()


def _plain(escape: str) -> str:
    if escape.startswith("\\u"):
        units = bytes.fromhex(escape.replace("\\u", ""))
        return _as_bytes(units.decode("utf-16-be", "replace"))
    if escape.startswith(("%", "\\x")):
        return chr(int(escape[-2:], 16))
    if escape.startswith("\\"):
        return _JSON.get(escape[1], escape[1])
    return _as_bytes(html.unescape(escape))


def _as_bytes(text: str) -> str:
    """Return the bytes of a text's UTF-8 as characters, because escapes may hold single bytes."""
    return text if text.isascii() else text.encode("utf-8", "surrogatepass").decode("latin-1")
