"""The fault rules of an emulator: which one strikes a request, decided without I/O."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Unpack

from attrs import define, field, frozen

from webrtc_async._protocol.route import Route
from webrtc_async.emulator.faults.rule import FaultFields, FaultRule, read_rule

MOST_RULES: Final = 1000
"""Rules that may be armed at a time."""

_GATEWAY: Final = (502, 503, 504)


@frozen(kw_only=True)
class Strike:
    """A rule that strikes a request.

    Attributes:
        rule: The rule.
        at: When, in seconds since 1970.
        status: What is answered; None if that is not the fault.
        wait: Seconds until a storm or a window is over; None if there is neither.
    """

    rule: FaultRule
    at: float
    status: int | None = None
    wait: float | None = None


@define(eq=False, kw_only=True)
class Fault:
    """A rule that is armed.

    Attributes:
        number: What it is known by, counted from 1.
        rule: The rule.
        seen: How many requests of its route came.
        fired: How many of them it struck.
    """

    number: int
    rule: FaultRule
    seen: int = 0
    fired: int = 0
    _random: random.Random = field(alias="random", repr=False)
    _began: float | None = field(default=None, init=False, repr=False)
    _let_through: int = field(default=0, init=False, repr=False)

    def picture(self) -> dict[str, object]:
        """Return what programs and people are shown of it, as JSON's values."""
        return {
            "number": self.number,
            "rule": self.rule.picture(),
            "seen": self.seen,
            "fired": self.fired,
        }

    def meet(self, operation: str | None, now: float) -> Strike | None:
        """Count a request, and return what it would be struck with; `fired` is the caller's."""
        if self.rule.route not in {None, operation}:
            return None
        self.seen += 1
        if self.rule.fault == "limit":
            return self._over_limit(now)
        if self.rule.fault == "storm":
            return self._in_storm(now)
        return strike_now(self.rule, now) if self._has_its_turn() else None

    def _has_its_turn(self) -> bool:
        rule = self.rule
        if rule.nth is not None:
            return rule.nth <= self.seen < rule.nth + (rule.times or 1)
        if rule.times is not None and self.fired >= rule.times:
            return False
        return rule.probability is None or self._random.random() < rule.probability

    def _over_limit(self, now: float) -> Strike | None:
        assert self.rule.limit is not None  # noqa: S101  # it is the fault
        window = self.rule.window or 1.0
        # A clock that was set back begins a window, too.
        if self._began is None or not self._began <= now < self._began + window:
            self._began, self._let_through = now, 0
        if self._let_through < self.rule.limit:
            self._let_through += 1
            return None
        return Strike(rule=self.rule, at=now, status=429, wait=self._began + window - now)

    def _in_storm(self, now: float) -> Strike | None:
        assert self.rule.storm is not None  # noqa: S101  # it is the fault
        if self._began is None and self.seen >= (self.rule.nth or 1):
            self._began = now
        if self._began is None or now >= self._began + self.rule.storm:
            return None
        status = self.rule.status or self._random.choice(_GATEWAY)
        return Strike(
            rule=self.rule, at=now, status=status, wait=self._began + self.rule.storm - now
        )


def strike_now(rule: FaultRule, now: float) -> Strike:
    """Return how a rule strikes that is for one request alone."""
    return Strike(rule=rule, at=now, status=rule.status)


class Faults:
    """The armed rules of an emulator, in the order in which they were added.

    Every rule counts every request of its route; the first that strikes is the one that is felt.
    Threads may share it.

    Args:
        clock: Tells the seconds since 1970, which storms and windows go by.
        on_change: Called after every change, in the thread that made it and with no lock of this
            object held.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        on_change: Callable[[], object] = lambda: None,
    ) -> None:
        self._clock = clock
        self._on_change = on_change
        self._lock = threading.Lock()
        self._armed: dict[int, Fault] = {}
        self._count = 0

    def add(
        self, route: Route[Any, Any] | str | None = None, **fields: Unpack[FaultFields]
    ) -> Fault:
        """Arm a rule.

        Args:
            route: The route that it is for, or its operation's name; None for any request.
            fields: Exactly one fault and what goes with it, as `FaultRule` describes them.

        Returns:
            The armed rule, which tells how often it fired.

        Raises:
            ValueError: A field cannot be what it is; the text names it.
        """
        return self.add_from({"route": route, **fields})

    def add_from(self, mapping: Mapping[str, object]) -> Fault:
        """Arm the rule that a mapping is, as `FaultRule.picture` returns it.

        Raises:
            ValueError: It is no rule; the text names the field.
        """
        return self.arm(read_rule(mapping))

    def arm(self, rule: FaultRule) -> Fault:
        """Arm a rule that is made already.

        Raises:
            ValueError: Too many are armed.
        """
        with self._lock:
            if len(self._armed) >= MOST_RULES:
                raise ValueError(f"{MOST_RULES} rules are armed already: remove some.")
            self._count += 1
            # Not for secrets; a rule without a seed strikes other requests in every run.
            source = random.Random(rule.seed)  # noqa: S311
            fault = Fault(number=self._count, rule=rule, random=source)
            self._armed[fault.number] = fault
        self._on_change()
        return fault

    def remove(self, fault: Fault | int) -> None:
        """Disarm a rule, given itself or its number.

        Raises:
            LookupError: It is not armed.
        """
        number = fault.number if isinstance(fault, Fault) else fault
        with self._lock:
            if self._armed.pop(number, None) is None:
                raise LookupError(f"No fault rule {number} is armed.")
        self._on_change()

    def clear(self) -> None:
        """Disarm all, and start numbers over."""
        with self._lock:
            self._armed.clear()
            self._count = 0
        self._on_change()

    def meet(self, operation: str | None) -> Strike | None:
        """Return what a request is struck with, and count it."""
        if not self._armed:
            return None
        now = self._clock()
        felt: Strike | None = None
        with self._lock:
            for fault in self._armed.values():
                struck = fault.meet(operation, now)
                if felt is None and struck is not None:
                    felt = struck
                    fault.fired += 1
        if felt is not None:
            self._on_change()
        return felt

    def picture(self) -> list[dict[str, object]]:
        """Return what programs and people are shown of all, as JSON's values."""
        return [each.picture() for each in self]

    def __iter__(self) -> Iterator[Fault]:
        with self._lock:
            return iter(tuple(self._armed.values()))

    def __len__(self) -> int:
        return len(self._armed)

    def __repr__(self) -> str:
        return f"<Faults: {len(self)} armed>"
