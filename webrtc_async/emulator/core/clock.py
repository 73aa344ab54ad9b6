"""The emulator's clock: another clock, and the time by which it was moved ahead."""

import threading
import time
from collections.abc import Callable
from math import isfinite


class EmulatorClock:
    """The time of an emulator; a call returns the seconds since 1970.

    Sessions, access tokens, storms and rate windows go by it.

    Args:
        source: The clock underneath; by default that of the machine, which libraries that freeze
            time may have replaced.
    """

    def __init__(self, source: Callable[[], float] | None = None) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._ahead = 0.0

    def __call__(self) -> float:
        """Return the emulator's time, in seconds since 1970."""
        # Looked up for each call, because libraries that freeze time replace the function.
        return (time.time() if self._source is None else self._source()) + self._ahead

    @property
    def ahead(self) -> float:
        """Seconds by which the clock was moved ahead."""
        return self._ahead

    def advance(self, seconds: float = 0, *, minutes: float = 0, hours: float = 0) -> None:
        """Move the clock ahead.

        Args:
            seconds: Seconds to add.
            minutes: Minutes to add.
            hours: Hours to add.

        Raises:
            ValueError: The sum is negative or not finite; the clock is unchanged.
        """
        by = seconds + minutes * 60 + hours * 3600
        if not (isfinite(by) and by >= 0):
            raise ValueError(f"the clock can only be moved ahead, not by {by:g} seconds")
        with self._lock:
            self._ahead += by

    def set_ahead(self, seconds: float) -> None:
        """Set the seconds by which the clock is ahead, in place of earlier ones."""
        with self._lock:
            self._ahead = seconds
