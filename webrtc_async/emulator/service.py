"""The emulator itself: requests in, answers out, no I/O."""

import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

from webrtc_async.codec import write_json
from webrtc_async.emulator import oauth
from webrtc_async.emulator.credentials import Credentials, read_authorization, read_basic
from webrtc_async.emulator.operations import Account, operations
from webrtc_async.emulator.refusal import Refusal, bad_request, unauthorized, unknown_route
from webrtc_async.emulator.state import hears, new_id
from webrtc_async.emulator.token_mint import TokenMint
from webrtc_async.wire import WireRequest, WireResponse

DEFAULT_ACCOUNT: Final = "9900000"
"""The account of an emulator that is not told of others."""

LONGEST_BODY: Final = 1024 * 1024
"""Bytes of a request's content from which on it is refused unread."""


class Emulator:
    """The service in memory.

    It checks credentials, keeps sessions, participants and subscriptions, and lets them end after
    nine hours. It has no media, signalling or webhooks, and its device tokens open nothing.
    Where the service's behaviour is not public, the code says what its own is inferred from.

    Threads may share it.

    Attributes:
        base_path: Where its paths begin.
    """

    base_path: Final = "/v1"

    def __init__(
        self,
        *,
        accounts: Mapping[str, Credentials] | None = None,
        clock: Callable[[], float] = time.time,
        seed: int | None = None,
    ) -> None:
        """Make an emulator that nothing has happened in yet.

        Args:
            accounts: Credentials by account id; by default one account, "9900000", with those that
                `Credentials` has by default.
            clock: Tells the seconds since 1970, by which things expire.
            seed: Makes ids and tokens the same in every run that asks the same.
        """
        self._credentials = dict({DEFAULT_ACCOUNT: Credentials()} if accounts is None else accounts)
        self._clock = clock
        self._seed = seed
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget all that happened, access tokens included, and start ids over."""
        with self._lock:
            # A stream for each purpose, so that a refused request does not change the next id.
            ids, self._request_ids = self._random("ids"), self._random("requests")
            mint = TokenMint(self._random("device tokens"))
            self._access_tokens = oauth.AccessTokens(
                self._credentials, self._clock, self._random("access tokens")
            )
            self._accounts = {
                account_id: Account(account_id, self._clock, ids, mint)
                for account_id in self._credentials
            }
            self._requests_handled = 0

    @property
    def requests_handled(self) -> int:
        """How many requests it has answered, refusals included."""
        return self._requests_handled

    def session_ids(self, account_id: str) -> tuple[str, ...]:
        """Return an account's sessions, oldest first.

        Raises:
            KeyError: There is no such account.
        """
        with self._lock:
            return tuple(self._swept(account_id).state.sessions)

    def participant_ids(self, account_id: str) -> tuple[str, ...]:
        """Return an account's participants, in sessions or not, oldest first.

        Raises:
            KeyError: There is no such account.
        """
        with self._lock:
            return tuple(self._swept(account_id).state.participants)

    def hears(self, account_id: str, session_id: str) -> dict[str, frozenset[str]]:
        """Return whom each participant of a session receives of those who are in it now.

        Raises:
            KeyError: There is no such account or session.
        """
        with self._lock:
            return hears(self._swept(account_id).state.sessions[session_id])

    def revoke_access_tokens(self) -> None:
        """Refuse every access token given out so far with 401, as if they had been taken back."""
        with self._lock:
            self._access_tokens.revoke_all()

    def handle(self, request: WireRequest) -> WireResponse:
        """Answer a request.

        Args:
            request: Its target is a URL or an absolute path, still percent-encoded.
        """
        with self._lock:
            self._requests_handled += 1
            request_id = new_id(self._request_ids)
            try:
                status, body = self._answer(request)
            except Refusal as refusal:
                status, body = refusal.status, refusal.body(request_id)
        headers = {"x-amzn-requestid": request_id}
        if status == HTTPStatus.NO_CONTENT:
            return WireResponse(status=status.value, headers=headers)
        headers["content-type"] = "application/json"
        return WireResponse(status=status.value, headers=headers, content=write_json(body))

    def _answer(self, request: WireRequest) -> tuple[HTTPStatus, object]:
        path = _path(request.target)
        authorization = next(
            (value for name, value in request.headers.items() if name.lower() == "authorization"),
            "",
        )
        if (request.method, path) == ("POST", oauth.TOKEN_PATH):
            return self._access_tokens.answer(authorization, request.content[:LONGEST_BODY])
        match = operations.match(request.method, path.removeprefix(self.base_path))
        if match is None or not path.startswith(f"{self.base_path}/"):
            raise unknown_route()
        if not self._lets_in(authorization, match.account_id):
            raise unauthorized()
        if len(request.content) > LONGEST_BODY:
            raise bad_request(f"the body: over {LONGEST_BODY} bytes")
        answer = match.answer(self._swept(match.account_id), request.content)
        return (HTTPStatus.NO_CONTENT if answer is None else HTTPStatus.OK), answer

    def _lets_in(self, authorization: str, account_id: str) -> bool:
        credentials = self._credentials.get(account_id)
        if credentials is None:
            return False
        scheme, value = read_authorization(authorization)
        if scheme == "bearer":
            return self._access_tokens.let_in(value, account_id)
        user = read_basic(value) if scheme == "basic" else None
        return user is not None and credentials.are_of_user(*user)

    def _swept(self, account_id: str) -> Account:
        account = self._accounts[account_id]
        account.state.sweep(self._clock())
        return account

    def _random(self, purpose: str) -> random.Random:
        if self._seed is None:
            return random.SystemRandom()
        return random.Random(f"{self._seed} {purpose}")  # noqa: S311  # it is meant to repeat


def _path(target: str) -> str:
    # Not urlsplit: it drops characters, and raises on hosts that it cannot read.
    return re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*", "", target).partition("?")[0]
