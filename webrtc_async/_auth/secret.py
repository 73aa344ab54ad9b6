"""`Secret` and `RotatingSecret`: secrets that no repr, log or pickle shows."""

import hmac
import inspect
import os
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn, cast

from attrs import frozen

from webrtc_async._config.validation import check_text, text_problem
from webrtc_async._protocol.redaction import HiddenStr
from webrtc_async.errors import ConfigurationError, WebRtcError

SecretProvider = Callable[[], str | Awaitable[str]]
"""A function or coroutine function that returns the current secret."""


class Secret:
    """A text that no repr, log or pickle shows."""

    __slots__ = ("_value",)

    rotates: Final = False
    """True if each read may return another secret."""

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the text."""
        return self._value

    async def read(self) -> str:
        """Return the text."""
        return self._value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, others = (each.reveal().encode("utf-8", "surrogatepass") for each in (self, other))
        return hmac.compare_digest(mine, others)

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "<hidden>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "A secret cannot be pickled. Use a reference that can, such as "
            'EnvironmentSecret("BW_PASSWORD"), or read it in the other process with '
            "AsyncWebRtcClient.from_env()."
        )


@frozen
class EnvironmentSecret:
    """A provider that reads a secret from an environment variable at each call.

    It pickles as the variable's name, so that another process reads its own environment.

    Attributes:
        variable: The variable's name.

    Raises:
        ConfigurationError: The variable is not set when it is read.
    """

    variable: str

    def __call__(self) -> str:
        """Return the variable's value."""
        value = os.environ.get(self.variable, "")
        if not value:
            raise ConfigurationError(f"The environment variable {self.variable} is not set.")
        return value


@frozen
class RotatingSecret:
    """A secret that a provider returns each time it is needed.

    It pickles if its provider does, as a module's function does by name.

    Attributes:
        name: The secret's name in errors.
        provider: Returns the current secret.
    """

    name: str
    provider: SecretProvider

    rotates: Final = True
    """True if each read may return another secret."""

    async def read(self) -> str:
        """Return the current secret.

        Raises:
            ConfigurationError: The provider failed or returned an unusable value.
        """
        try:
            value = self.provider()
            if inspect.isawaitable(value):
                value = await value
        except WebRtcError:
            raise
        except Exception as error:
            # The provider's message may quote the secret; the cause keeps it for the traceback.
            raise ConfigurationError(
                f"the provider of the {self.name} failed with {type(error).__name__}."
            ) from error
        if problem := text_problem(self.name, value):
            del value  # a debugger shows the variables of a failure
            raise ConfigurationError(problem)
        return HiddenStr(value)

    def __repr__(self) -> str:
        return f"<{self.name} from {_named(self.provider)}>"


def as_secret(name: str, value: object) -> Secret | RotatingSecret:
    """Return a text or a provider as a secret for credentials.

    Raises:
        ConfigurationError: It is neither, or the text is empty or has control characters.
    """
    if isinstance(value, RotatingSecret):
        return value
    if callable(value):
        return RotatingSecret(name, cast("SecretProvider", value))
    secret = value if isinstance(value, Secret) else Secret(check_text(name, value))
    check_text(name, secret.reveal())
    return secret


def _named(provider: SecretProvider) -> str:
    if isinstance(provider, EnvironmentSecret):
        return provider.variable
    return getattr(provider, "__qualname__", type(provider).__name__)
