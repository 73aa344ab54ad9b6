"""Who hears whom, by name."""

from collections.abc import Iterable, Mapping
from typing import Literal, cast

from attrs import frozen

from webrtc_async.errors import InvalidArgumentError

Hears = Literal["everyone", "nobody"] | Iterable[str] | Mapping[str, Iterable[str]]
"""Whom somebody hears: names, or names with the aliases of their streams (none means all)."""

Subscribe = Literal["everyone", "nobody"] | Mapping[str, Hears]
"""Who hears whom: all hear everyone or nobody, or each listener as given; others hear nobody."""


@frozen
class Heard:
    """Somebody who is heard, whole or by stream.

    Attributes:
        name: Who.
        stream_aliases: Which of their streams, by the alias their device gave; empty means all.
    """

    name: str
    stream_aliases: tuple[str, ...] = ()


@frozen
class Hearing:
    """Whom one participant hears.

    Attributes:
        listener: Who hears.
        heard: Whom: everyone, now and later, or exactly these.
    """

    listener: str
    heard: Literal["everyone"] | tuple[Heard, ...]


def as_hearing(listener: str, hears: Hears) -> Hearing:
    """Return whom somebody hears as a value.

    Raises:
        InvalidArgumentError: It is neither of the two words, nor names, or a name is there twice.
    """
    if hears == "everyone":
        return Hearing(listener, "everyone")
    if hears == "nobody":
        return Hearing(listener, ())
    if isinstance(hears, Mapping):
        named = cast("Mapping[str, Iterable[str]]", hears)
        heard = tuple(Heard(name, _aliases(name, each)) for name, each in named.items())
    else:
        heard = tuple(Heard(name) for name in _texts(f"Whom {listener!r} hears", hears))
    names = [each.name for each in heard]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InvalidArgumentError(f"{listener!r} hears {twice[0]!r} twice.")
    return Hearing(listener, heard)


def check_hearing(hearing: Hearing, names: Iterable[str]) -> None:
    """Refuse a hearing of somebody who is not there.

    Raises:
        InvalidArgumentError: The listener or somebody heard is none of the names.
    """
    known = set(names)
    heard = () if hearing.heard == "everyone" else hearing.heard
    for name in (hearing.listener, *(each.name for each in heard)):
        if name not in known:
            raise InvalidArgumentError(
                f"subscribe names {name!r}, who is none of the participants "
                f"({', '.join(sorted(known)) or 'there are none'})."
            )


def _aliases(name: str, values: object) -> tuple[str, ...]:
    return _texts(f"The stream aliases of {name!r}", values)


def _texts(what: str, values: object) -> tuple[str, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        shown = repr(values)[:64]
        raise InvalidArgumentError(f"{what} must be a list of texts, not {shown}.")
    texts = tuple(cast("Iterable[object]", values))
    for each in texts:
        if not isinstance(each, str):
            raise InvalidArgumentError(f"{what} must be a list of texts, not of {each!r}.")
    return cast("tuple[str, ...]", texts)
