"""The emulator itself: requests in, answers out, no I/O."""

import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from webrtc_async.emulator import oauth
from webrtc_async.emulator.credentials import Credentials, read_authorization, read_basic
from webrtc_async.emulator.evidence import Evidence
from webrtc_async.emulator.exchanges import Exchanges
from webrtc_async.emulator.fault_body import fault_response
from webrtc_async.emulator.fault_check import OPERATIONS
from webrtc_async.emulator.fault_header import FAULT_HEADER, read_fault_header
from webrtc_async.emulator.faults import Faults, Strike, strike_now
from webrtc_async.emulator.handler_table import Match
from webrtc_async.emulator.operations import Account, operations
from webrtc_async.emulator.picture import picture
from webrtc_async.emulator.refusal import Refusal, bad_request, unauthorized, unknown_route
from webrtc_async.emulator.reply import Reply, written
from webrtc_async.emulator.state import hears, new_id, orphans
from webrtc_async.emulator.token_mint import TokenMint
from webrtc_async.route import Route
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
        faults: The rules by which something goes wrong.
        exchanges: The last requests and what they were answered with.
    """

    base_path: Final = "/v1"

    def __init__(
        self,
        *,
        accounts: Mapping[str, Credentials] | None = None,
        clock: Callable[[], float] = time.time,
        seed: int | None = None,
        fault_header: bool = False,
    ) -> None:
        """Make an emulator that nothing has happened in yet.

        Args:
            accounts: Credentials by account id; by default one account, "9900000", with those that
                `Credentials` has by default.
            clock: Tells the seconds since 1970, by which things expire.
            seed: Makes ids and tokens the same in every run that asks the same.
            fault_header: Whether a request may bring a fault rule of its own, as JSON in the
                header X-Emulator-Fault.
        """
        self._credentials = dict({DEFAULT_ACCOUNT: Credentials()} if accounts is None else accounts)
        self._clock = clock
        self._seed = seed
        self._lock = threading.Lock()
        self.faults = Faults(clock=clock)
        self.exchanges = Exchanges()
        self._takes_fault_header = fault_header
        self._evidence = Evidence()
        self.reset()

    def reset(self) -> None:
        """Forget all that happened, access tokens and faults included, and start ids over."""
        self.faults.clear()
        self.exchanges.clear()
        with self._lock:
            self._evidence.clear()
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

    @property
    def requests_handled(self) -> int:
        """How many requests it has seen, refusals included."""
        return self.exchanges.count

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

    def picture(self) -> dict[str, object]:
        """Return what it holds and did last, as JSON's values and without secrets."""
        with self._lock:
            return picture(
                {account_id: self._swept(account_id).state for account_id in self._accounts},
                now=self._clock(),
                requests=self.exchanges.count,
                exchanges=self.exchanges,
                faults=self.faults,
            )

    def requests(self, route: Route[Any, Any] | str) -> int:
        """Return how many requests for a route were seen, refused and struck ones included.

        Args:
            route: The route, or its operation's name.

        Raises:
            ValueError: There is no such operation.
        """
        operation = route.operation if isinstance(route, Route) else route
        if operation not in OPERATIONS:
            raise ValueError(f"{operation!r} is no operation; createSession is one.")
        return self.exchanges.count_of(operation)

    def assert_no_orphans(self) -> None:
        """Require that no session and no participant is left in any account.

        Raises:
            AssertionError: Some are left; the text lists them.
        """
        with self._lock:
            left = [
                orphan
                for each in self._accounts
                for orphan in orphans(self._swept(each).state, each)
            ]
        if left:
            raise AssertionError("\n".join([f"{len(left)} left behind:", *left]))

    def saw_secret(self, canary: str) -> bool:
        """Whether a secret was seen where none should be: anywhere but in Authorization.

        Paths, queries, bodies and all other headers are searched, for the text as it is,
        percent-encoded, JSON-escaped and in base64.

        Raises:
            ValueError: It has under 4 characters.
            LookupError: It was not found, and older requests are not kept: 16 MiB are.
        """
        with self._lock:
            return self._evidence.holds(canary)

    def handle(self, request: WireRequest) -> WireResponse:
        """Answer a request as the service does; no fault strikes it.

        Args:
            request: Its target is a URL or an absolute path, still percent-encoded.
        """
        response = self._reply_to(request, can_fail=False).response
        assert response is not None  # noqa: S101  # only a fault could leave it out
        return response

    def reply_to(self, request: WireRequest) -> Reply:
        """Answer a request, or have happen to it what a fault rule says.

        Args:
            request: Its target is a URL or an absolute path, still percent-encoded.
        """
        return self._reply_to(request, can_fail=True)

    def _reply_to(self, request: WireRequest, *, can_fail: bool) -> Reply:
        began = time.perf_counter()
        path = _path(request.target)
        with self._lock:
            self._evidence.keep(request)
            request_id = new_id(self._request_ids)
            match = self._match(request.method, path)
            operation = _operation(request.method, path, match)
            strike: Strike | None = None
            response: WireResponse | None = None
            try:
                strike = self._strike(request, operation) if can_fail else None
                if strike is None or strike.rule.acts:
                    response = written(request_id, *self._answer(request, path, match))
                elif strike.status is not None:
                    response = fault_response(strike, request_id)
            except Refusal as refusal:
                response = written(request_id, refusal.status, refusal.body(request_id))
        rule = None if strike is None else strike.rule
        self.exchanges.add(
            at=self._clock(),
            method=request.method,
            target=path,
            operation=operation,
            status=None if response is None or (rule and rule.hides_answer) else response.status,
            seconds=time.perf_counter() - began + (rule.wait if rule else 0),
            fault=None if rule is None else str(rule),
        )
        return Reply(response, rule if strike is not None and strike.status is None else None)

    def _match(self, method: str, path: str) -> Match[Account] | None:
        if not path.startswith(f"{self.base_path}/"):
            return None
        return operations.match(method, path.removeprefix(self.base_path))

    def _strike(self, request: WireRequest, operation: str | None) -> Strike | None:
        if self._takes_fault_header:
            try:
                rule = read_fault_header(request.headers)
            except ValueError as error:
                raise bad_request(f"{FAULT_HEADER}: {error}") from None
            if rule is not None:
                return strike_now(rule, self._clock())
        return self.faults.meet(operation)

    def _answer(
        self, request: WireRequest, path: str, match: Match[Account] | None
    ) -> tuple[HTTPStatus, object]:
        authorization = next(
            (value for name, value in request.headers.items() if name.lower() == "authorization"),
            "",
        )
        if (request.method, path) == ("POST", oauth.TOKEN_PATH):
            return self._access_tokens.answer(authorization, request.content[:LONGEST_BODY])
        if match is None:
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


def _operation(method: str, path: str, match: Match[Account] | None) -> str | None:
    if match is not None:
        return match.route.operation
    return oauth.TOKEN_OPERATION if (method, path) == ("POST", oauth.TOKEN_PATH) else None


def _path(target: str) -> str:
    # Not urlsplit: it drops characters, and raises on hosts that it cannot read.
    return re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*", "", target).partition("?")[0]
