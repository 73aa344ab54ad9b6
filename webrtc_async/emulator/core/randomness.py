"""Random streams, one for each purpose; a snapshot can save and restore their positions."""

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
"""Purposes of the streams. With a stream each, a refused request does not change the next id."""

# The state of the Mersenne Twister: 624 words and an index into them.
_STATE: Final = struct.Struct("<625I")
_VERSION: Final = 3


class RandomStreams:
    """The random streams of an emulator.

    Args:
        seed: Makes the streams repeatable; without a seed they are unpredictable.
    """

    def __init__(self, seed: int | None) -> None:
        self._by_purpose = {purpose: random_of(seed, purpose) for purpose in PURPOSES}

    def __getitem__(self, purpose: str) -> random.Random:
        return self._by_purpose[purpose]

    @classmethod
    def from_positions(cls, positions: Mapping[str, object]) -> Self:
        """Return streams that continue at these positions.

        Args:
            positions: A return value of `positions`.

        Raises:
            ValueError: A position is invalid; the text names the stream.
        """
        streams = cls(seed=0)
        for purpose, stream in streams._by_purpose.items():
            try:
                stream.setstate(_read(positions.get(purpose)))
            except (ValueError, struct.error):
                raise ValueError(f"{purpose}: not the position of a random stream") from None
        return streams

    def positions(self) -> dict[str, str] | None:
        """Return the positions of the streams as text, or None if they are unpredictable."""
        found: dict[str, str] = {}
        for purpose, stream in self._by_purpose.items():
            if isinstance(stream, random.SystemRandom):
                return None
            _, words, _ = stream.getstate()
            found[purpose] = base64.b64encode(_STATE.pack(*words)).decode("ascii")
        return found


def random_of(seed: int | None, purpose: str) -> random.Random:
    """Return the stream of a purpose, at its start."""
    if seed is None:
        return random.SystemRandom()
    return random.Random(f"{seed} {purpose}")  # noqa: S311  # a seeded stream repeats on purpose


def _read(position: object) -> tuple[int, tuple[int, ...], None]:
    if not isinstance(position, str):
        raise ValueError("not text")  # noqa: TRY004  # the caller names the stream
    words = _STATE.unpack(base64.b64decode(position, validate=True))
    if words[-1] > len(words) - 1:
        raise ValueError("an index beyond the words")
    return _VERSION, words, None
