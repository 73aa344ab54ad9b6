"""What a measure should be, and whether it is."""

from collections.abc import Iterable, Sequence
from statistics import median

from attrs import frozen


@frozen
class Spread:
    """What came of several rounds."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        each = sorted(values)
        return cls(median(each), each[0], each[-1])

    @classmethod
    def of_ratios(cls, ours: Sequence[float], theirs: Sequence[float]) -> "Spread":
        """Compare round by round: what slows a round down slows both."""
        return cls.of(mine / other for mine, other in zip(ours, theirs, strict=True))

    def __str__(self) -> str:
        if self.lowest == self.highest:
            return _written(self.median)
        return f"{_written(self.median)} ({_written(self.lowest)} to {_written(self.highest)})"


@frozen
class Target:
    """A bound on the median of a measure.

    Attributes:
        work: What is done.
        against: What it is compared with.
        bound: The most that it may be, or the least where it is a speed.
        is_speed: Whether more is better.
        is_count: Whether it is a number of things, and not a ratio.
        why: The reason, where it is missed and the reason is known.
    """

    work: str
    against: str
    bound: float
    is_speed: bool = False
    is_count: bool = False
    why: str = ""

    def verdict(self, measured: float) -> str:
        """Say whether the target is met, and if not, what is missing."""
        missing = self.bound - measured if self.is_speed else measured - self.bound
        # Rounded as it is written, so that no row says of a number that it misses itself.
        if float(_written(measured)) == self.bound or missing <= 0:
            return "met"
        short = f"{missing:.1f}" if self.is_count else f"{missing / self.bound:.0%}"
        return f"short by {short}" + (f": {self.why}" if self.why else "")

    def row(self, measured: Spread) -> list[str]:
        """Return the cells of a table of verdicts."""
        sign = "≥" if self.is_speed else "≤"
        bound = f"{sign} {self.bound:g}"
        return [self.work, self.against, str(measured), bound, self.verdict(measured.median)]


def _written(value: float) -> str:
    return f"{value:.3f}" if value < 0.2 and value else f"{value:.2f}"
