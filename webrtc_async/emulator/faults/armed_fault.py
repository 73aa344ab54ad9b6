"""An armed fault rule: it counts requests and decides which of them fail; no I/O."""

import random
from collections.abc import Sequence
from typing import Final

from attrs import Factory, define, evolve, field, frozen

from webrtc_async.emulator.core.subject import Subject
from webrtc_async.emulator.faults.check import MAX_WAIT
from webrtc_async.emulator.faults.rule import FaultRule

_GATEWAY: Final = (502, 503, 504)


@frozen(kw_only=True)
class TriggeredFault:
    """A fault that one request triggered, with its delay.

    Attributes:
        rule: The fault's rule; if there are only delays, the first of their rules.
        at: Time of the request, in seconds since 1970.
        status: Status of the response; None if the fault is not a status.
        wait: Seconds until the end of the storm or window; None without one.
        delay: Seconds to wait before the response.
        text: The rules that apply.
    """

    rule: FaultRule
    at: float
    status: int | None = None
    wait: float | None = None
    delay: float = 0.0
    text: str = ""

    @property
    def is_delay(self) -> bool:
        """True if there are only delays."""
        return self.rule.fault == "delay"

    @property
    def seconds(self) -> float:
        """Seconds that it adds to the response time."""
        return self.delay + self.rule.slowness

    @property
    def to_send(self) -> FaultRule | None:
        """The rule by which the response is sent; None to send it correctly."""
        return None if self.is_delay or self.status is not None else self.rule


def combined(faults: Sequence[TriggeredFault]) -> TriggeredFault:
    """Return the combination of at most one fault and any delays."""
    main = next((each for each in faults if not each.is_delay), faults[0])
    return evolve(
        main,
        delay=min(sum(each.delay for each in faults), MAX_WAIT),
        text=" and ".join(each.text for each in faults),
    )


@define(eq=False, kw_only=True)
class ArmedFault:
    """A fault rule that is armed, or was until it was spent.

    Attributes:
        number: Number of the rule, counted from 1.
        rule: The rule.
        seen: Number of requests that the rule is for, until it is spent.
        fired: Number of those requests that triggered the fault.
    """

    number: int
    rule: FaultRule
    seen: int = 0
    fired: int = 0
    _random: random.Random = field(
        default=Factory(lambda fault: _random_of(fault.rule), takes_self=True),
        init=False,
        repr=False,
    )
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

    def trigger(self, subject: Subject, now: float) -> TriggeredFault | None:
        """Count a request and return the fault for it, if any; the caller updates `fired`."""
        if not self.rule.matches(subject):
            return None
        self.seen += 1
        if self.rule.fault == "limit":
            return self._over_limit(now)
        if self.rule.fault == "storm":
            return self._in_storm(now)
        return self.trigger_now(now) if self._is_due() else None

    def trigger_now(
        self, now: float, *, status: int | None = None, wait: float | None = None
    ) -> TriggeredFault:
        """Return the fault for a request, which is not counted.

        Args:
            now: Time of the request.
            status: Status of the response; by default the rule's.
            wait: Seconds until the end of the storm or window.
        """
        return TriggeredFault(
            rule=self.rule,
            at=now,
            status=self.rule.status if status is None else status,
            wait=wait,
            delay=self.rule.draw_delay(self._random),
            text=str(self.rule),
        )

    def is_spent(self, now: float) -> bool:
        """Return True if the rule can affect no further request."""
        rule = self.rule
        if rule.storm is not None:
            return self._started_at is not None and now >= self._started_at + rule.storm
        if rule.nth is not None:
            return self.seen >= rule.nth + (rule.times or 1) - 1
        return rule.times is not None and self.fired >= rule.times

    def _is_due(self) -> bool:
        rule = self.rule
        if rule.nth is not None:
            return rule.nth <= self.seen
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
        return self.trigger_now(now, status=429, wait=self._started_at + window - now)

    def _in_storm(self, now: float) -> TriggeredFault | None:
        assert self.rule.storm is not None  # noqa: S101  # the rule's fault is "storm"
        if self._started_at is None:
            if self.seen < (self.rule.nth or 1):
                return None
            self._started_at = now
        status = self.rule.status or self._random.choice(_GATEWAY)
        return self.trigger_now(now, status=status, wait=self._started_at + self.rule.storm - now)


def _random_of(rule: FaultRule) -> random.Random:
    # Not for secrets; without a seed, the choice of requests differs in every run.
    return random.Random(rule.seed)  # noqa: S311
