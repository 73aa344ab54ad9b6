"""The delay of a fault rule: a fixed one, or a random one like that of a busy service."""

import math
from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING, Any, Final, TypedDict, cast

from attrs import field, frozen

from webrtc_async.emulator.faults.check import MAX_WAIT, number

if TYPE_CHECKING:
    from attrs import Attribute

MAX_SIGMA: Final = 5.0
"""Maximum spread of a random delay; with it, one delay in 40 is 18,000 times the median."""


class RandomDelayFields(TypedDict):
    """The fields of a random delay, as `RandomDelay` describes them."""

    median: float
    sigma: float


@frozen
class RandomDelay:
    """A delay with a log-normal distribution: most are near the median, and a few are long.

    Attributes:
        median: Half of the delays are shorter, in seconds.
        sigma: Spread: one delay in 40 is longer than the median times e to the power of 1.96 sigma.
    """

    median: float = field(validator=number(MAX_WAIT, "seconds"))
    sigma: float = field(validator=number(MAX_SIGMA, "a number"))

    def __str__(self) -> str:
        return f"about {self.median:g}"

    def draw(self, source: Random) -> float:
        """Return a delay in seconds, at most `MAX_WAIT`."""
        return min(source.lognormvariate(math.log(self.median), self.sigma), MAX_WAIT)


def read_delay(
    delay: float | RandomDelay | RandomDelayFields | None,
) -> float | RandomDelay | None:
    """Return a delay; an object of `median` and `sigma` becomes a random one.

    Raises:
        ValueError: The object has other fields or wrong values; the text names the field.
    """
    if not isinstance(delay, Mapping):
        return delay
    given = cast("Mapping[str, Any]", delay)
    if {*given} != {"median", "sigma"} or None in given.values():
        raise ValueError(
            "delay must be seconds, or an object of median and sigma, such as "
            "{median: 0.08, sigma: 0.4}."
        )
    try:
        return RandomDelay(given["median"], given["sigma"])
    except ValueError as error:
        raise ValueError(f"delay.{error}") from None


def is_delay(instance: object, attribute: "Attribute[Any]", value: object) -> None:
    """Check that a value is a delay."""
    if not isinstance(value, RandomDelay):
        number(MAX_WAIT, "seconds")(instance, attribute, value)
