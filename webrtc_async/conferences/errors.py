"""Errors of whole conferences; the tree is drawn in `webrtc_async.errors`."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, Self, cast

from webrtc_async.conferences.in_doubt import InDoubt
from webrtc_async.conferences.resource import Resource
from webrtc_async.errors import ApiError, CreateRolledBackError, WebRtcError
from webrtc_async.errors.outcome import Outcome

OPERATION: Final = "conference"
"""The operation in the errors of conferences."""

MAX_SHOWN: Final = 3
"""Failures and resources that an error text lists; the attributes hold all of them."""


class JournalError(WebRtcError):
    """A journal cannot be read or written; nothing more is started."""


class ConferenceError(  # pyright: ignore[reportIncompatibleVariableOverride]
    WebRtcError, ExceptionGroup[WebRtcError]
):
    """The group of failures that ended the set-up or tear-down of a conference.

    `except* RateLimitedError` takes the failures of one kind out of it.

    Attributes:
        not_deleted: Resources that may still exist; the service deletes them after nine hours.
    """

    # As the root has it: that of ExceptionGroup cannot be set.
    message = ""  # pyright: ignore[reportIncompatibleMethodOverride]

    def __new__(cls, message: str, errors: Sequence[WebRtcError], **_: object) -> Self:
        """Make the group; the initializer takes the other arguments."""
        return super().__new__(cls, message, errors)

    def __init__(  # pyright: ignore[reportInconsistentConstructor]
        self,
        message: str,
        errors: Sequence[WebRtcError],
        *,
        not_deleted: Sequence[Resource] = (),
        operation: str = "",
        outcome: Outcome = Outcome.NOT_SENT,
    ) -> None:
        worst = max([outcome, *(error.outcome for error in errors)])
        super().__init__(message, operation=operation, outcome=worst)
        # The root keeps only the message there, and a pickle needs both arguments of the group.
        self.args: tuple[Any, ...] = (message, list(errors))
        self.not_deleted: tuple[Resource, ...] = tuple(not_deleted)

    def derive(self, errors: Sequence[Any], /) -> Any:
        """Return the same error with some of its failures, as `except*` needs it."""
        part = type(self)(self.message, errors)
        vars(part).update(vars(self))
        return part

    def __str__(self) -> str:
        text = f"{self.operation}: {self.message}" if self.operation else self.message
        return " ".join([text, *_first(self.exceptions), self._consequence])

    @property
    def _consequence(self) -> str:
        if not self.not_deleted:
            return "No known resource is left."
        return f"May still exist: {', '.join(_first(self.not_deleted))}. Delete by id."


class SetupError(ConferenceError):
    """The set-up of a conference failed, and the resources that it created were deleted.

    Attributes:
        created: The resources that were created, newest last.
        in_doubt: The sessions and participants that may exist, with their tags and times.
        rollback: The failures of deletions; `exceptions` holds only the failures of the set-up.
    """

    def __init__(  # pyright: ignore[reportInconsistentConstructor]
        self,
        message: str,
        errors: Sequence[WebRtcError],
        *,
        not_deleted: Sequence[Resource] = (),
        operation: str = "",
        outcome: Outcome = Outcome.NOT_SENT,
        created: Sequence[Resource] = (),
        rollback: Sequence[WebRtcError] = (),
        in_doubt: Sequence[InDoubt] = (),
    ) -> None:
        super().__init__(
            message, errors, not_deleted=not_deleted, operation=operation, outcome=outcome
        )
        self.created: tuple[Resource, ...] = tuple(created)
        self.rollback: tuple[WebRtcError, ...] = tuple(rollback)
        self.in_doubt: tuple[InDoubt, ...] = tuple(in_doubt)

    @property
    def maybe_created(self) -> tuple[WebRtcError, ...]:
        """The failures of creates that may have created a resource whose id did not arrive."""
        failures = cast("tuple[WebRtcError, ...]", self.exceptions)
        return tuple(error for error in failures if may_have_created(error))

    @property
    def _consequence(self) -> str:
        text = super()._consequence
        if self.maybe_created:
            text += f" Resources that may exist without a known id: {len(self.maybe_created)}."
        return text


class ConferenceOverError(WebRtcError, RuntimeError):
    """A conference was used after its tear-down began; nothing was sent."""


class TeardownError(ConferenceError):
    """The tear-down of a conference left some of its resources."""


def may_have_created(failure: WebRtcError) -> bool:
    """Return whether a failed create may have created a resource whose id did not arrive."""
    if not failure.operation.startswith("create") or failure.outcome is Outcome.NOT_SENT:
        return False
    if isinstance(failure, CreateRolledBackError):
        return False
    return failure.outcome is Outcome.UNKNOWN or not isinstance(failure, ApiError)


def _first(values: Sequence[object]) -> list[str]:
    # Concurrent requests often fail alike, so equal texts are listed once.
    times = Counter(map(str, values))
    shown = [
        text if count == 1 else f"{text} ({count} times)"
        for text, count in list(times.items())[:MAX_SHOWN]
    ]
    more = len(values) - sum(list(times.values())[:MAX_SHOWN])
    return [*shown, *([f"and {more} more"] if more > 0 else [])]
