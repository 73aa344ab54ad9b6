"""`RetryQuota`: a bound for the repetitions of all calls, so that a failing service is spared.

It is a token bucket, as in botocore's retries/quota.py: a repetition takes tokens, a success gives
some back, and an empty bucket lets failures through at once.
"""

from typing import Final

from attrs import define, field

from webrtc_async._config.validation import check_amount
from webrtc_async.errors import ApiError

CAPACITY: Final = 500

LOST_COST: Final = 14
"""Tokens for a repetition after a lost response, which held a slot until it failed."""

REJECTED_COST: Final = 5
"""Tokens for a repetition after an error status, which costs the service little."""


@define(eq=False)
class RetryQuota:
    """A token bucket that pays for repetitions; a client and its views share one, and clients may.

    A full bucket pays for 100 rejected or 35 lost attempts. A success gives one token back, or all
    that its last repetition took. Without successes nothing is given back, so 500 callers in a
    storm send at most 600 requests.

    Attributes:
        capacity: Tokens of a full bucket; `math.inf` for no bound, 0 for no repetitions.

    Raises:
        ConfigurationError: The capacity is not a number of at least 0.
    """

    capacity: float = CAPACITY
    _tokens: float = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        check_amount("RetryQuota.capacity", self.capacity)
        self._tokens = self.capacity

    @property
    def tokens(self) -> float:
        """The tokens left."""
        return self._tokens

    def take(self, error: BaseException) -> int:
        """Take the tokens for a repetition after this failure.

        Returns:
            The tokens taken; 0 if too few are left.
        """
        cost = REJECTED_COST if isinstance(error, ApiError) else LOST_COST
        if cost > self._tokens:
            return 0
        self._tokens -= cost
        return cost

    def give_back(self, tokens: int = 1) -> None:
        """Give tokens back after a success, up to the capacity."""
        if self._tokens < self.capacity:
            self._tokens = min(self.capacity, self._tokens + tokens)
