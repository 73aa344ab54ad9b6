"""`OAuth2ClientCredentials` (RFC 6749, section 4.4): a client id and secret for access tokens.

Bandwidth retires Basic API users on 2 December 2026, and then only these credentials work.
"""

import copy
import re
import time
from collections.abc import Callable
from typing import Final

import anyio
from anyio.lowlevel import RunVar
from attrs import define, field

from webrtc_async._auth.schemes import AnySecret, Auth, Send, basic_header, is_bearer_token
from webrtc_async._auth.secret import RotatingSecret, Secret, as_secret
from webrtc_async._codec import model_codec as codec
from webrtc_async._config.environment import TOKEN_URL
from webrtc_async._config.validation import check_text, check_url
from webrtc_async._protocol.redaction import HiddenStr, excerpt, public_headers, secrets_in
from webrtc_async._protocol.retry_after import read_retry_after
from webrtc_async._protocol.wire import WireRequest, WireResponse, error_for_status
from webrtc_async.errors import (
    ApiError,
    ConfigurationError,
    ConnectionFailedError,
    TlsError,
    TransportError,
    UnauthorizedError,
    UnexpectedResponseError,
    WebRtcError,
)
from webrtc_async.errors.outcome import Outcome

RENEW_BEFORE: Final = 60.0
"""Seconds before its expiry at which an access token is renewed."""

LONGEST_LIFETIME: Final = 86_400.0
"""Most seconds that an access token is used."""


def _credentials(
    client_id: str, client_secret: RotatingSecret, token_url: str
) -> "OAuth2ClientCredentials":
    return OAuth2ClientCredentials(client_id, client_secret, token_url=token_url)


def _client_secret(value: AnySecret) -> Secret | RotatingSecret:
    return as_secret("client_secret", value)


@define(eq=False)
class OAuth2ClientCredentials(Auth):
    """A client id and secret that are exchanged for an access token, renewed before its expiry.

    One request fetches a token for all calls that wait for it; if it fails, they all fail. When
    the service rejects a token, the token is dropped and the call is repeated once with a new one.
    Clients may share an instance. It pickles, without its access token, if its secret does.

    Attributes:
        client_id: The client's id.
        client_secret: The secret, or a function or coroutine function that returns it.
        token_url: URL of the token endpoint.
        clock: Returns the time in seconds; for tests.

    Raises:
        ConfigurationError: A value is empty, has control characters, or is not a URL.
    """

    client_id: str
    client_secret: Secret | RotatingSecret = field(converter=_client_secret)
    token_url: str = field(default=TOKEN_URL, kw_only=True)
    clock: Callable[[], float] = field(default=time.monotonic, kw_only=True, repr=False)
    _token: Secret | None = field(default=None, init=False, repr=False)
    _usable_until: float = field(default=0.0, init=False, repr=False)
    _fetches: int = field(default=0, init=False, repr=False)
    _failure: WebRtcError | None = field(default=None, init=False, repr=False)
    # One lock for each event loop, because clients in several loops may share the credentials.
    _lock: RunVar[anyio.Lock] = field(
        factory=lambda: RunVar[anyio.Lock]("lock"), init=False, repr=False
    )

    def __attrs_post_init__(self) -> None:
        check_text("client_id", self.client_id)
        if "#" in check_url(self.token_url, "token_url").geturl():
            raise ConfigurationError("token_url must not have a fragment.")

    def __reduce__(self) -> tuple[object, ...]:
        # The other process fetches an access token of its own.
        return _credentials, (self.client_id, self.client_secret, self.token_url)

    async def authorization(self, send: Send) -> str:
        """Return the header, after fetching a token if none is usable."""
        token = self._usable_token()
        if token is None:
            token = await self._fetched(send)
        return f"Bearer {token.reveal()}"

    def forget(self, authorization: str) -> bool:
        """Drop the token of this header, unless another one has replaced it already."""
        if self._token is not None and authorization == f"Bearer {self._token.reveal()}":
            self._token = None
        return True

    def _usable_token(self) -> Secret | None:
        return self._token if self.clock() < self._usable_until else None

    async def _fetched(self, send: Send) -> Secret:
        fetches = self._fetches
        lock = self._lock.get(None)
        if lock is None:
            lock = anyio.Lock()
            self._lock.set(lock)
        async with lock:
            token = self._usable_token()
            if token is not None:
                return token
            if self._fetches > fetches and self._failure is not None:
                # A copy, because each call adds its own attempts to its error.
                raise copy.copy(self._failure)
            try:
                token = await self._fetch(send)
            except WebRtcError as error:
                self._failure, self._fetches = copy.copy(error), self._fetches + 1
                raise
            self._failure = None
            return token

    async def _fetch(self, send: Send) -> Secret:
        request = WireRequest(
            method="POST",
            target=self.token_url,
            headers={
                "Authorization": HiddenStr(
                    basic_header(self.client_id, await self.client_secret.read())
                ),
                "Accept": "application/json",
                "Content-Type": "application/x-www-form-urlencoded",
            },
            content=b"grant_type=client_credentials",
        )
        asked_at = self.clock()
        try:
            response = await send(request)
        except TlsError as error:
            raise TlsError(f"no access token could be fetched: {error.message}") from error
        except TransportError as error:
            raise ConnectionFailedError(
                f"no access token could be fetched: {error.message}"
            ) from error
        except UnexpectedResponseError as error:
            raise ConfigurationError(
                f"the response of {self.token_url} holds no access token: {error.message} "
                "Check token_url."
            ) from error
        granted = _granted(response)
        if granted is None:
            raise self._error(response, secrets_in(request.headers["Authorization"]))
        token, lifetime = granted
        self._usable_until = asked_at + max(lifetime - RENEW_BEFORE, lifetime / 2)
        self._token = token
        return token

    def _error(self, response: WireResponse, secrets: tuple[str, ...]) -> WebRtcError:
        status = response.status
        if status == 200:
            return ConfigurationError(
                f"{self.token_url} responded without a usable access_token. Check token_url."
            )
        fields = codec.read_object(response.content)
        # RFC 6749, 5.2: an error code and an optional description.
        texts = [fields.get("error"), fields.get("error_description")]
        reason = ": ".join(
            excerpt(text, secrets, longest=200) for text in texts if isinstance(text, str)
        )
        message = f"the token endpoint responded with {status}{f' ({reason})' if reason else ''}."
        if status == 401 or (status in {400, 403} and fields.get("error") == "invalid_client"):
            kind: type[ApiError] = UnauthorizedError
        elif status == 429 or 500 <= status <= 599:
            kind = error_for_status(status)
        else:
            return ConfigurationError(f"{message} Check token_url: {self.token_url}.")
        return kind(
            message,
            outcome=Outcome.NOT_SENT,
            status=status,
            reason=reason,
            request_id=response.request_id,
            retry_after=read_retry_after(response.headers),
            headers=public_headers(response.headers, secrets),
        )


def _granted(response: WireResponse) -> tuple[Secret, float] | None:
    """Return a token and its lifetime in seconds; None without a token.

    It raises no error, because a traceback would show the token.
    """
    fields = codec.read_object(response.content)
    token, lifetime = fields.get("access_token"), fields.get("expires_in", 0)
    if response.status != 200 or not isinstance(token, str) or not is_bearer_token(token):
        return None
    if isinstance(lifetime, str) and re.fullmatch(r"[0-9]{1,9}", lifetime):
        lifetime = int(lifetime)  # some servers send a string
    seconds = lifetime if isinstance(lifetime, int | float) else 0
    # Bounded first, because an int may be too large for a float.
    return Secret(token), float(min(max(seconds, 0), LONGEST_LIFETIME))
