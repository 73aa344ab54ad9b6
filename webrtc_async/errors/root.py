"""The root of all errors, and the errors that are raised before anything is sent."""

from dataclasses import KW_ONLY, dataclass, field

from webrtc_async.errors.outcome import Orphan, Outcome


# Not attrs, which would put every argument into args, where only the message belongs.
@dataclass(eq=False, repr=False)
class WebRtcError(Exception):
    """Root of all errors that this package raises at run time.

    The text says what failed, what may have happened at the service, and what to do.

    Attributes:
        message: The failure, without the operation and the outcome.
        operation: The API's name of the operation, such as "createSession"; empty outside a call.
        outcome: The effect that the call may have had at the service, over all its attempts.
        attempts: Attempts that the call began; 0 if it was refused before the first.
        orphan: The resource that a failed create may have left; None if there can be none.
        ends_call: True if the failed request was already repeated for all calls that need it.
    """

    message: str
    _: KW_ONLY
    operation: str = ""
    outcome: Outcome = Outcome.NOT_SENT
    attempts: int = field(default=0, init=False)
    orphan: Orphan | None = field(default=None, init=False)
    ends_call: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        super().__init__(self.message)

    def __str__(self) -> str:
        failed = f"{self.operation}: {self.message}" if self.operation else self.message
        attempt = f"This was attempt {self.attempts}." if self.attempts > 1 else ""
        parts = (failed, attempt, self._details, self._consequence, self._orphan, self._advice)
        return " ".join(part for part in parts if part)

    @property
    def _details(self) -> str:
        return ""

    @property
    def _consequence(self) -> str:
        if self.outcome is not Outcome.UNKNOWN:
            return ""
        return "A response was lost, so the operation may have been carried out."

    @property
    def _orphan(self) -> str:
        if self.orphan is None:
            return ""
        return f"The resource may exist {self.orphan}. Look for it before you create another."

    @property
    def _advice(self) -> str:
        return ""


class ConfigurationError(WebRtcError, ValueError):
    """A setting is missing or cannot work; nothing was sent."""


class InvalidArgumentError(WebRtcError, ValueError):
    """An argument of a call cannot be sent; nothing was sent."""


class ClientClosedError(WebRtcError, RuntimeError):
    """The client was closed before or during the call: `outcome` says which."""


class RouteMismatchError(TypeError):
    """A declared signature disagrees with its route; raised at import."""
