"""`Auth`, `BasicAuth` and `BearerAuth`: the credentials of a client."""

import base64
import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable

from attrs import field, frozen

from webrtc_async._auth.secret import RotatingSecret, Secret, SecretProvider, as_secret
from webrtc_async._config.validation import check_text
from webrtc_async._protocol.hidden_frames import hide_frames, hide_init_frames
from webrtc_async._protocol.redaction import HiddenStr
from webrtc_async._protocol.wire import WireRequest, WireResponse
from webrtc_async.errors import ConfigurationError

Send = Callable[[WireRequest], Awaitable[WireResponse]]


class Auth(ABC):
    """Credentials that make the Authorization header of each attempt."""

    @abstractmethod
    async def authorization(self, send: Send) -> str:
        """Return the Authorization header for the next attempt.

        Args:
            send: Sends a request for the credentials, within the deadline of the call.

        Raises:
            UnauthorizedError: The credentials were rejected.
            ConnectionFailedError: They could not be checked; nothing of the call was sent.
        """

    def forget(self, authorization: str) -> bool:
        """Drop the credentials of a header that the service rejected with 401.

        Returns:
            True if new credentials may be available. The call is repeated if the next header
            differs.
        """
        return False


AnySecret = str | Secret | RotatingSecret | SecretProvider
"""A secret in any form that callers may give it."""


def _password(value: AnySecret) -> Secret | RotatingSecret:
    return as_secret("password", value)


def _bearer_token(value: AnySecret) -> Secret | RotatingSecret:
    return as_secret("token", value)


@hide_init_frames
@frozen
class BasicAuth(Auth):
    """A username and password, sent with every request as UTF-8.

    Attributes:
        username: The API user's name, without a colon.
        password: The password, or a function or coroutine function that returns it.

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
        """Return the header without sending a request."""
        return self._header or basic_header(self.username, await self.password.read())

    def forget(self, authorization: str) -> bool:
        """Return True if a provider may return another password."""
        return self.password.rotates


@hide_init_frames
@frozen
class BearerAuth(Auth):
    """An access token that your own code renews.

    Attributes:
        token: The token, or a function or coroutine function that returns it.

    Raises:
        ConfigurationError: The token cannot be sent in a header.
    """

    token: Secret | RotatingSecret = field(converter=_bearer_token)
    _header: str = field(default="", init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        if isinstance(self.token, Secret):
            header = f"Bearer {_check_bearer(self.token.reveal())}"
            object.__setattr__(self, "_header", HiddenStr(header))

    async def authorization(self, send: Send) -> str:
        """Return the header without sending a request."""
        return self._header or f"Bearer {_check_bearer(await self.token.read())}"

    def forget(self, authorization: str) -> bool:
        """Return True if a provider may return another token."""
        return self.token.rotates


@hide_frames
def as_auth(auth: object) -> Auth:
    """Return credentials as an `Auth`; a pair is a username and password.

    Raises:
        ConfigurationError: It is neither, or half of the pair cannot be used.
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
    """Return the Basic Authorization header of a name and a secret."""
    pair = f"{name}:{secret}".encode("utf-8", "surrogatepass")
    return f"Basic {base64.b64encode(pair).decode('ascii')}"


def is_bearer_token(value: str) -> bool:
    """Return True if a text can be a bearer token."""
    # RFC 6750, section 2.1, has fewer characters, but servers grant tokens with | and :, too. A
    # quote, a comma or a backslash would not survive every reader of a header.
    return re.fullmatch(r"[!#-+.-<>-\[\]-~-]+=*", value) is not None


def _check_bearer(token: str) -> str:
    if not is_bearer_token(token):
        raise ConfigurationError("The token has characters that a bearer token cannot have.")
    return token
