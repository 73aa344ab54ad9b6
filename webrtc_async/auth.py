"""Credentials: Basic, a bearer token, and OAuth2 client credentials.

Bandwidth retires Basic API users on 2 December 2026; client credentials are what remains.
"""

import base64
import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NoReturn

import anyio
from attrs import define, field, frozen

from webrtc_async import codec
from webrtc_async.errors import (
    ConfigurationError,
    ConnectionFailedError,
    TransportError,
    UnauthorizedError,
    error_for_status,
)
from webrtc_async.outcome import Outcome
from webrtc_async.wire import WireRequest, WireResponse

TOKEN_URL: Final = "https://api.bandwidth.com/api/v1/oauth2/token"  # noqa: S105  # not a secret
"""Where Bandwidth gives out access tokens, as its current PHP SDK has it."""

RENEW_BEFORE: Final = 60.0
"""Seconds before its expiry from which an access token is no longer used."""

LONGEST_LIFETIME: Final = 86_400.0
"""Seconds after which an access token is renewed, whatever its expiry."""

Send = Callable[[WireRequest], Awaitable[WireResponse]]


class Secret:
    """A text that no repr, log or pickle gives away."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the text."""
        return self._value

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


def _secret(name: str, value: str | Secret) -> Secret:
    secret = value if isinstance(value, Secret) else Secret(value)
    _check_text(name, secret.reveal())
    return secret


def _password(value: str | Secret) -> Secret:
    return _secret("password", value)


def _bearer_token(value: str | Secret) -> Secret:
    return _secret("token", value)


def _client_secret(value: str | Secret) -> Secret:
    return _secret("client_secret", value)


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
        _check_text("username", self.username)
        if ":" in self.username:
            # RFC 7617, section 2: the first colon ends the user-id.
            raise ConfigurationError("The username has a colon, which Basic auth cannot carry.")

    async def authorization(self, send: Send) -> str:
        """Return the header; nothing is sent for it."""
        return _basic(self.username, self.password)


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
        if not _is_bearer_token(self.token.reveal()):
            raise ConfigurationError("The token has characters that a bearer token cannot have.")

    async def authorization(self, send: Send) -> str:
        """Return the header; nothing is sent for it."""
        return f"Bearer {self.token.reveal()}"


@define(eq=False)
class OAuth2ClientCredentials(Auth):
    """A client id and secret, exchanged for an access token that is kept until it nears its end.

    However many calls wait for a token, one request fetches it.

    Attributes:
        client_id: The client's id.
        client_secret: Its secret.
        token_url: Where tokens are given out.

    Raises:
        ConfigurationError: A value is empty, has control characters, or is not a URL.
    """

    client_id: str
    client_secret: Secret = field(converter=_client_secret)
    token_url: str = field(default=TOKEN_URL, kw_only=True)
    _token: Secret | None = field(default=None, init=False, repr=False)
    _usable_until: float = field(default=0.0, init=False, repr=False)
    _fetching: anyio.Lock = field(factory=anyio.Lock, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        _check_text("client_id", self.client_id)
        if not re.fullmatch(r"https?://[!-~]+", self.token_url):
            raise ConfigurationError("token_url must be an http or https URL.")

    async def authorization(self, send: Send) -> str:
        """Return the header, fetching a token first if there is none that can still be used."""
        async with self._fetching:
            if self._token is None or anyio.current_time() >= self._usable_until:
                await self._fetch(send)
            assert self._token is not None  # noqa: S101  # _fetch sets it or raises
            return f"Bearer {self._token.reveal()}"

    async def _fetch(self, send: Send) -> None:
        request = WireRequest(
            method="POST",
            target=self.token_url,
            headers={
                "Authorization": _basic(self.client_id, self.client_secret),
                "Accept": "application/json",
                "Content-Type": "application/x-www-form-urlencoded",
            },
            content=b"grant_type=client_credentials",
        )
        asked_at = anyio.current_time()
        try:
            response = await send(request)
        except TransportError as error:
            raise ConnectionFailedError(
                f"no access token could be fetched: {error.message}"
            ) from error
        token, lifetime = _read_token(response)
        self._token = Secret(token)
        self._usable_until = asked_at + max(lifetime - RENEW_BEFORE, lifetime / 2)


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


def auth_from_env(environ: Mapping[str, str]) -> Auth:
    """Return the credentials that the environment holds; client credentials go before Basic.

    Raises:
        ConfigurationError: Neither pair is there, or half of one; the error names what is missing.
    """
    if environ.get("BW_CLIENT_ID") or environ.get("BW_CLIENT_SECRET"):
        return OAuth2ClientCredentials(
            from_env(environ, "BW_CLIENT_ID"),
            from_env(environ, "BW_CLIENT_SECRET"),
            token_url=environ.get("BW_TOKEN_URL") or TOKEN_URL,
        )
    if environ.get("BW_USERNAME") or environ.get("BW_PASSWORD"):
        return BasicAuth(from_env(environ, "BW_USERNAME"), from_env(environ, "BW_PASSWORD"))
    raise ConfigurationError(
        "No credentials in the environment: set BW_CLIENT_ID and BW_CLIENT_SECRET, or BW_USERNAME "
        "and BW_PASSWORD."
    )


def from_env(environ: Mapping[str, str], name: str) -> str:
    """Return a variable that must be set.

    Raises:
        ConfigurationError: It is missing or empty.
    """
    value = environ.get(name, "")
    if not value:
        raise ConfigurationError(f"The environment variable {name} is not set.")
    return value


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise ConfigurationError(f"The {name} must be a str, not {type(value).__name__}.")
    if not value:
        raise ConfigurationError(f"The {name} is empty.")
    # RFC 7617, section 2: neither half of Basic credentials may have control characters.
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise ConfigurationError(f"The {name} has a control character in it, perhaps a line end.")


def _basic(name: str, secret: Secret) -> str:
    pair = f"{name}:{secret.reveal()}".encode("utf-8", "surrogatepass")
    return f"Basic {base64.b64encode(pair).decode('ascii')}"


def _is_bearer_token(value: str) -> bool:
    # RFC 6750, section 2.1.
    return re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", value) is not None


def _read_token(response: WireResponse) -> tuple[str, float]:
    fields = codec.read_object(response.content)
    if response.status != 200:
        # RFC 6749, 5.2: an error code, and perhaps a sentence for people.
        said = [fields.get("error"), fields.get("error_description")]
        reason = ": ".join(text[:200] for text in said if isinstance(text, str))
        kind = UnauthorizedError if response.status in {400, 401, 403} else None
        raise (kind or error_for_status(response.status))(
            f"the token endpoint answered {response.status}{f' ({reason})' if reason else ''}.",
            outcome=Outcome.NOT_SENT,
            status=response.status,
            reason=reason,
            headers=response.public_headers,
        )
    token, lifetime = fields.get("access_token"), fields.get("expires_in", 0)
    if not isinstance(token, str) or not _is_bearer_token(token):
        raise ConfigurationError("The token endpoint answered without a usable access_token.")
    seconds = lifetime if isinstance(lifetime, int | float) else 0.0
    # A whole number may be too long for a float; no token is kept for longer than a day.
    return token, float(min(max(seconds, 0.0), LONGEST_LIFETIME))
