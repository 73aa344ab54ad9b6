"""The service itself: who is let in, to which operation, and what is answered; no I/O, no lock."""

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

from webrtc_async._protocol.wire import WireRequest
from webrtc_async.emulator.core import access_tokens as oauth
from webrtc_async.emulator.core.answers import Answers
from webrtc_async.emulator.core.credentials import Credentials, read_authorization, read_basic
from webrtc_async.emulator.core.device_tokens import TokenMint
from webrtc_async.emulator.core.handler_table import Match
from webrtc_async.emulator.core.operations import Account, operations
from webrtc_async.emulator.core.randomness import Streams, random_of
from webrtc_async.emulator.core.refusal import (
    Refusal,
    bad_request,
    forbidden,
    unauthorized,
    unknown_route,
)
from webrtc_async.emulator.core.snapshot import read_snapshot, write_snapshot
from webrtc_async.emulator.core.state import AccountState, ParticipantRecord, new_id
from webrtc_async.emulator.core.switches import Switches

BASE_PATH: Final = "/v1"
"""Where the paths of the API begin, on whatever host."""

LONGEST_BODY: Final = 1024 * 1024
"""Bytes of a request's content from which on it is refused unread."""


class Backend:
    """The accounts that are served, and everything in them.

    Args:
        credentials: Who is let in, by account id.
        clock: Tells the seconds since 1970.
        seed: Makes ids and tokens the same every time.
        switches: How the service behaves where that is not public, at first.
        on_delete: Told of every participant that is deleted.
    """

    def __init__(
        self,
        credentials: Mapping[str, Credentials],
        *,
        clock: Callable[[], float],
        seed: int | None,
        switches: Switches,
        on_delete: Callable[[ParticipantRecord], object],
    ) -> None:
        self._credentials = credentials
        self._clock = clock
        self._seed = seed
        self._signing_key = random_of(seed, "signing key").randbytes(32)
        self._on_delete = on_delete
        self._switches_at_first = switches
        self._begin(self._empty_states(), Streams(seed), switches)

    @property
    def switches(self) -> Switches:
        """How the service behaves where that is not public; they may be set at any time."""
        return self._answers.switches

    @switches.setter
    def switches(self, switches: Switches) -> None:
        self._answers.switches = switches

    def reset(self) -> None:
        """Be as it was made."""
        self._begin(self._empty_states(), Streams(self._seed), self._switches_at_first)

    def snapshot(self) -> dict[str, object]:
        """Return all that there is, as JSON's values."""
        return write_snapshot(self.states(), self.switches, self._streams)

    def restore(self, snapshot: object) -> None:
        """Be as at a snapshot, but without any access tokens.

        Raises:
            FieldError: It is none, or of other accounts; nothing has changed.
        """
        states = self._empty_states()
        found = read_snapshot(snapshot, states)
        self._begin(states, found.streams or Streams(self._seed), found.switches)

    def states(self) -> dict[str, AccountState]:
        """Return what every account has now."""
        return {account_id: self.state(account_id) for account_id in self._accounts}

    def state(self, account_id: str) -> AccountState:
        """Return what an account has now.

        Raises:
            KeyError: There is no such account.
        """
        state = self._accounts[account_id].state
        state.sweep(self._clock())
        return state

    def participant(self, participant_id: str) -> ParticipantRecord | None:
        """Return a participant of whatever account."""
        found = (state.participants.get(participant_id) for state in self.states().values())
        return next(filter(None, found), None)

    def new_request_id(self) -> str:
        """Return the id of the next request."""
        return new_id(self._streams["requests"])

    def new_device_id(self) -> str:
        """Return an id for a device that gives itself none."""
        return new_id(self._streams["device ids"])

    def revoke_access_tokens(self) -> None:
        """Refuse every access token given out so far."""
        self._access_tokens.revoke_all()

    def match(self, method: str, path: str) -> Match[Account] | None:
        """Return the operation that a request is for."""
        if not path.startswith(f"{BASE_PATH}/"):
            return None
        return operations.match(method, path[len(BASE_PATH) :])

    def answer(
        self, request: WireRequest, path: str, match: Match[Account] | None
    ) -> tuple[HTTPStatus, object]:
        """Return the status and body for a request.

        Raises:
            Refusal: It is refused.
        """
        authorization = next(
            (value for name, value in request.headers.items() if name.lower() == "authorization"),
            "",
        )
        if (request.method, path) == ("POST", oauth.TOKEN_PATH):
            return self._access_tokens.answer(authorization, request.content[:LONGEST_BODY])
        if match is None:
            raise unknown_route()
        credentials = self._credentials.get(match.account_id)
        if credentials is None or not self._lets_in(authorization, match.account_id, credentials):
            raise unauthorized()
        if not credentials.have_webrtc:
            raise forbidden()
        if len(request.content) > LONGEST_BODY:
            raise bad_request(f"the body: over {LONGEST_BODY} bytes")
        account = self._accounts[match.account_id]
        account.state.sweep(self._clock())
        answer = match.answer(account, request.content)
        return (HTTPStatus.NO_CONTENT if answer is None else HTTPStatus.OK), answer

    def refusal_body(self, refusal: Refusal, request_id: str) -> dict[str, object]:
        """Return the body of a refusal."""
        return self._answers.refusal(refusal, request_id)

    def _lets_in(self, authorization: str, account_id: str, credentials: Credentials) -> bool:
        scheme, value = read_authorization(authorization)
        if scheme == "bearer":
            return self._access_tokens.let_in(value, account_id)
        user = read_basic(value) if scheme == "basic" else None
        return user is not None and credentials.are_of_user(*user)

    def _empty_states(self) -> dict[str, AccountState]:
        return {each: AccountState(on_delete=self._on_delete) for each in self._credentials}

    def _begin(
        self, states: Mapping[str, AccountState], streams: Streams, switches: Switches
    ) -> None:
        self._streams = streams
        self._answers = Answers(switches, streams["permission order"])
        self._access_tokens = oauth.AccessTokens(
            self._credentials, self._clock, streams["access tokens"]
        )
        mint = TokenMint(streams["device tokens"], self._signing_key)
        self._accounts = {
            account_id: Account(account_id, self._clock, streams["ids"], mint, self._answers, state)
            for account_id, state in states.items()
        }


def operation_of(method: str, path: str, match: Match[Account] | None) -> str | None:
    """Return the name of the operation that a request is for; None for no known one."""
    if match is not None:
        return match.route.operation
    return oauth.TOKEN_OPERATION if (method, path) == ("POST", oauth.TOKEN_PATH) else None


def path_of(target: str) -> str:
    """Return the path of a request target, still percent-encoded and without its query."""
    if not target.startswith("/"):
        # Not urlsplit: it drops characters, and raises on hosts that it cannot read.
        target = re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*", "", target)
    return target.partition("?")[0]
