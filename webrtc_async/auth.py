"""Credentials: what an auth is, Basic, and a bearer token that somebody else renews."""

import base64
import hmac
import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import NoReturn

from attrs import field, frozen

from webrtc_async.errors import ConfigurationError
from webrtc_async.settings import check_text
from webrtc_async.wire import WireRequest, WireResponse

Send = Callable[[WireRequest], Awaitable[WireResponse]]


class Secret:
    """A text that no repr, log or pickle gives away."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
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
            "A secret is not pickled. In the other process, read it from its environment with "
            "AsyncWebRtcClient.from_env()."
        )


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
            Whether the next header will be another one, so that the call is worth repeating.
        """
        return False


def _password(value: str | Secret) -> Secret:
    return as_secret("password", value)


def _bearer_token(value: str | Secret) -> Secret:
    return as_secret("token", value)


@frozen
class BasicAuth(Auth):
    """A username and password, sent with every request as UTF-8.

    Attributes:
        username: The API user's name, without a colon.
        password: Its password.

    Raises:
        ConfigurationError: The username is empty or has a colon, or either has control characters.
    """

    username: str
    password: Secret = field(converter=_password)

    def __attrs_post_init__(self) -> None:
        check_text("username", self.username)
        if ":" in self.username:
            # RFC 7617, section 2: the first colon ends the user-id.
            raise ConfigurationError("The username has a colon, which Basic auth cannot carry.")

    async def authorization(self, send: Send) -> str:
        """Return the header; nothing is sent for it."""
        return basic_header(self.username, self.password)


@frozen
class BearerAuth(Auth):
    """An access token that somebody else renews.

    Attributes:
        token: The token.

    Raises:
        ConfigurationError: It cannot stand in a header.
    """

    token: Secret = field(converter=_bearer_token)

    def __attrs_post_init__(self) -> None:
        if not is_bearer_token(self.token.reveal()):
            raise ConfigurationError("The token has characters that a bearer token cannot have.")

    async def authorization(self, send: Send) -> str:
        """Return the header; nothing is sent for it."""
        return f"Bearer {self.token.reveal()}"


def as_secret(name: str, value: str | Secret) -> Secret:
    """Return a text as a secret that can stand in credentials.

    Raises:
        ConfigurationError: It is not text, empty, or has control characters.
    """
    secret = value if isinstance(value, Secret) else Secret(value)
    check_text(name, secret.reveal())
    return secret


def as_auth(auth: object) -> Auth:
    """Return credentials as an `Auth`; a pair is a username and password.

    Raises:
        ConfigurationError: It is neither.
    """
    if isinstance(auth, Auth):
        return auth
    match auth:
        case (str(username), str(password)):
            return BasicAuth(username, password)
        case _:
            raise ConfigurationError(
                'auth must be ("username", "password"), BasicAuth, BearerAuth or '
                f"OAuth2ClientCredentials, not {type(auth).__name__}."
            )


def basic_header(name: str, secret: Secret) -> str:
    """Return the Authorization header for a pair; the first half may have no colon."""
    pair = f"{name}:{secret.reveal()}".encode("utf-8", "surrogatepass")
    return f"Basic {base64.b64encode(pair).decode('ascii')}"


def is_bearer_token(value: str) -> bool:
    """Whether a text can be a bearer token."""
    # RFC 6750, section 2.1.
    return re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", value) is not None
