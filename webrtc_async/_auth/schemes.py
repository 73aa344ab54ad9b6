"""Credentials: what an auth is, Basic, and a bearer token that somebody else renews."""

import base64
import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable

from attrs import field, frozen

from webrtc_async._auth.secret import RotatingSecret, Secret, SecretProvider, as_secret
from webrtc_async._config.validation import check_text
from webrtc_async._protocol.redaction import HiddenStr
from webrtc_async._protocol.wire import WireRequest, WireResponse
from webrtc_async.errors import ConfigurationError

Send = Callable[[WireRequest], Awaitable[WireResponse]]


class Auth(ABC):
    """What proves who the caller is."""

    @abstractmethod
    async def authorization(self, send: Send) -> str:
        """Return the Authorization header for the next attempt.

        Args:
            send: Sends a request of the credentials' own, inside the deadline of the call.

        Raises:
            UnauthorizedError: The credentials are refused.
            ConnectionFailedError: They could not be checked; nothing of the call was sent.
        """

    def forget(self, authorization: str) -> bool:
        """Give up what made this header, which the service has refused with 401.

        Returns:
            Whether the next header may be another one; only then is it asked for, and only if it
            is another one is the call repeated.
        """
        return False


AnySecret = str | Secret | RotatingSecret | SecretProvider
"""A secret as a caller gives it."""


def _password(value: AnySecret) -> Secret | RotatingSecret:
    return as_secret("password", value)


def _bearer_token(value: AnySecret) -> Secret | RotatingSecret:
    return as_secret("token", value)


@frozen
class BasicAuth(Auth):
    """A username and password, sent with every request as UTF-8.

    Attributes:
        username: The API user's name, without a colon.
        password: Its password, or a function or coroutine function that returns it.

    Raises:
        ConfigurationError: The username is empty or has a colon, or either has control characters.
    """

    username: str
    password: Secret | RotatingSecret = field(converter=_password)
    _header: str = field(default="", init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        check_text("username", self.username)
        if ":" in self.username:
            # RFC 7617, section 2: the first colon ends the user-id.
            raise ConfigurationError("The username has a colon, which Basic auth cannot carry.")
        if isinstance(self.password, Secret):
            header = basic_header(self.username, self.password.reveal())
            object.__setattr__(self, "_header", HiddenStr(header))

    async def authorization(self, send: Send) -> str:
        """Return the header; nothing is sent for it."""
        return self._header or basic_header(self.username, await self.password.read())

    def forget(self, authorization: str) -> bool:
        """Return whether the password is asked for anew."""
        return self.password.rotates


@frozen
class BearerAuth(Auth):
    """An access token that somebody else renews.

    Attributes:
        token: The token, or a function or coroutine function that returns it.

    Raises:
        ConfigurationError: It cannot stand in a header.
    """

    token: Secret | RotatingSecret = field(converter=_bearer_token)
    _header: str = field(default="", init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        if isinstance(self.token, Secret):
            header = f"Bearer {_check_bearer(self.token.reveal())}"
            object.__setattr__(self, "_header", HiddenStr(header))

    async def authorization(self, send: Send) -> str:
        """Return the header; nothing is sent for it."""
        return self._header or f"Bearer {_check_bearer(await self.token.read())}"

    def forget(self, authorization: str) -> bool:
        """Return whether the token is asked for anew."""
        return self.token.rotates


def as_auth(auth: object) -> Auth:
    """Return credentials as an `Auth`; a pair is a username and password.

    Raises:
        ConfigurationError: It is neither, or a half of the pair cannot be used.
    """
    if isinstance(auth, Auth):
        return auth
    match auth:
        case (object() as username, object() as password):
            return BasicAuth(check_text("username", username), check_text("password", password))
        case _:
            raise ConfigurationError(
                'auth must be ("username", "password"), BasicAuth, BearerAuth or '
                f"OAuth2ClientCredentials, not {type(auth).__name__}."
            )


def basic_header(name: str, secret: str) -> str:
    """Return the Authorization header for a pair; the first half may have no colon."""
    pair = f"{name}:{secret}".encode("utf-8", "surrogatepass")
    return f"Basic {base64.b64encode(pair).decode('ascii')}"


def is_bearer_token(value: str) -> bool:
    """Whether a text can be a bearer token."""
    # RFC 6750, section 2.1.
    return re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", value) is not None


def _check_bearer(token: str) -> str:
    if not is_bearer_token(token):
        raise ConfigurationError("The token has characters that a bearer token cannot have.")
    return token
