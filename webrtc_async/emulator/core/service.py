"""The service's rules: authentication, routing and operations; no I/O, no lock."""

import re
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Final

from webrtc_async._protocol.wire import WireRequest
from webrtc_async.emulator.core import access_tokens
from webrtc_async.emulator.core.clock import EmulatorClock
from webrtc_async.emulator.core.credentials import Credentials, read_authorization, read_basic
from webrtc_async.emulator.core.device_tokens import DeviceTokens
from webrtc_async.emulator.core.handler_table import Match
from webrtc_async.emulator.core.operations import Account, operations
from webrtc_async.emulator.core.randomness import RandomStreams, random_of
from webrtc_async.emulator.core.refusal import (
    Refusal,
    bad_request,
    forbidden,
    unauthorized,
    unknown_route,
)
from webrtc_async.emulator.core.response_bodies import ResponseBodies
from webrtc_async.emulator.core.snapshot import read_snapshot, write_snapshot
from webrtc_async.emulator.core.state import AccountState, ParticipantRecord, new_id
from webrtc_async.emulator.core.subject import Subject, subject_of
from webrtc_async.emulator.core.switches import Switches

BASE_PATH: Final = "/v1"
"""Prefix of the API's paths, on any host."""

MAX_BODY: Final = 1024 * 1024
"""Maximum size of a request's content in bytes; larger content is refused unread."""


class Service:
    """The accounts of an emulator and everything in them.

    Args:
        credentials: Accepted credentials by account id.
        clock: The emulator's time.
        seed: Makes ids and tokens repeatable.
        switches: Initial switches, for behaviour that is not public.
        on_delete: Called with every participant that is deleted.
    """

    def __init__(
        self,
        credentials: Mapping[str, Credentials],
        *,
        clock: EmulatorClock,
        seed: int | None,
        switches: Switches,
        on_delete: Callable[[ParticipantRecord], object],
    ) -> None:
        self._credentials = credentials
        self._clock = clock
        self._seed = seed
        self._signing_key = random_of(seed, "signing key").randbytes(32)
        self._on_delete = on_delete
        self._initial_switches = switches
        self._start(self._empty_states(), RandomStreams(seed), switches)

    @property
    def switches(self) -> Switches:
        """The switches for behaviour that is not public; they can be set at any time."""
        return self._bodies.switches

    @switches.setter
    def switches(self, switches: Switches) -> None:
        self._bodies.switches = switches

    def reset(self) -> None:
        """Return to the initial state."""
        self._start(self._empty_states(), RandomStreams(self._seed), self._initial_switches)

    def snapshot(self) -> dict[str, object]:
        """Return the whole state as JSON values."""
        return write_snapshot(self.states(), self.switches, self._streams, ahead=self._clock.ahead)

    def restore(self, snapshot: object) -> None:
        """Restore the state of a snapshot, without any access tokens.

        Raises:
            FieldError: It is not a snapshot or has other accounts; nothing has changed.
        """
        states = self._empty_states()
        found = read_snapshot(snapshot, states)
        self._clock.set_ahead(found.ahead)
        self._start(states, found.streams or RandomStreams(self._seed), found.switches)

    def states(self) -> dict[str, AccountState]:
        """Return the current state of every account."""
        return {account_id: self.state(account_id) for account_id in self._accounts}

    def accounts(self) -> Iterator[Account]:
        """Yield every account, without expired sessions and participants."""
        for account in self._accounts.values():
            account.state.sweep(self._clock())
            yield account

    def state(self, account_id: str) -> AccountState:
        """Return the current state of an account.

        Raises:
            KeyError: The account does not exist.
        """
        state = self._accounts[account_id].state
        state.sweep(self._clock())
        return state

    def participant(self, participant_id: str) -> ParticipantRecord | None:
        """Return a participant of any account, or None."""
        found = (state.participants.get(participant_id) for state in self.states().values())
        return next(filter(None, found), None)

    def new_request_id(self) -> str:
        """Return an id for the next request."""
        return new_id(self._streams["requests"])

    def new_device_id(self) -> str:
        """Return an id for a device without one."""
        return new_id(self._streams["device ids"])

    def revoke_access_tokens(self) -> None:
        """Reject every access token issued so far."""
        self._access_tokens.revoke_all()

    def match(self, method: str, path: str) -> Match[Account] | None:
        """Return the operation of a request, or None if the path or method is unknown."""
        if not path.startswith(f"{BASE_PATH}/"):
            return None
        return operations.match(method, path[len(BASE_PATH) :])

    def subject_of(
        self, request: WireRequest, operation: str | None, match: Match[Account] | None
    ) -> Subject:
        """Return the subject of a request; its credentials may be wrong."""
        account = None if match is None else self._accounts.get(match.account_id)
        state = None if account is None else self.state(account.id)
        return subject_of(request, operation, match, state)

    def respond(
        self, request: WireRequest, path: str, match: Match[Account] | None
    ) -> tuple[HTTPStatus, object]:
        """Return the status and body for a request.

        Raises:
            Refusal: The service refuses the request.
        """
        authorization = next(
            (value for name, value in request.headers.items() if name.lower() == "authorization"),
            "",
        )
        if (request.method, path) == ("POST", access_tokens.TOKEN_PATH):
            return self._access_tokens.respond(authorization, request.content[:MAX_BODY])
        if match is None:
            raise unknown_route()
        credentials = self._credentials.get(match.account_id)
        if credentials is None or not self._accepts(authorization, match.account_id, credentials):
            raise unauthorized()
        if not credentials.have_webrtc:
            raise forbidden()
        if len(request.content) > MAX_BODY:
            raise bad_request(f"the body: over {MAX_BODY} bytes")
        account = self._accounts[match.account_id]
        account.state.sweep(self._clock())
        body = match.call(account, request.content)
        return (HTTPStatus.NO_CONTENT if body is None else HTTPStatus.OK), body

    def refusal_body(self, refusal: Refusal, request_id: str) -> dict[str, object]:
        """Return the body for a refused request."""
        return self._bodies.refusal(refusal, request_id)

    def _accepts(self, authorization: str, account_id: str, credentials: Credentials) -> bool:
        scheme, value = read_authorization(authorization)
        if scheme == "bearer":
            return self._access_tokens.accepts(value, account_id)
        is_basic = scheme == "basic" and self.switches.basic_auth == "accepted"
        user = read_basic(value) if is_basic else None
        return user is not None and credentials.match_user(*user)

    def _empty_states(self) -> dict[str, AccountState]:
        return {each: AccountState(on_delete=self._on_delete) for each in self._credentials}

    def _start(
        self, states: Mapping[str, AccountState], streams: RandomStreams, switches: Switches
    ) -> None:
        self._streams = streams
        self._bodies = ResponseBodies(switches, streams["permission order"])
        self._access_tokens = access_tokens.AccessTokens(
            self._credentials, self._clock, streams["access tokens"]
        )
        tokens = DeviceTokens(streams["device tokens"], self._signing_key)
        self._accounts = {
            account_id: Account(
                account_id, self._clock, streams["ids"], tokens, self._bodies, state
            )
            for account_id, state in states.items()
        }


def operation_of(method: str, path: str, match: Match[Account] | None) -> str | None:
    """Return the name of a request's operation, or None if the path or method is unknown."""
    if match is not None:
        return match.route.operation
    return (
        access_tokens.TOKEN_OPERATION
        if (method, path) == ("POST", access_tokens.TOKEN_PATH)
        else None
    )


def path_of(target: str) -> str:
    """Return the path of a request target, still percent-encoded and without its query."""
    if not target.startswith("/"):
        # Not urlsplit: it drops characters, and raises on hosts that it cannot parse.
        target = re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*", "", target)
    return target.partition("?")[0]
