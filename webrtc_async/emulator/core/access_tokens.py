"""The token endpoint: client credentials for an access token (RFC 6749, section 4.4)."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from http import HTTPStatus
from random import Random
from typing import Final
from urllib.parse import parse_qs

from attrs import field, frozen

from webrtc_async.emulator.core.credentials import Credentials, read_authorization, read_basic

TOKEN_PATH: Final = "/api/v1/oauth2/token"  # noqa: S105  # not a secret
"""Path of the token endpoint, on any host."""

TOKEN_OPERATION: Final = "getAccessToken"  # noqa: S105  # not a secret
"""Name of a token request, beside the names of the API's operations."""

TOKEN_LIFETIME: Final = 3600
"""Lifetime of an access token in seconds."""


@frozen
class _Grant:
    account_ids: frozenset[str]
    expires_at: float


@frozen(eq=False)
class AccessTokens:
    """The access tokens that the token endpoint issued and that have not expired."""

    accounts: Mapping[str, Credentials]
    clock: Callable[[], float]
    source: Random = field(repr=False)
    # Keys are hashes: the duration of a lookup then reveals nothing about a token.
    _grants: OrderedDict[bytes, _Grant] = field(
        factory=OrderedDict[bytes, _Grant], init=False, repr=False
    )

    def respond(self, authorization: str, content: bytes) -> tuple[HTTPStatus, dict[str, object]]:
        """Return the status and body for a request to the token endpoint."""
        account_ids = self._accounts_of(authorization)
        if not account_ids:
            return HTTPStatus.UNAUTHORIZED, {"error": "invalid_client"}
        form = parse_qs(content.decode("latin-1"))
        if form.get("grant_type") != ["client_credentials"]:
            return HTTPStatus.BAD_REQUEST, {"error": "unsupported_grant_type"}
        token = self.source.randbytes(24).hex()
        self._grants[_digest(token)] = _Grant(account_ids, self.clock() + TOKEN_LIFETIME)
        return HTTPStatus.OK, {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": TOKEN_LIFETIME,
        }

    def accepts(self, token: str, account_id: str) -> bool:
        """Return True if the token belongs to this account and has not expired."""
        self._sweep()
        grant = self._grants.get(_digest(token))
        return grant is not None and account_id in grant.account_ids

    def revoke_all(self) -> None:
        """Reject every token issued so far."""
        self._grants.clear()

    def _sweep(self) -> None:
        now = self.clock()
        while self._grants and next(iter(self._grants.values())).expires_at <= now:
            self._grants.popitem(last=False)

    def _accounts_of(self, authorization: str) -> frozenset[str]:
        scheme, value = read_authorization(authorization)
        client = read_basic(value) if scheme == "basic" else None
        if client is None:
            return frozenset()
        # One client may have access to several accounts.
        return frozenset(
            account_id
            for account_id, credentials in self.accounts.items()
            if credentials.match_client(*client)
        )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
