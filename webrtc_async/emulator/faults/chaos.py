"""Chaos profiles: fault rules for a bad day, by name and with documented numbers.

The numbers are no measurements of the service. They are high enough to show in a few hundred
requests, and low enough for an app with retries to go on.
"""

from collections.abc import Mapping
from typing import Final

from attrs import evolve, frozen

from webrtc_async.emulator.faults.check import shown
from webrtc_async.emulator.faults.delay import RandomDelay
from webrtc_async.emulator.faults.rule import FaultRule


@frozen(kw_only=True)
class Profile:
    """A chaos profile.

    Attributes:
        says: Its numbers in words.
        rules: Its fault rules. Of several faults for a request the first counts, so each
            probability is that of the requests that the rules before it have passed.
    """

    says: str
    rules: tuple[FaultRule, ...]


PROFILES: Final[Mapping[str, Profile]] = {
    "slow": Profile(
        says="every response is late: half by over 0.3 s, 1 in 40 by over 1 s",
        rules=(FaultRule(delay=RandomDelay(0.3, 0.62)),),
    ),
    "flaky-gateway": Profile(
        says="the gateway responds to 2 % with 502, to 2 % with 503 (Retry-After: 1), and to 1 % "
        "with 504 after 3 s",
        rules=(
            FaultRule(probability=0.02, status=502, body="html"),
            FaultRule(probability=0.02, status=503, retry_after=1),
            FaultRule(probability=0.01, status=504, delay=3),
        ),
    ),
    "overload": Profile(
        says="over 20 requests a second get a 429; all responses are late, half by over 0.2 s and "
        "1 in 40 by over 1 s",
        rules=(FaultRule(limit=20, window=1), FaultRule(delay=RandomDelay(0.2, 0.83))),
    ),
    "lost-connections": Profile(
        says="2 % of the requests lose their connection before the operation, 2 % after it, and "
        "1 % within the response",
        rules=(
            FaultRule(probability=0.02, drop="reset"),
            FaultRule(probability=0.02, lose_answer="reset"),
            FaultRule(probability=0.01, truncate=20),
        ),
    ),
    "outage": Profile(
        says="from the first request on, 502, 503 and 504 for 30 s",
        rules=(FaultRule(storm=30),),
    ),
    "bad-day": Profile(
        says="1 % get a 500, 2 % a 503 and 1 % a 504 after 3 s; 1 % lose their response after the "
        "operation; over 50 requests a second get a 429; all responses are late, half by over "
        "0.1 s and 1 in 40 by over 0.5 s",
        rules=(
            FaultRule(limit=50, window=1),
            FaultRule(probability=0.01, status=500),
            FaultRule(probability=0.02, status=503),
            FaultRule(probability=0.01, status=504, delay=3),
            FaultRule(probability=0.01, lose_answer="reset"),
            FaultRule(delay=RandomDelay(0.1, 0.83)),
        ),
    ),
}
"""All profiles by name."""


def chaos_rules(profile: str, *, seed: int | None = None) -> tuple[FaultRule, ...]:
    """Return the fault rules of a profile.

    Args:
        profile: Its name.
        seed: Makes the faults repeatable for the same sequence of requests.

    Raises:
        ValueError: There is no such profile, or the seed is invalid; the text says which.
    """
    found = next((each for name, each in PROFILES.items() if name == profile), None)
    if found is None:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}, not {shown(profile)}.")
    if seed is None:
        return found.rules
    if type(seed) is not int or seed < 0:
        raise ValueError(f"seed must be a whole number from 0, not {shown(seed)}.")
    # Rules with one seed would affect the same requests.
    return tuple(
        evolve(rule, seed=seed * len(found.rules) + index) if rule.is_random else rule
        for index, rule in enumerate(found.rules)
    )
