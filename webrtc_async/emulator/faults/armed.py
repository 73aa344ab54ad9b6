"""The armed fault rules of an emulator: they decide which requests fail; no I/O."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Unpack

from attrs import define, field, frozen

from webrtc_async._protocol.route import Route
from webrtc_async.emulator.faults.rule import FaultFields, FaultRule, read_rule

MAX_RULES: Final = 1000
"""Maximum number of armed rules."""

_GATEWAY: Final = (502, 503, 504)


@frozen(kw_only=True)
class TriggeredFault:
    """A fault that one request triggered.

    Attributes:
        rule: The fault's rule.
        at: Time of the request, in seconds since 1970.
        status: Status of the response; None if the fault is not a status.
        wait: Seconds until the end of the storm or window; None without one.
    """

    rule: FaultRule
    at: float
    status: int | None = None
    wait: float | None = None


@define(eq=False, kw_only=True)
class ArmedFault:
    """A fault rule that is armed.

    Attributes:
        number: Number of the rule, counted from 1.
        rule: The rule.
        seen: Number of requests for the rule's route.
        fired: Number of those requests that triggered the fault.
    """

    number: int
    rule: FaultRule
    seen: int = 0
    fired: int = 0
    _random: random.Random = field(alias="random", repr=False)
    _started_at: float | None = field(default=None, init=False, repr=False)
    _passed: int = field(default=0, init=False, repr=False)

    def as_json(self) -> dict[str, object]:
        """Return the rule and its counters as JSON values."""
        return {
            "number": self.number,
            "rule": self.rule.as_json(),
            "seen": self.seen,
            "fired": self.fired,
        }

    def trigger(self, operation: str | None, now: float) -> TriggeredFault | None:
        """Count a request and return the fault for it, if any; the caller updates `fired`."""
        if self.rule.route not in {None, operation}:
            return None
        self.seen += 1
        if self.rule.fault == "limit":
            return self._over_limit(now)
        if self.rule.fault == "storm":
            return self._in_storm(now)
        return trigger_now(self.rule, now) if self._is_due() else None

    def _is_due(self) -> bool:
        rule = self.rule
        if rule.nth is not None:
            return rule.nth <= self.seen < rule.nth + (rule.times or 1)
        if rule.times is not None and self.fired >= rule.times:
            return False
        return rule.probability is None or self._random.random() < rule.probability

    def _over_limit(self, now: float) -> TriggeredFault | None:
        assert self.rule.limit is not None  # noqa: S101  # the rule's fault is "limit"
        window = self.rule.window or 1.0
        # A clock that was set back starts a new window, too.
        if self._started_at is None or not self._started_at <= now < self._started_at + window:
            self._started_at, self._passed = now, 0
        if self._passed < self.rule.limit:
            self._passed += 1
            return None
        wait = self._started_at + window - now
        return TriggeredFault(rule=self.rule, at=now, status=429, wait=wait)

    def _in_storm(self, now: float) -> TriggeredFault | None:
        assert self.rule.storm is not None  # noqa: S101  # the rule's fault is "storm"
        if self._started_at is None and self.seen >= (self.rule.nth or 1):
            self._started_at = now
        if self._started_at is None or now >= self._started_at + self.rule.storm:
            return None
        status = self.rule.status or self._random.choice(_GATEWAY)
        wait = self._started_at + self.rule.storm - now
        return TriggeredFault(rule=self.rule, at=now, status=status, wait=wait)


def trigger_now(rule: FaultRule, now: float) -> TriggeredFault:
    """Return the fault of a rule that applies to this request."""
    return TriggeredFault(rule=rule, at=now, status=rule.status)


class Faults:
    """The armed fault rules of an emulator, in the order they were added.

    Every rule counts every request for its route; of several faults for a request, the first rule's
    counts. Threads may share it.

    Args:
        clock: Returns the seconds since 1970, for storms and windows.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._armed: dict[int, ArmedFault] = {}
        self._count = 0

    def add(
        self, route: Route[Any, Any] | str | None = None, **fields: Unpack[FaultFields]
    ) -> ArmedFault:
        """Arm a rule.

        Args:
            route: The rule's route, or the name of its operation; None for every request.
            fields: Exactly one fault and its options, as `FaultRule` describes them.

        Returns:
            The armed rule, with the number of faults that it caused in `fired`.

        Raises:
            ValueError: The value of a field is invalid; the text names the field.
        """
        return self.add_from({"route": route, **fields})

    def add_from(self, mapping: Mapping[str, object]) -> ArmedFault:
        """Arm a rule from a mapping, such as `FaultRule.as_json` returns.

        Raises:
            ValueError: It is not a fault rule; the text names the field.
        """
        return self.arm(read_rule(mapping))

    def arm(self, rule: FaultRule) -> ArmedFault:
        """Arm a rule.

        Raises:
            ValueError: Too many rules are armed.
        """
        with self._lock:
            if len(self._armed) >= MAX_RULES:
                raise ValueError(f"{MAX_RULES} rules are armed already. Remove some first.")
            self._count += 1
            # Not for secrets; without a seed, the choice of requests differs in every run.
            source = random.Random(rule.seed)  # noqa: S311
            fault = ArmedFault(number=self._count, rule=rule, random=source)
            self._armed[fault.number] = fault
        return fault

    def remove(self, fault: ArmedFault | int) -> None:
        """Disarm a rule, given by itself or its number.

        Raises:
            LookupError: The rule is not armed.
        """
        number = fault.number if isinstance(fault, ArmedFault) else fault
        with self._lock:
            if self._armed.pop(number, None) is None:
                raise LookupError(f"No fault rule {number} is armed.")

    def clear(self) -> None:
        """Disarm all rules, and number new ones from 1 again."""
        with self._lock:
            self._armed.clear()
            self._count = 0

    def trigger(self, operation: str | None) -> TriggeredFault | None:
        """Count a request, and return the fault that it triggers, if any."""
        if not self._armed:
            return None
        now = self._clock()
        first: TriggeredFault | None = None
        with self._lock:
            for armed in self._armed.values():
                triggered = armed.trigger(operation, now)
                if first is None and triggered is not None:
                    first = triggered
                    armed.fired += 1
        return first

    def as_json(self) -> list[dict[str, object]]:
        """Return all rules and their counters as JSON values."""
        return [each.as_json() for each in self]

    def __iter__(self) -> Iterator[ArmedFault]:
        with self._lock:
            return iter(tuple(self._armed.values()))

    def __len__(self) -> int:
        return len(self._armed)

    def __repr__(self) -> str:
        return f"<Faults: {len(self)} armed>"
