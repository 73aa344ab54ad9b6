"""How much repeating a client may do in all, so that a dead service is not sent thrice as much.

A bucket of tokens, as botocore has it (its retries/quota.py): a repetition takes some, a success
gives some back, and when it is empty, failures are raised at once.
"""

from typing import Final

from attrs import define, field

from webrtc_async._config.validation import check_amount
from webrtc_async.errors import ApiError

CAPACITY: Final = 500

LOST_COST: Final = 14
"""Tokens for a repetition after no answer, which held a place until it failed."""

REFUSED_COST: Final = 5
"""Tokens for a repetition after a refusal, which the service gave cheaply."""


@define(eq=False)
class RetryQuota:
    """Tokens that repetitions are paid with; a client and its views share one, and clients may.

    Full, it lets 100 refused or 35 lost attempts be repeated. Every success gives one token back,
    or all that its last repetition took. While nothing succeeds, nothing is given back, so a storm
    of 500 callers is sent at most 600 requests.

    Attributes:
        capacity: Tokens when it is full; `math.inf` for no bound, 0 to repeat nothing.

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
        """How many tokens there are."""
        return self._tokens

    def take(self, error: BaseException) -> int:
        """Take what a repetition after this failure costs.

        Returns:
            The tokens taken; 0 when there are too few.
        """
        cost = REFUSED_COST if isinstance(error, ApiError) else LOST_COST
        if cost > self._tokens:
            return 0
        self._tokens -= cost
        return cost

    def give_back(self, tokens: int = 1) -> None:
        """Give tokens back after a success; a full bucket stays as it is."""
        if self._tokens < self.capacity:
            self._tokens = min(self.capacity, self._tokens + tokens)
