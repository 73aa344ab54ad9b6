"""What can go wrong with whole conferences; drawn in the tree of `webrtc_async.errors`."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, Self, cast

from webrtc_async.conferences.resource import Resource
from webrtc_async.errors import ApiError, CreateRolledBackError, WebRtcError
from webrtc_async.errors.outcome import Outcome

MOST_SHOWN: Final = 3
"""Failures and leaked resources that a text shows; the attributes have them all."""


class JournalError(WebRtcError):
    """A journal of set-ups cannot be read or written; nothing further is begun."""


class ConferenceError(  # pyright: ignore[reportIncompatibleVariableOverride]
    WebRtcError, ExceptionGroup[WebRtcError]
):
    """A conference could not be set up or torn down: a group of the failures that ended it.

    `except* RateLimitedError` takes those of one kind out of it.

    Attributes:
        leaked: What is not known to be deleted; the service deletes it after nine hours.
    """

    # As the root has it: that of ExceptionGroup cannot be set.
    message = ""  # pyright: ignore[reportIncompatibleMethodOverride]

    def __new__(cls, message: str, errors: Sequence[WebRtcError], **_: object) -> Self:
        """Make the group; what else is given is the initializer's."""
        return super().__new__(cls, message, errors)

    def __init__(  # pyright: ignore[reportInconsistentConstructor]
        self,
        message: str,
        errors: Sequence[WebRtcError],
        *,
        leaked: Sequence[Resource] = (),
        operation: str = "",
        outcome: Outcome = Outcome.NOT_SENT,
    ) -> None:
        worst = max([outcome, *(error.outcome for error in errors)])
        super().__init__(message, operation=operation, outcome=worst)
        # The root leaves the message alone there, and a pickle needs all that made the group.
        self.args = (message, list(errors))
        self.leaked = tuple(leaked)

    def derive(self, errors: Sequence[Any], /) -> Any:
        """Return the same failure with a part of its errors, as `except*` needs it."""
        part = type(self)(self.message, errors)
        vars(part).update(vars(self))
        return part

    def __str__(self) -> str:
        text = f"{self.operation}: {self.message}" if self.operation else self.message
        return " ".join([text, *_first(self.exceptions), self._consequence])

    @property
    def _consequence(self) -> str:
        if not self.leaked:
            return "Nothing that is known of is left."
        return f"Not known to be deleted: {', '.join(_first(self.leaked))}."


class SetupError(ConferenceError):
    """A conference could not be set up, and what existed of it was deleted.

    Attributes:
        created: Everything that was known to exist, newest last.
        rollback: The failures of deletes; the cause is in `exceptions` alone.
    """

    def __init__(  # pyright: ignore[reportInconsistentConstructor]
        self,
        message: str,
        errors: Sequence[WebRtcError],
        *,
        leaked: Sequence[Resource] = (),
        operation: str = "",
        outcome: Outcome = Outcome.NOT_SENT,
        created: Sequence[Resource] = (),
        rollback: Sequence[WebRtcError] = (),
    ) -> None:
        super().__init__(message, errors, leaked=leaked, operation=operation, outcome=outcome)
        self.created = tuple(created)
        self.rollback = tuple(rollback)

    @property
    def unknown(self) -> tuple[WebRtcError, ...]:
        """The failures of creates that may have made something whose id did not arrive."""
        failures = cast("tuple[WebRtcError, ...]", self.exceptions)
        return tuple(error for error in failures if may_have_created(error))

    @property
    def _consequence(self) -> str:
        text = super()._consequence
        if self.unknown:
            text += f" Creates that may have made what nobody has the id of: {len(self.unknown)}."
        return text


class ConferenceOverError(WebRtcError, RuntimeError):
    """A conference was used after its tear-down had begun; nothing was sent."""


class TeardownError(ConferenceError):
    """A conference could not be deleted whole."""


def may_have_created(failure: WebRtcError) -> bool:
    """Whether a failed create may have made something whose id did not arrive."""
    if not failure.operation.startswith("create") or failure.outcome is Outcome.NOT_SENT:
        return False
    if isinstance(failure, CreateRolledBackError):
        return False
    return failure.outcome is Outcome.UNKNOWN or not isinstance(failure, ApiError)


def _first(values: Sequence[object]) -> list[str]:
    # Requests that are under way together often fail alike.
    times = Counter(map(str, values))
    shown = [
        text if count == 1 else f"{text} ({count} times)"
        for text, count in list(times.items())[:MOST_SHOWN]
    ]
    more = len(values) - sum(list(times.values())[:MOST_SHOWN])
    return [*shown, *([f"and {more} more"] if more > 0 else [])]
