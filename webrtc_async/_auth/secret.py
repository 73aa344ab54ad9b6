"""Secrets: held so that nothing gives them away, or read anew whenever they are needed."""

import hmac
import inspect
import os
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn, cast

from attrs import frozen

from webrtc_async._config.validation import check_text
from webrtc_async.errors import ConfigurationError, WebRtcError

SecretProvider = Callable[[], str | Awaitable[str]]
"""A function or coroutine function that returns the secret of the moment."""


class Secret:
    """A text that no repr, log or pickle gives away."""

    __slots__ = ("_value",)

    rotates: Final = False
    """Whether it may be another one the next time it is read."""

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
            "A secret is not pickled. Give a reference that pickles, such as "
            'EnvironmentSecret("BW_PASSWORD"), or read it in the other process with '
            "AsyncWebRtcClient.from_env()."
        )


@frozen
class EnvironmentSecret:
    """A provider that reads a variable of the environment, whenever it is asked.

    It pickles as the variable's name, so that another process reads its own.

    Attributes:
        variable: The variable's name.

    Raises:
        ConfigurationError: When it is asked and the variable is not set.
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
    """A secret that its provider is asked for, each time that it is needed.

    It pickles if its provider does, as a function of a module does by its name.

    Attributes:
        name: What the errors call it.
        provider: Returns it.
    """

    name: str
    provider: SecretProvider

    rotates: Final = True
    """Whether it may be another one the next time it is read."""

    async def read(self) -> str:
        """Return the secret of the moment.

        Raises:
            ConfigurationError: The provider failed, or gave what cannot be a secret.
        """
        try:
            value = self.provider()
            if inspect.isawaitable(value):
                value = await value
        except WebRtcError:
            raise
        except Exception as error:
            # Its text may quote the secret, so it is left to the traceback of whoever wrote it.
            raise ConfigurationError(
                f"the provider of the {self.name} failed with {type(error).__name__}."
            ) from error
        return check_text(self.name, value)

    def __repr__(self) -> str:
        return f"<{self.name} from {_named(self.provider)}>"


def as_secret(name: str, value: object) -> Secret | RotatingSecret:
    """Return a text or a provider as a secret that can stand in credentials.

    Raises:
        ConfigurationError: It is neither, or a text that is empty or has control characters.
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
