"""The emulator itself: requests in, answers out, no I/O."""

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from webrtc_async._protocol.route import Route
from webrtc_async._protocol.wire import WireRequest, WireResponse
from webrtc_async.emulator.core.credentials import Credentials
from webrtc_async.emulator.core.refusal import Refusal, bad_request
from webrtc_async.emulator.core.service import BASE_PATH, Backend, operation_of, path_of
from webrtc_async.emulator.core.state import hears, orphans
from webrtc_async.emulator.core.switches import Switches
from webrtc_async.emulator.faults.answer import fault_response
from webrtc_async.emulator.faults.armed import Faults, Strike, strike_now
from webrtc_async.emulator.faults.header import FAULT_HEADER, read_fault_header
from webrtc_async.emulator.faults.reply import Reply, written
from webrtc_async.emulator.records.exchanges import Exchanges
from webrtc_async.emulator.records.picture import picture
from webrtc_async.emulator.records.seen_requests import Evidence
from webrtc_async.emulator.webhooks.devices import Devices, end_device
from webrtc_async.emulator.webhooks.queue import Webhooks

DEFAULT_ACCOUNT: Final = "9900000"
"""The account of an emulator that is not told of others."""


class Emulator:
    """The service in memory.

    It checks credentials, keeps sessions, participants and subscriptions, and lets them end after
    nine hours. Devices are connected by hand, and their events queued as webhooks. It has no media
    and no signalling, and its device tokens open nothing. Where the service's behaviour is not
    public, a switch or the code says what its own is inferred from.

    Threads may share it.

    Attributes:
        base_path: Where its paths begin.
        webhooks: Those that wait to be posted, and a log of the last ones.
        devices: What participants connect with.
        faults: The rules by which something goes wrong.
        exchanges: The last requests and what they were answered with.
    """

    base_path: Final = BASE_PATH

    def __init__(
        self,
        *,
        accounts: Mapping[str, Credentials] | None = None,
        clock: Callable[[], float] = time.time,
        seed: int | None = None,
        switches: Switches | None = None,
        fault_header: bool = False,
    ) -> None:
        """Make an emulator that nothing has happened in yet.

        Args:
            accounts: Credentials by account id; by default one account, "9900000", with those that
                `Credentials` has by default.
            clock: Tells the seconds since 1970, by which things expire.
            seed: Makes ids and tokens the same in every run that asks the same.
            switches: How it behaves at first where the service's behaviour is not public.
            fault_header: Whether a request may bring a fault rule of its own, as JSON in the
                header X-Emulator-Fault.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self.webhooks = Webhooks(clock=clock)
        self._backend = Backend(
            {DEFAULT_ACCOUNT: Credentials()} if accounts is None else dict(accounts),
            clock=clock,
            seed=seed,
            switches=switches or Switches(),
            on_delete=partial(end_device, self.webhooks),
        )
        self.devices = Devices(
            find=self._backend.participant,
            lock=self._lock,
            webhooks=self.webhooks,
            new_id=self._backend.new_device_id,
        )
        self.faults = Faults(clock=clock)
        self.exchanges = Exchanges()
        self._takes_fault_header = fault_header
        self._evidence = Evidence()

    def reset(self) -> None:
        """Be as it was made: without state, access tokens and faults, with the switches of then."""
        with self._lock:
            self._backend.reset()
            self._evidence.clear()
        self.webhooks.clear()
        self.faults.clear()
        self.exchanges.clear()

    def snapshot(self) -> dict[str, object]:
        """Return its state as JSON's values, for `restore`.

        That is sessions, participants, subscriptions, devices, switches, and with a seed where ids
        and tokens go on; not credentials, access tokens, webhooks, faults or past requests.
        """
        with self._lock:
            return self._backend.snapshot()

    def restore(self, snapshot: object) -> None:
        """Be as another emulator, or this one, was at a snapshot.

        Access tokens given out before are refused, and webhooks forgotten, as by `reset`.

        Args:
            snapshot: What `snapshot` returned, or what is left of it after JSON.

        Raises:
            ValueError: It is something else, or of other accounts, and nothing has changed; the
                text names the field.
        """
        with self._lock:
            self._backend.restore(snapshot)
        self.webhooks.clear()

    @property
    def switches(self) -> Switches:
        """How it behaves where the service's behaviour is not public; it may be set at any time."""
        return self._backend.switches

    @switches.setter
    def switches(self, switches: Switches) -> None:
        with self._lock:
            self._backend.switches = switches

    def set_switches(self, **values: object) -> None:
        """Set some switches and leave the others as they are.

        Args:
            values: Values by name; their text will do, such as "true" and "204".

        Raises:
            SwitchError: A name or a value is unknown; none is set then.
        """
        with self._lock:
            self._backend.switches = self._backend.switches.with_values(values)

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
            return tuple(self._backend.state(account_id).sessions)

    def participant_ids(self, account_id: str) -> tuple[str, ...]:
        """Return an account's participants, in sessions or not, oldest first.

        Raises:
            KeyError: There is no such account.
        """
        with self._lock:
            return tuple(self._backend.state(account_id).participants)

    def hears(self, account_id: str, session_id: str) -> dict[str, frozenset[str]]:
        """Return whom each participant of a session receives of those who are in it now.

        Raises:
            KeyError: There is no such account or session.
        """
        with self._lock:
            return hears(self._backend.state(account_id).sessions[session_id])

    def revoke_access_tokens(self) -> None:
        """Refuse every access token given out so far with 401, as if they had been taken back."""
        with self._lock:
            self._backend.revoke_access_tokens()

    def picture(self) -> dict[str, object]:
        """Return what it holds and did last, as JSON's values and without secrets."""
        with self._lock:
            return picture(
                self._backend.states(),
                now=self._clock(),
                requests=self.exchanges.count,
                exchanges=self.exchanges,
                faults=self.faults,
                webhooks=self.webhooks,
                webhook_count=self.webhooks.count,
                switches=self._backend.switches.as_dict(),
                device_of=lambda participant: participant.device_id,
            )

    def requests(self, route: Route[Any, Any] | str) -> int:
        """Return how many requests for a route were seen, refused and struck ones included.

        Args:
            route: The route, or its operation's name.

        Raises:
            ValueError: There is no such operation.
        """
        return self.exchanges.count_of(route.operation if isinstance(route, Route) else route)

    def assert_no_orphans(self) -> None:
        """Require that no session and no participant is left in any account.

        Raises:
            AssertionError: Some are left; the text lists them.
        """
        with self._lock:
            left = [
                orphan
                for account_id, state in self._backend.states().items()
                for orphan in orphans(state, account_id)
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
        path = path_of(request.target)
        with self._lock:
            self._evidence.keep(request)
            request_id = self._backend.new_request_id()
            match = self._backend.match(request.method, path)
            operation = operation_of(request.method, path, match)
            strike: Strike | None = None
            response: WireResponse | None = None
            try:
                strike = self._strike(request, operation) if can_fail else None
                if strike is None or strike.rule.acts:
                    response = written(request_id, *self._backend.answer(request, path, match))
                elif strike.status is not None:
                    response = fault_response(strike, request_id)
            except Refusal as refusal:
                body = self._backend.refusal_body(refusal, request_id)
                response = written(request_id, refusal.status, body)
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

    def _strike(self, request: WireRequest, operation: str | None) -> Strike | None:
        if self._takes_fault_header:
            try:
                rule = read_fault_header(request.headers)
            except ValueError as error:
                raise bad_request(f"{FAULT_HEADER}: {error}") from None
            if rule is not None:
                return strike_now(rule, self._clock())
        return self.faults.meet(operation)
