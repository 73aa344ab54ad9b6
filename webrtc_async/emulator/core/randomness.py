"""Streams of randomness, one for each purpose, that can be written down and taken up again."""

import base64
import random
import struct
from collections.abc import Mapping
from typing import Final, Self

PURPOSES: Final = (
    "ids",
    "requests",
    "device tokens",
    "access tokens",
    "device ids",
    "permission order",
)
"""What is random. Each has its own, so that a refused request does not change the next id."""

# The Mersenne Twister's: 624 words and the position among them.
_STATE: Final = struct.Struct("<625I")
_VERSION: Final = 3


class Streams:
    """The streams of an emulator.

    Args:
        seed: Makes them the same every time; without one they cannot be predicted.
    """

    def __init__(self, seed: int | None) -> None:
        self._by_purpose = {purpose: random_of(seed, purpose) for purpose in PURPOSES}

    def __getitem__(self, purpose: str) -> random.Random:
        return self._by_purpose[purpose]

    @classmethod
    def at(cls, places: Mapping[str, object]) -> Self:
        """Return streams that go on where others were.

        Args:
            places: What `places` returned.

        Raises:
            ValueError: It is something else; the text names the stream.
        """
        streams = cls(seed=0)
        for purpose, stream in streams._by_purpose.items():
            try:
                stream.setstate(_read(places.get(purpose)))
            except (ValueError, struct.error):
                raise ValueError(f"{purpose}: not the place of a stream") from None
        return streams

    def places(self) -> dict[str, str] | None:
        """Return where the streams are, as text; None if they cannot be predicted."""
        found: dict[str, str] = {}
        for purpose, stream in self._by_purpose.items():
            if isinstance(stream, random.SystemRandom):
                return None
            _, words, _ = stream.getstate()
            found[purpose] = base64.b64encode(_STATE.pack(*words)).decode("ascii")
        return found


def random_of(seed: int | None, purpose: str) -> random.Random:
    """Return the stream of a purpose, from its beginning."""
    if seed is None:
        return random.SystemRandom()
    return random.Random(f"{seed} {purpose}")  # noqa: S311  # it is meant to repeat


def _read(place: object) -> tuple[int, tuple[int, ...], None]:
    if not isinstance(place, str):
        raise ValueError("not text")  # noqa: TRY004  # the caller names the stream
    words = _STATE.unpack(base64.b64decode(place, validate=True))
    if words[-1] > len(words) - 1:
        raise ValueError("a position outside of the words")
    return _VERSION, words, None
