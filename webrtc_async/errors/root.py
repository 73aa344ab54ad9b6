"""The root of every error, and what is wrong before anything is sent."""

from dataclasses import KW_ONLY, dataclass, field

from webrtc_async.errors.outcome import Orphan, Outcome


# Not attrs, which would have every argument in args, where only the message belongs.
@dataclass(eq=False, repr=False)
class WebRtcError(Exception):
    """Root of everything this package raises at run time.

    Attributes:
        message: What went wrong, without the operation and the outcome.
        operation: The API's name of the operation, such as "createSession"; empty outside a call.
        outcome: What may have happened at the service, over all attempts of the call.
        attempts: How many attempts the call had begun; 0 when it was refused before the first.
        orphan: After a create, how to find what it may have made without telling anyone; None
            where there can be nothing.
    """

    message: str
    _: KW_ONLY
    operation: str = ""
    outcome: Outcome = Outcome.NOT_SENT
    attempts: int = field(default=0, init=False)
    orphan: Orphan | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        super().__init__(self.message)

    def __str__(self) -> str:
        text = f"{self.operation}: {self.message}" if self.operation else self.message
        if self.attempts > 1:
            text += f" This was attempt {self.attempts}."
        if self.outcome is Outcome.UNKNOWN and type(self).outcome is not Outcome.UNKNOWN:
            text += " An answer was lost, so the operation may have been carried out."
        if self.orphan is not None:
            text += f" What it may have made is {self.orphan}."
        return text


class ConfigurationError(WebRtcError, ValueError):
    """A setting is missing or cannot work; nothing was sent."""


class InvalidArgumentError(WebRtcError, ValueError):
    """An argument of a call cannot be sent; nothing was sent."""


class ClientClosedError(WebRtcError, RuntimeError):
    """The client was closed before the call, or while it was under way: .outcome says which."""


class RouteMismatchError(TypeError):
    """A declared signature disagrees with its route; raised while the module is imported."""
