"""The armed fault rules of an emulator: they decide which requests fail; no I/O."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, Unpack

from webrtc_async._protocol.route import Route
from webrtc_async.emulator.core.subject import Subject
from webrtc_async.emulator.faults.armed_fault import ArmedFault, TriggeredFault, combined
from webrtc_async.emulator.faults.chaos import chaos_rules
from webrtc_async.emulator.faults.fields import FaultFields
from webrtc_async.emulator.faults.rule import FaultRule, read_rule

MAX_RULES: Final = 1000
"""Maximum number of armed rules."""

SPENT_KEPT: Final = 100
"""Number of spent rules that are kept."""

Change = Literal["armed", "spent", "removed", "cleared"]


class Faults:
    """The armed fault rules of an emulator, in the order they were added.

    Every rule counts the requests that it is for. Of several faults for a request, the first rule's
    counts; delays add to it and to each other. A rule that can affect no further request is spent:
    it leaves the armed rules, and its counters stay. Threads may share it.

    Args:
        clock: Returns the seconds since 1970, for storms and windows.
        on_change: Called with each change, as JSON values.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        on_change: Callable[[dict[str, object]], object] = lambda _: None,
    ) -> None:
        self._clock = clock
        self._on_change = on_change
        self._lock = threading.Lock()
        self._armed: dict[int, ArmedFault] = {}
        self._spent: deque[ArmedFault] = deque(maxlen=SPENT_KEPT)
        self._count = 0

    def add(
        self, route: Route[Any, Any] | str | None = None, **fields: Unpack[FaultFields]
    ) -> ArmedFault:
        """Arm a rule.

        Args:
            route: The rule's route, or the name of its operation; None for every request.
            fields: A fault and its options, as `FaultRule` describes them.

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

    def add_chaos(self, profile: str, *, seed: int | None = None) -> tuple[ArmedFault, ...]:
        """Arm the rules of a chaos profile.

        Args:
            profile: Its name, such as "bad-day".
            seed: Makes the faults repeatable for the same sequence of requests.

        Raises:
            ValueError: There is no such profile, or too many rules are armed.
        """
        return self._arm(chaos_rules(profile, seed=seed))

    def arm(self, rule: FaultRule) -> ArmedFault:
        """Arm a rule.

        Raises:
            ValueError: Too many rules are armed.
        """
        return self._arm([rule])[0]

    def remove(self, fault: ArmedFault | int) -> None:
        """Disarm a rule, given by itself or its number; a spent one is only forgotten.

        Raises:
            LookupError: The rule is neither armed nor spent.
        """
        number = fault.number if isinstance(fault, ArmedFault) else fault
        with self._lock:
            found = self._armed.pop(number, None)
            if found is None:
                found = next((each for each in self._spent if each.number == number), None)
                if found is None:
                    raise LookupError(f"No fault rule {number} is armed.")
                self._spent.remove(found)
        self._report("removed", found)

    def clear(self) -> None:
        """Disarm all rules, forget the spent ones, and number new ones from 1 again."""
        with self._lock:
            self._armed.clear()
            self._spent.clear()
            self._count = 0
        self._report("cleared", None)

    def trigger(self, subject: Subject) -> TriggeredFault | None:
        """Count a request, and return the fault that it triggers, if any."""
        if not self._armed:
            return None
        self._retire()
        now = self._clock()
        applying: list[TriggeredFault] = []
        has_fault = False
        with self._lock:
            for armed in self._armed.values():
                triggered = armed.trigger(subject, now)
                if triggered is None or (has_fault and not triggered.is_delay):
                    continue
                has_fault |= not triggered.is_delay
                applying.append(triggered)
                armed.fired += 1
        self._retire()
        return combined(applying) if applying else None

    @property
    def spent(self) -> tuple[ArmedFault, ...]:
        """The last rules that were spent, oldest first."""
        self._retire()
        with self._lock:
            return tuple(self._spent)

    def as_json(self) -> list[dict[str, object]]:
        """Return all armed rules and their counters as JSON values."""
        return [each.as_json() for each in self]

    def __iter__(self) -> Iterator[ArmedFault]:
        self._retire()
        with self._lock:
            return iter(tuple(self._armed.values()))

    def __len__(self) -> int:
        self._retire()
        return len(self._armed)

    def __repr__(self) -> str:
        return f"<Faults: {len(self)} armed>"

    def _arm(self, rules: Sequence[FaultRule]) -> tuple[ArmedFault, ...]:
        self._retire()
        with self._lock:
            if len(self._armed) + len(rules) > MAX_RULES:
                raise ValueError(f"At most {MAX_RULES} rules can be armed. Remove some first.")
            first = self._count + 1
            self._count += len(rules)
            added = tuple(
                ArmedFault(number=number, rule=rule) for number, rule in enumerate(rules, first)
            )
            self._armed.update((each.number, each) for each in added)
        for each in added:
            self._report("armed", each)
        return added

    def _retire(self) -> None:
        """Move spent rules out of the armed ones; a storm ends without a request."""
        if not self._armed:
            return
        now = self._clock()
        with self._lock:
            spent = [each for each in self._armed.values() if each.is_spent(now)]
            for each in spent:
                del self._armed[each.number]
            self._spent.extend(spent)
        for each in spent:
            self._report("spent", each)

    def _report(self, change: Change, fault: ArmedFault | None) -> None:
        # Without the lock, because the receiver may read the rules.
        self._on_change({"change": change, "fault": None if fault is None else fault.as_json()})
